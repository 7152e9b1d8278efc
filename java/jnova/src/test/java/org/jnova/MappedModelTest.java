/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.channels.FileChannel.MapMode.READ_WRITE;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;
import org.jnova.internal.index.LogPages;

/** Random stores, loads and calls on a file with several regions, against a byte array. */
class MappedModelTest {
    private static final int PAGE = 4096;
    private static final int SPAN = 150 * PAGE; // beyond one piece of staging memory

    @Property(tries = 40, shrinking = ShrinkingMode.BOUNDED)
    void behavesLikeAByteArray(@ForAll long seed, @ForAll @IntRange(min = 1, max = 150) int steps) throws IOException {
        run(seed, steps);
    }

    @Property(tries = 1)
    void longRuns(@ForAll long seed) throws IOException {
        for (int i = 0; i < (TestPools.FULL ? 50 : 1); i++) {
            run(seed + i, 3000);
        }
    }

    /** The same while every call cleans the log that it makes longer. */
    @Property(tries = 1)
    void longRunsWithShortLogs(@ForAll long seed) throws IOException {
        LogPages.cleanAlways(true);
        try {
            longRuns(seed);
        } finally {
            LogPages.cleanAlways(false);
        }
    }

    private static void run(long seed, int steps) throws IOException {
        try (TestPools pools = new TestPools()) {
            World world = new World(pools, new SplittableRandom(seed));
            try {
                for (int i = 0; i < steps; i++) {
                    world.step();
                }
                world.checkAll();
                world.reopen();
                world.checkAll();
            } finally {
                world.store.close();
            }
            pools.assertSound("p");
        }
    }

    private record Mapped(MappedRegion region, int start, int length) {}

    private static final class World {
        final TestPools pools;
        final SplittableRandom random;
        final List<Mapped> regions = new ArrayList<>();
        byte[] model = new byte[0];
        NovaStore store;
        NovaFile file;
        NovaFile other;

        World(TestPools pools, SplittableRandom random) throws IOException {
            this.pools = pools;
            this.random = random;
            this.store = pools.create("p", 16 * TestPools.MIB);
            openFiles();
        }

        private void openFiles() throws IOException {
            file = store.open("f", CREATE, READ, WRITE);
            other = store.open("g", CREATE, READ, WRITE);
        }

        void reopen() throws IOException {
            store.close();
            regions.clear();
            store = pools.open("p");
            openFiles();
        }

        void step() throws IOException {
            int what = random.nextInt(100);
            if (regions.isEmpty() || what < 6) {
                map();
            } else if (what < 40) {
                store();
            } else if (what < 55) {
                load();
            } else if (what < 90) {
                call();
            } else if (what < 95) {
                regions.remove(random.nextInt(regions.size())).region().close();
            } else if (what < 96) {
                reopen();
            } else {
                checkAll();
            }
        }

        private int position() {
            int around = random.nextBoolean() ? PAGE * random.nextInt(8) : random.nextInt(SPAN - 8 * PAGE);
            return Math.max(0, around + random.nextInt(-2, 3));
        }

        private int length() {
            return switch (random.nextInt(12)) {
                case 0 -> 1 + random.nextInt(SPAN);
                case 1 -> PAGE * random.nextInt(1, 4);
                case 2, 3, 4 -> 1 + random.nextInt(10);
                default -> 1 + random.nextInt(9000);
            };
        }

        private byte[] bytes() {
            byte[] bytes = new byte[length()];
            random.nextBytes(bytes);
            return bytes;
        }

        private void grow(int size) {
            if (model.length < size) {
                model = Arrays.copyOf(model, size);
            }
        }

        private void put(int position, byte[] bytes, int from, int length) {
            byte[] before = bytes == model ? model.clone() : bytes;
            grow(position + length);
            System.arraycopy(before, from, model, position, length);
        }

        private void map() throws IOException {
            if (regions.size() >= 4) {
                regions.remove(0).region().close();
            }
            int start = position();
            int length = 1 + random.nextInt(SPAN - start);
            MapOption[] options = random.nextInt(5) == 0 ? new MapOption[] {MapOption.EAGER} : new MapOption[0];
            regions.add(new Mapped(file.map(READ_WRITE, start, length, options), start, length));
            grow(start + length);
        }

        private Mapped some() {
            return regions.get(random.nextInt(regions.size()));
        }

        /** Sometimes behind the end of the file, in its last page: such bytes must not be seen again. */
        private void store() throws IOException {
            Mapped mapped = some();
            byte[] bytes = bytes();
            int at = random.nextInt(mapped.length());
            int pages = (model.length + PAGE - 1) / PAGE * PAGE;
            int room = Math.min(mapped.length() - at, pages - mapped.start() - at);
            int n = Math.min(bytes.length, room);
            if (n <= 0) {
                return;
            }
            ByteBuffer buffer = mapped.region().buffer();
            if (random.nextBoolean()) {
                buffer.put(at, bytes, 0, n);
            } else {
                for (int i = 0; i < Math.min(n, 100); i++) {
                    buffer.put(at + i, bytes[i]);
                }
                n = Math.min(n, 100);
            }
            int seen = Math.min(n, model.length - mapped.start() - at);
            if (seen > 0) {
                System.arraycopy(bytes, 0, model, mapped.start() + at, seen);
            }
            if (random.nextInt(4) == 0) {
                mapped.region().force(at, n);
            }
        }

