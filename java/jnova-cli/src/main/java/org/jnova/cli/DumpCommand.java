/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jnova.PoolInspector;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
        name = "dump",
        header = "Show the log of a file or directory",
        description = {
            "Prints the inode at PATH, its log pages, and each log entry with its place, sequence number and"
                + " checksum verdict; without PATH, those of the root directory. The pool must not be open, and is not"
                + " changed.",
            "Symbolic links on the path are not followed."
        },
        footer = {
            "  jnova dump /dev/shm/pool notes.txt",
        })
final class DumpCommand extends StoreCommand {
    @Parameters(index = "0", paramLabel = "POOL", description = "The pool file.")
    private Path pool;

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "PATH",
            description = "What to show; default: the root directory.")
    private String name;

    @Override
    public Integer call() throws IOException, CommandFailure {
        if (!Files.exists(pool)) {
            throw PoolArguments.noPool(pool, null);
        }
        String text = Progress.during("reading the log", streams(), () -> PoolInspector.dump(pool, name));
        out().print(text.endsWith("\n") ? text : text + "\n");
        return Main.OK;
    }
}
