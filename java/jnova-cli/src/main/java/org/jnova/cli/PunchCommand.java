/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import org.jnova.NovaFile;
import org.jnova.NovaStore;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "punch",
        header = "Punch a hole into a file, or remove or insert a range",
        description = "Makes a range of a file read as zeros and gives its pages back, in one atomic step; the size stays."
                + " --collapse and --insert change the size, and copy nothing: their range is of whole pages of 4 KiB.",
        footer = {
            "  jnova punch /dev/shm/pool table --offset 1M --length 64K",
            "  jnova punch /dev/shm/pool queue --offset 0 --length 1M --collapse",
        })
final class PunchCommand extends StoreCommand {
    @Mixin
    private RangeArguments range;

    @Option(
            names = {"-o", "--offset"},
            required = true,
            converter = SizeConverter.class,
            description = "Where the range begins, in bytes; K, M, G, T likewise.")
    private long offset;

    @ArgGroup
    private Kind kind = new Kind();

    /** One of these, or none for a hole. */
    static final class Kind {
        @Option(
                names = {"-z", "--zero"},
                description = "Make the range zeros, which is the same: no space is kept for it (fallocate does that).")
        private boolean zero;

        @Option(
                names = {"-c", "--collapse"},
                description = "Remove the range: what is behind it moves down. It must end before the file does.")
        private boolean collapse;

        @Option(
                names = {"-i", "--insert"},
                description = "Insert a hole: what is behind OFFSET, which must be below the end, moves up.")
        private boolean insert;
    }

    @Override
    public Integer call() throws IOException, CommandFailure {
        try (NovaStore store = range.pool.open(streams());
                NovaFile file = store.open(range.path, WRITE)) {
            change(file);
        }
        return Main.OK;
    }

    private void change(NovaFile file) throws IOException, CommandFailure {
        try {
            if (kind.collapse) {
                file.collapseRange(offset, range.length);
            } else if (kind.insert) {
                file.insertRange(offset, range.length);
            } else if (kind.zero) {
                file.zeroRange(offset, range.length);
            } else {
                file.punchHole(offset, range.length);
            }
        } catch (IllegalArgumentException e) { // a range that does not fit the file
            throw new CommandFailure(Text.printable(range.path) + ": " + e.getMessage(), e);
        }
    }
}
