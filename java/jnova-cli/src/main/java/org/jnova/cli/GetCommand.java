/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jnova.NovaStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
        name = "get",
        header = "Copy a file out of a pool",
        description = {
            "Writes the file at PATH in the pool to FILE, replacing that once all bytes are there.",
        },
        footer = {
            "  jnova get /dev/shm/pool report.pdf",
            "  jnova get /dev/shm/pool conf/server.xml /tmp/server.xml",
        })
final class GetCommand extends StoreCommand {
    @Mixin
    private PoolArguments pool;

    @Parameters(index = "1", paramLabel = "PATH", description = "The file in the pool.")
    private String name;

    @Parameters(
            index = "2",
            arity = "0..1",
            paramLabel = "FILE",
            description =
                    "Where to: a file, a directory, or - for standard output. Default: its name"
                            + " in the current directory.")
    private String target;

    @Override
    public Integer call() throws IOException, CommandFailure {
        try (NovaStore store = pool.openToRead(streams());
                Progress progress = new Progress(streams(), "reading " + name, 0, true)) {
            WholeFiles whole = new WholeFiles(store);
            if (!store.exists(name)) {
                throw noFile(name);
            }
            progress.update(0, store.stat(name).size());
            if ("-".equals(target)) {
                whole.get(name, streams().outChannel(), progress::update);
            } else {
                TargetFile.write(
                        targetPath(),
                        pool.path,
                        channel -> whole.get(name, channel, progress::update));
            }
        }
        return Main.OK;
    }

    static CommandFailure noFile(String name) {
        return new CommandFailure(Text.printable(name) + ": no such file in the pool; 'jnova ls' lists them");
    }

    private Path targetPath() {
        Path path = Path.of(target == null ? "" : target);
        return Files.isDirectory(path) ? HostPath.child(path, StoreTree.lastName(name)) : path;
    }
}
