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

@Command(
        name = "fallocate",
        header = "Give a file space",
        description = "Gives blocks of zeros to all pages of a range that have none, in one atomic step; the file grows to"
                + " the end of the range if it is shorter. It is made if it is not there.",
        footer = {
            "  jnova fallocate /dev/shm/pool table --length 64M",
            "  jnova fallocate /dev/shm/pool journal --offset 1M --length 1M --keep-size",
        })
final class FallocateCommand extends StoreCommand {
    @Mixin
    private RangeArguments range;

    @Option(
            names = {"-o", "--offset"},
            defaultValue = "0",
            converter = SizeConverter.class,
            description = "Where the range begins, in bytes (default 0); K, M, G, T likewise.")
    private long offset;

    @Option(
            names = {"-n", "--keep-size"},
            description = "Leave the size as it is: blocks behind the end of the file wait there.")
    private boolean keepSize;

    @Override
    public Integer call() throws IOException, CommandFailure {
        try (NovaStore store = range.pool.open(streams());
                NovaFile file = store.open(range.path, WRITE, CREATE)) {
            file.allocate(offset, range.length, keepSize);
        }
        return Main.OK;
    }
}
