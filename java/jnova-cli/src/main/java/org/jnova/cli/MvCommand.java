/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;

import java.io.IOException;
import org.jnova.FileType;
import org.jnova.NovaStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "mv",
        header = "Rename in a pool",
        description =
                "Renames a file, symbolic link or directory, atomically; into TO if that is a directory."
                        + " A file that is there is replaced.",
        footer = {
            "  jnova mv /dev/shm/pool draft.txt final.txt",
            "  jnova mv --exchange /dev/shm/pool current next",
        })
final class MvCommand extends StoreCommand {
    @Mixin
    private PoolArguments pool;

    @Parameters(index = "1", paramLabel = "FROM", description = "What to rename.")
    private String from;

    @Parameters(index = "2", paramLabel = "TO", description = "The new path, or the directory to move it into.")
    private String to;

    @Option(
            names = {"-n", "--no-clobber"},
            description = "Fail if the new name is taken.")
    private boolean keep;

    @Option(
            names = {"-T", "--no-target-directory"},
            description = "TO is the new path also if it is a directory, which then must be empty.")
    private boolean plain;

    @Option(names = "--exchange", description = "Exchange what FROM and TO name, in one atomic step.")
    private boolean exchange;

    @Override
    public Integer call() throws IOException, CommandFailure {
        try (NovaStore store = pool.open(streams())) {
            if (exchange) {
                store.exchange(from, to);
                return Main.OK;
            }
            boolean into = !plain && store.exists(to) && store.stat(to).type() == FileType.DIRECTORY;
            String target = into ? StoreTree.join(to, StoreTree.lastName(from)) : to;
            if (keep) {
                store.rename(from, target);
            } else {
                store.rename(from, target, REPLACE_EXISTING);
            }
        }
        return Main.OK;
    }
}
