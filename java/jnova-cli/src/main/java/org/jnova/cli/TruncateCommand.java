/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import org.jnova.NovaFile;
import org.jnova.NovaStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "truncate",
        header = "Set the size of a file",
        description = "Cuts the file at PATH, or lengthens it with zeros, in one atomic step; made if it is not there.",
        footer = {
            "  jnova truncate /dev/shm/pool big.log --size 0",
        })
final class TruncateCommand extends StoreCommand {
    @Mixin
    private PoolArguments pool;

    @Parameters(index = "1", paramLabel = "PATH", description = "The file.")
    private String path;

    @Option(
            names = {"-s", "--size"},
            required = true,
            converter = SizeConverter.class,
            description = "The new size in bytes; K, M, G, T for powers of 1024.")
    private long size;

    @Override
    public Integer call() throws IOException, CommandFailure {
        try (NovaStore store = pool.open(streams());
                NovaFile file = store.open(path, WRITE, CREATE)) {
            file.setSize(size);
        }
        return Main.OK;
    }
}
