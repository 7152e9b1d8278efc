/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import org.jnova.FileInfo;
import org.jnova.FileType;
import org.jnova.NovaStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "du",
        header = "Sum the space of a tree",
        description =
                "Prints for PATH, and for each directory below it, the bytes of the pool that contents"
                        + " and logs take there. A file with several names counts once.",
        footer = {
            "  jnova du /dev/shm/pool src",
        })
final class DuCommand extends StoreCommand {
    @Mixin
    private PoolArguments pool;

    private static final int LOG_PAGE_LEN = 4096;

    @Parameters(index = "1", arity = "0..1", paramLabel = "PATH", description = "Where to begin. Default: the root.")
    private String path = "/";

    @Option(
            names = {"-s", "--summarize"},
            description = "Only the sum of all.")
    private boolean sumOnly;

    @Option(
            names = {"-b", "--bytes"},
            description = "In bytes, without a unit.")
    private boolean exact;

    private final Deque<long[]> sums = new ArrayDeque<>();
    private final Set<Long> counted = new HashSet<>();

    @Override
    public Integer call() throws IOException, CommandFailure {
        sums.push(new long[1]);
        try (NovaStore store = pool.open(streams())) {
            StoreTree.walk(store, path, new StoreTree.Visitor() {
                @Override
                public void enter(String inside, FileInfo info) {
                    if (info.type() == FileType.DIRECTORY) {
                        sums.push(new long[1]);
                    }
                    if (counted.add(info.ino())) {
                        sums.peek()[0] += info.allocated() + info.logPages() * LOG_PAGE_LEN;
                    }
                }

                @Override
                public void leave(String inside, FileInfo info) {
                    long sum = sums.pop()[0];
                    sums.peek()[0] += sum;
                    if (!sumOnly && sums.size() > 1) {
                        print(sum, inside);
                    }
                }
            });
        }
        print(sums.pop()[0], path);
        return Main.OK;
    }

    private void print(long sum, String at) {
        out().println((exact ? Long.toString(sum) : Text.bytes(sum)) + "\t" + Text.printable(at));
    }
}
