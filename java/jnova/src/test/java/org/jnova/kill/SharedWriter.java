/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.kill;

import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Set;
import java.util.SplittableRandom;
import org.jnova.NovaFile;
import org.jnova.NovaStore;

/**
 * A thread that shares two files with others, each through handles of its own: in one it overwrites a range that
 * nobody else writes; to the other all append records.
 */
final class SharedWriter extends Writer {
    static final Set<String> FILES = Set.of("shared ranges", "shared records");

    private static final String RANGES = "shared ranges";
    private static final String RECORDS = "shared records";
    private static final int RANGE = 10 * 4096 + 100; // neighbours have blocks in common, and lines
    private static final int HEADER = 8;
    private static final int RECORD_MAX = 500;

    private final int index;

    /**
     * Makes one.
     *
     * @param index which range is its own
     */
    SharedWriter(long seed, int thread, int index) {
        super(seed, thread);
        this.index = index;
        model.put(RANGES, new byte[RANGE]);
        model.create(RECORDS);
    }

    /** Makes the files, before any crash. */
    static void createFiles(NovaStore store, int writers) throws IOException {
        try (NovaFile ranges = store.open(RANGES, CREATE_NEW, READ, WRITE)) {
            ranges.setSize((long) writers * RANGE);
        }
        store.open(RECORDS, CREATE_NEW, READ, WRITE).close();
    }

    @Override
    Target.Call choose(SplittableRandom random) {
        if (random.nextInt(3) == 0) {
            int length = random.nextInt(RECORD_MAX);
            ByteBuffer record = ByteBuffer.allocate(HEADER + length);
            record.putInt(thread).putInt(length).put(bytes(random, length));
            return target -> target.append(RECORDS, record.array());
        }
        int at = switch (random.nextInt(4)) { // often at one of the borders
            case 0 -> 0;
            case 1 -> RANGE - 1 - random.nextInt(200);
            default -> random.nextInt(RANGE);
        };
        byte[] bytes = bytes(random, length(random, RANGE - at));
        return target -> target.write(RANGES, at, bytes);
    }

    @Override
    Set<String> names() {
        return Set.of();
    }

    @Override
    Model found(NovaStore store) throws IOException {
        Model found = new Model();
        try (NovaFile ranges = store.open(RANGES);
                NovaFile records = store.open(RECORDS)) {
            byte[] range = new byte[RANGE];
            ranges.read((long) index * RANGE, range, 0, RANGE);
            found.put(RANGES, range);
            found.put(RECORDS, ownRecords(Sources.readAll(records)));
        }
        return found;
    }

    /** Of the records of all, this thread's; fails if the bytes are not records one after the other. */
    private byte[] ownRecords(byte[] all) {
        ByteArrayOutputStream own = new ByteArrayOutputStream();
        ByteBuffer in = ByteBuffer.wrap(all);
        while (in.hasRemaining()) {
            int at = in.position();
            int length = in.remaining() < HEADER ? -1 : in.getInt(at + 4);
            if (length < 0 || length >= RECORD_MAX || length > in.remaining() - HEADER) {
                throw new AssertionError("no whole record at byte " + at + " of " + all.length);
            }
            if (in.getInt(at) == thread) {
                own.write(all, at, HEADER + length);
            }
            in.position(at + HEADER + length);
        }
        return own.toByteArray();
    }

    /** Fails if the files shared are longer than all ranges, or have records of nobody. */
    static void checkWhole(NovaStore store, SharedWriter[] writers) throws IOException {
        long ranges = store.stat(RANGES).size();
        long records = store.stat(RECORDS).size();
        long known = Arrays.stream(writers).mapToLong(writer -> writer.model.size(RECORDS)).sum();
        if (ranges != (long) writers.length * RANGE || records != known) {
            throw new AssertionError("shared files of " + ranges + " and " + records + " bytes; of records, " + known
                    + " bytes are known");
        }
    }

    @Override
    Target files(NovaStore store) throws IOException {
        return new Handles(store);
    }

    /** Two handles on each file, used by turns. */
    private final class Handles implements Target {
        private final Sources sources = new Sources();
        private final NovaFile[] ranges = new NovaFile[2];
        private final NovaFile[] records = new NovaFile[2];
        private int turn;

        Handles(NovaStore store) throws IOException {
            for (int i = 0; i < 2; i++) {
                ranges[i] = store.open(RANGES, READ, WRITE);
                records[i] = store.open(RECORDS, WRITE);
            }
        }

        @Override
        public void write(String name, int at, byte[] bytes) throws IOException {
            sources.write(ranges[turn++ & 1], (long) index * RANGE + at, bytes);
        }

        @Override
        public void append(String name, byte[] bytes) throws IOException {
            sources.append(records[turn++ & 1], bytes);
        }
    }
}
