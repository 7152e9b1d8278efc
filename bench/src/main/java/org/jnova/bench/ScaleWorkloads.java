/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import org.jnova.NovaFile;
import org.jnova.NovaStore;

/** What is done to a store before its space and its recovery are measured. The same every time. */
final class ScaleWorkloads {
    /** Name of the large file. */
    static final String LARGE = "large";

    /** Directory of the small files, or of their directories. */
    static final String SMALL = "small";

    private static final int PAGE_LEN = BenchState.PAGE_LEN;
    private static final int SEED = 42;

    private ScaleWorkloads() {}

    private static ByteBuffer page() {
        byte[] bytes = new byte[PAGE_LEN];
        new SplittableRandom(SEED).nextBytes(bytes);
        return ByteBuffer.allocateDirect(PAGE_LEN).put(0, bytes);
    }

    /** Appends to a new file until it has so many bytes; returns its number of calls. */
    static long append(NovaStore store, long fileSize, int recordLen) throws IOException {
        ByteBuffer record = page().limit(recordLen);
        long calls = fileSize / recordLen;
        try (NovaFile file = store.open(LARGE, WRITE, CREATE_NEW)) {
            for (long i = 0; i < calls; i++) {
                file.append(record.rewind());
            }
        }
        return calls;
    }

    /** Writes every page of a new file once, in random order: as many extents as there can be. */
    static void scatter(NovaStore store, int pages) throws IOException {
        int[] order = new int[pages];
        SplittableRandom random = new SplittableRandom(SEED);
        for (int i = 0; i < pages; i++) { // Fisher and Yates, inside out
            int j = random.nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        ByteBuffer page = page();
        try (NovaFile file = store.open(LARGE, WRITE, CREATE_NEW)) {
            for (int at : order) {
                file.write((long) at * PAGE_LEN, page.rewind());
            }
        }
    }

    /** Overwrites random pages of the large file. */
    static void overwrite(NovaStore store, int pages, int times) throws IOException {
        SplittableRandom random = new SplittableRandom(SEED + 1);
        ByteBuffer page = page();
        try (NovaFile file = store.open(LARGE, READ, WRITE)) {
            for (int i = 0; i < times; i++) {
                file.write((long) random.nextInt(pages) * PAGE_LEN, page.rewind());
            }
        }
    }

    /** Makes small files, so many in each directory, each of up to a page. */
    static void makeSmall(NovaStore store, int files, int perDirectory) throws IOException {
        store.createDirectory(SMALL);
        ByteBuffer page = page();
        for (int i = 0; i < files; i++) {
            if (perDirectory < files && i % perDirectory == 0) {
                store.createDirectory(directory(i, files, perDirectory));
            }
            try (NovaFile file = store.open(small(i, files, perDirectory), WRITE, CREATE_NEW)) {
                file.write(0, page.rewind().limit(smallLen(i)));
            }
        }
    }

    /** Opens each of them and writes it again, whole; all of them so many times. */
    static void rewriteSmall(NovaStore store, int files, int perDirectory, int times) throws IOException {
        ByteBuffer page = page();
        for (int n = 0; n < files * times; n++) {
            int i = n % files;
            try (NovaFile file = store.open(small(i, files, perDirectory), WRITE)) {
                file.write(0, page.rewind().limit(smallLen(i)));
            }
        }
    }

    /** Makes and deletes small files; so many of them are there at a time, and are at the end. */
    static void churn(NovaStore store, int files, int there) throws IOException {
        store.createDirectory(SMALL);
        ByteBuffer page = page();
        for (int i = 0; i < files; i++) {
            try (NovaFile file = store.open(small(i, files, files), WRITE, CREATE_NEW)) {
                file.write(0, page.rewind().limit(smallLen(i)));
            }
            if (i >= there) {
                store.delete(small(i - there, files, files));
            }
        }
    }

    private static int smallLen(int i) {
        return 1 + (int) (i * 2654435761L >>> 7 & PAGE_LEN - 1);
    }

    private static String directory(int i, int files, int perDirectory) {
        return perDirectory < files ? SMALL + "/" + i / perDirectory : SMALL;
    }

    /** Path of a small file; its name has at most 16 bytes, so that it takes one line of a log. */
    static String small(int i, int files, int perDirectory) {
        return directory(i, files, perDirectory) + "/file-" + i;
    }
}
