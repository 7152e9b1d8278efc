/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * How large {@link SpaceReport} and {@link RecoveryReport} work. Bounds that grow with the size are scaled along.
 *
 * @param dir folder of the pools
 * @param poolSize bytes
 * @param fileSize bytes of a large file
 * @param overwrites of 4 KiB in it
 * @param files small files
 * @param repeats of what is timed
 */
record ScaleOptions(Path dir, long poolSize, long fileSize, int overwrites, int files, int repeats) {
    private static final long GIB = 1L << 30;

    /** @param args what follows the name of the report on the command line */
    static ScaleOptions parse(String[] args) {
        boolean quick = false;
        Path dir = Path.of("/dev/shm");
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--quick" -> quick = true;
                case "--dir" -> {
                    if (++i == args.length) {
                        throw new IllegalArgumentException("--dir needs a value");
                    }
                    dir = Path.of(args[i]);
                }
                default -> throw new IllegalArgumentException("unknown option " + args[i]);
            }
        }
        return quick
                ? new ScaleOptions(dir, 2 * GIB, GIB / 4, 500_000, 200_000, 3)
                : new ScaleOptions(dir, 8 * GIB, GIB, 10_000_000, 1_000_000, 5);
    }

    /** Pages of the large file. */
    int pages() {
        return Math.toIntExact(fileSize / BenchState.PAGE_LEN);
    }

    /** The large file in GiB. */
    double gibs() {
        return (double) fileSize / GIB;
    }

    /** The small files in millions. */
    double millions() {
        return files / 1e6;
    }

    /** A pool's file, which is not there yet. */
    Path pool(String name) throws IOException {
        Path pool = dir.resolve("jnova-bench-" + ProcessHandle.current().pid() + "-" + name);
        delete(pool);
        return pool;
    }

    /** Deletes a pool that is closed. Its mappings stay until they are collected, and would keep its memory. */
    static void delete(Path pool) throws IOException {
        if (Files.exists(pool)) {
            try (FileChannel channel = FileChannel.open(pool, StandardOpenOption.WRITE)) {
                channel.truncate(0);
            }
            Files.delete(pool);
        }
    }
}
