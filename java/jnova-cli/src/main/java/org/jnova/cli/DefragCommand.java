/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import org.jnova.FileInfo;
import org.jnova.FileType;
import org.jnova.NovaFile;
import org.jnova.NovaStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "defrag",
        header = "Bring the blocks of files together",
        description = "Moves the blocks of the file at PATH, or of all files below it, so that each run of data lies in one"
                + " extent, or in one for every 2 MiB, as far as there is free space for that. Contents and times stay."
                + " Prints for each file of more than one extent how many it had and has.",
        footer = {
            "  jnova defrag /dev/shm/pool table",
            "  jnova defrag /dev/shm/pool --check",
        })
final class DefragCommand extends StoreCommand {
    @Mixin
    private PoolArguments pool;

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "PATH",
            description = "A file, or where to begin. Default: the root.")
    private String path = "/";

    @Option(
            names = {"-c", "--check"},
            description = "Only count.")
    private boolean check;

    private final Set<Long> seen = new HashSet<>();

    @Override
    public Integer call() throws IOException, CommandFailure {
        try (NovaStore store = pool.open(streams())) {
            StoreTree.walk(store, path, new StoreTree.Visitor() {
                @Override
                public void enter(String inside, FileInfo info) throws IOException {
                    if (info.type() == FileType.FILE && seen.add(info.ino())) {
                        work(store, inside);
                    }
                }
            });
        }
        return Main.OK;
    }

    private void work(NovaStore store, String inside) throws IOException {
        try (NovaFile file = store.open(inside, READ, WRITE)) {
            long before = file.extents();
            if (before > 1 && !check) {
                file.defragment();
            }
            if (before > 1) {
                out().println(before + "\t" + (check ? "" : file.extents() + "\t") + Text.printable(inside));
            }
        }
    }
}