        private void load() {
            Mapped mapped = some();
            int n = Math.min(mapped.length(), model.length - mapped.start());
            if (n > 0) {
                int at = random.nextInt(n);
                int length = Math.min(n - at, length());
                assertEquals(
                        ByteBuffer.wrap(model, mapped.start() + at, length),
                        mapped.region().buffer(at, length));
            }
        }

        private void call() throws IOException {
            int at = position();
            byte[] bytes = bytes();
            switch (random.nextInt(14)) {
                case 0, 1, 2, 3 -> {
                    file.write(at, bytes, 0, bytes.length);
                    put(at, bytes, 0, bytes.length);
                }
                case 4 -> {
                    if (model.length < 2 * SPAN) {
                        assertEquals(model.length, file.append(bytes, 0, bytes.length));
                        put(model.length, bytes, 0, bytes.length);
                    }
                }
                case 5 -> {
                    file.setSize(at);
                    model = Arrays.copyOf(model, at);
                }
                case 6 -> {
                    file.punchHole(at, bytes.length);
                    if (at < model.length) {
                        Arrays.fill(model, at, Math.min(model.length, at + bytes.length), (byte) 0);
                    }
                }
                case 7 -> shift(at / PAGE * PAGE, random.nextInt(1, 5) * PAGE);
                case 8 -> {
                    boolean keep = random.nextBoolean();
                    file.allocate(at, bytes.length, keep);
                    if (!keep) {
                        grow(at + bytes.length);
                    }
                }
                case 9 -> copy(at, length());
                case 10 -> writeFromRegion(at);
                case 11 -> file.setInPlace(random.nextBoolean());
                case 12 -> defragment();
                default -> {
                    Mapped mapped = some();
                    if (random.nextBoolean()) {
                        mapped.region().load();
                    } else {
                        mapped.region().allocate(0, mapped.length());
                    }
                }
            }
        }

        private void defragment() throws IOException {
            long extents = file.extents();
            try {
                file.defragment();
                assertTrue(file.extents() <= extents);
            } catch (FileSystemException e) {
                assertTrue(regions.stream().anyMatch(mapped -> !mapped.region().status().lazy()), e.toString());
            }
        }

        private void shift(int at, int n) throws IOException {
            if (random.nextBoolean() && at + n < model.length) {
                file.collapseRange(at, n);
                byte[] now = Arrays.copyOf(model, model.length - n);
                System.arraycopy(model, at + n, now, at, model.length - at - n);
                model = now;
            } else if (at < model.length && model.length < 2 * SPAN) {
                file.insertRange(at, n);
                byte[] now = Arrays.copyOf(model, model.length + n);
                Arrays.fill(now, at, at + n, (byte) 0);
                System.arraycopy(model, at, now, at + n, model.length - at);
                model = now;
            }
        }

        private void copy(int to, int length) throws IOException {
            int from = position();
            int n = Math.max(0, Math.min(length, model.length - from));
            if (random.nextBoolean()) {
                assertEquals(n, file.copyRange(from, file, to, length));
                if (n > 0) {
                    put(to, model, from, n);
                }
            } else if (n > 0) { // there and back
                other.truncate(0);
                assertEquals(n, file.copyRange(from, other, 0, length));
                assertEquals(n, other.copyRange(0, file, to, length));
                put(to, model, from, n);
            }
        }

        private void writeFromRegion(int to) throws IOException {
            Mapped mapped = some();
            int n = Math.min(mapped.length(), model.length - mapped.start());
            if (n > 0) {
                int at = random.nextInt(n);
                int from = mapped.start() + at;
                int length = Math.min(n - at, length());
                if (to < from + length && from < to + length) {
                    return; // in place, the outcome would be anything
                }
                ByteBuffer source = mapped.region().buffer(at, length);
                assertEquals(length, file.write(to, source));
                put(to, model, from, length);
            }
        }

        void checkAll() throws IOException {
            assertEquals(model.length, file.size());
            byte[] bytes = new byte[model.length];
            if (bytes.length > 0) {
                assertEquals(bytes.length, file.read(0, bytes, 0, bytes.length));
            }
            assertEquals(-1, Arrays.mismatch(model, bytes), "read");
            for (Mapped mapped : regions) {
                int n = Math.max(0, Math.min(mapped.length(), model.length - mapped.start()));
                byte[] loaded = new byte[n];
                mapped.region().buffer(0, n).get(loaded);
                assertEquals(-1, Arrays.mismatch(Arrays.copyOfRange(model, Math.min(model.length, mapped.start()), Math.min(model.length, mapped.start()) + n), loaded),
                        "region");
            }
        }
    }
}
