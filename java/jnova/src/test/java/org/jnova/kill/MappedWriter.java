/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.kill;

import static java.nio.channels.FileChannel.MapMode.READ_ONLY;
import static java.nio.channels.FileChannel.MapMode.READ_WRITE;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.Arrays;
import java.util.Set;
import java.util.SplittableRandom;
import org.jnova.MappedRegion;
import org.jnova.NovaFile;
import org.jnova.NovaStore;

/**
 * A thread that shares a sparse file with others, and has a range of its own in it, which it stores to through a
 * mapping, writes, and makes a hole again. A store is done when it has returned, forced or not, since memory outlives
 * the process; but one in flight may be there in part.
 */
final class MappedWriter extends Writer {
    static final String FILE = "shared mapping";

    private static final int RANGE = 16 * 4096 + 100; // neighbours have blocks in common, and lines
    private static final int REMAP = 100; // calls after which the file is mapped anew

    private final int index;
    private final int writers;

    /** Where the call that {@link #choose} has chosen last changes something, and to what. */
    private int nextAt;

    private byte[] nextBytes;
    private boolean nextStores;

    /**
     * Makes one.
     *
     * @param index which range is its own
     * @param writers number of ranges
     */
    MappedWriter(long seed, int thread, int index, int writers) {
        super(seed, thread);
        this.index = index;
        this.writers = writers;
        model.put(FILE, new byte[RANGE]);
    }

    /** Makes the file, before any crash. */
    static void createFile(NovaStore store, int writers) throws IOException {
        try (NovaFile file = store.open(FILE, CREATE_NEW, READ, WRITE)) {
            file.setSize((long) writers * RANGE);
        }
    }

    @Override
    Target.Call choose(SplittableRandom random) {
        int kind = random.nextInt(30);
        int at = switch (random.nextInt(4)) { // often at one of the borders
            case 0 -> 0;
            case 1 -> RANGE - 1 - random.nextInt(200);
            default -> random.nextInt(RANGE);
        };
        int length = length(random, RANGE - at);
        boolean hole = kind == 0;
        if (hole) { // all but little of it
            at = random.nextInt(9_000);
            length = RANGE - at - random.nextInt(9_000);
        }
        byte[] bytes = hole ? new byte[length] : bytes(random, length);
        int position = at;
        nextAt = at;
        nextBytes = bytes;
        nextStores = kind >= 10;
        if (hole) {
            return target -> target.punchHole(FILE, position, bytes.length);
        }
        return kind < 10
                ? target -> target.write(FILE, position, bytes)
                : target -> target.store(FILE, position, bytes, kind < 15);
    }

    @Override
    Set<String> names() {
        return Set.of(FILE);
    }

    /** Of a store in flight that is there in part, which is as good as not there, this shows nothing. */
    @Override
    Model found(NovaStore store) throws IOException {
        byte[] range = new byte[RANGE];
        boolean inPlace;
        try (NovaFile file = store.open(FILE);
                MappedRegion region = file.map(READ_ONLY, (long) index * RANGE, RANGE)) {
            if (file.size() != (long) writers * RANGE) {
                throw new AssertionError("\"" + FILE + "\" has " + file.size() + " bytes");
            }
            file.read((long) index * RANGE, range, 0, RANGE);
            if (!region.buffer().equals(ByteBuffer.wrap(range))) {
                throw new AssertionError("a mapping of \"" + FILE + "\" shows other bytes than a read");
            }
            inPlace = !region.status().lazy(); // then the writing calls of before have been so too
        }
        next();
        byte[] before = Arrays.copyOfRange(model.bytes(FILE), nextAt, nextAt + nextBytes.length);
        byte[] is = Arrays.copyOfRange(range, nextAt, nextAt + nextBytes.length);
        if ((nextStores || inPlace) && !Arrays.equals(is, nextBytes) && isMixture(is, before, nextBytes)) {
            System.arraycopy(before, 0, range, nextAt, before.length);
        }
        Model found = new Model();
        found.put(FILE, range);
        return found;
    }

    private static boolean isMixture(byte[] is, byte[] before, byte[] after) {
        for (int i = 0; i < is.length; i++) {
            if (is[i] != before[i] && is[i] != after[i]) {
                return false;
            }
        }
        return true;
    }

    @Override
    Target files(NovaStore store) throws IOException {
        return new Mapping(store);
    }

    /** A handle of the file, and a region over this thread's range or over the whole file, in turn. */
    private final class Mapping implements Target {
        private final NovaFile file;
        private final Sources sources = new Sources();
        private MappedRegion region;
        private ByteBuffer memory;
        private int start; // of the range in the region
        private int turn;

        Mapping(NovaStore store) throws IOException {
            file = store.open(FILE, READ, WRITE);
            map();
        }

        private void map() throws IOException {
            boolean whole = turn++ % 2 == 0;
            start = whole ? index * RANGE : 0;
            region = whole
                    ? file.map(READ_WRITE, 0, (long) writers * RANGE)
                    : file.map(READ_WRITE, (long) index * RANGE, RANGE);
            memory = region.buffer();
        }

        @Override
        public void store(String name, int at, byte[] bytes, boolean force) throws IOException {
            if (done() % REMAP == 0) {
                region.close();
                map();
            }
            memory.put(start + at, bytes);
            if (force) {
                region.force(start + at, bytes.length);
            } else if (!region.isOpen()) { // the JVM may tell that later
                throw new ClosedChannelException();
            }
        }

        @Override
        public void write(String name, int at, byte[] bytes) throws IOException {
            sources.write(file, (long) index * RANGE + at, bytes);
        }

        @Override
        public void punchHole(String name, int at, int length) throws IOException {
            file.punchHole((long) index * RANGE + at, length);
        }

        @Override
        public void append(String name, byte[] bytes) {
            throw new UnsupportedOperationException();
        }
    }
}
