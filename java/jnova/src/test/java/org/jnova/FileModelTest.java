/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;
import org.jnova.internal.index.LogPages;

/**
 * Random operations on several files through several handles, with reopening in between, against byte arrays in a
 * map; and on their attributes and links.
 */
class FileModelTest {
    private static final int TRIES = 60;
    private static final int MANY_PAGES = 200;
    private static final int SPAN = 300_000; // most of a file; beyond one piece of staging memory

    @Property(tries = TRIES, shrinking = ShrinkingMode.BOUNDED)
    void behavesLikeByteArrays(@ForAll long seed, @ForAll @IntRange(min = 1, max = 150) int steps) throws IOException {
        run(seed, steps);
    }

    @Property(tries = 1)
    void longRuns(@ForAll long seed) throws IOException {
        for (int i = 0; i < (TestPools.FULL ? 50 : 1); i++) {
            run(seed + i, 3000);
        }
    }

    /** Copies of a file to itself, that got nodes of its index in between; holes fell apart then. */
    @Property(tries = 1)
    void runsThatFailedOnce() throws IOException {
        for (long seed : new long[] {3, 11, 12}) {
            run(seed, 3000);
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

    /** Logs of many pages, which are cut in the middle, and must not lose what else they say there. */
    @Property(tries = 4)
    void attributesAmongOverwrites(@ForAll long seed) throws IOException {
        run(seed, 300, World::overwriteStep);
    }

    private static void run(long seed, int steps) throws IOException {
        run(seed, steps, World::step);
    }

    private interface Step {
        void of(World world) throws IOException;
    }

    private static void run(long seed, int steps, Step step) throws IOException {
        try (TestPools pools = new TestPools()) {
            World world = new World(pools, new SplittableRandom(seed));
            try {
                for (int i = 0; i < steps; i++) {
                    step.of(world);
                }
                world.reopen();
                world.checkAll();
            } finally {
                world.store.close();
            }
            pools.assertSound("p");
        }
    }

    /** A file of the model; deleted ones live on in their handles, as in the store. */
    private static final class Content {
        byte[] bytes = new byte[0];
        final TreeMap<String, byte[]> attributes = new TreeMap<>();
        Owner owner; // null: not asked yet
        Times times; // after the last change; null: not asked since

        /** What is said of it must not change by itself. */
        void check(NovaFile file, long links) throws IOException {
            FileInfo info = file.info();
            Owner nowOwner = new Owner(info.mode(), info.uid(), info.gid(), info.created());
            if (owner != null) {
                assertEquals(owner, nowOwner);
            }
            owner = nowOwner;
            Times now = new Times(info.modified(), info.changed());
            if (times != null) {
                assertEquals(times, now);
            }
            times = now;
            assertEquals(links, info.nlink());
            assertEquals(List.copyOf(attributes.keySet()), file.listAttributes());
            for (String name : attributes.keySet()) {
                assertArrayEquals(attributes.get(name), file.getAttribute(name));
            }
        }
    }

    private record Owner(int mode, long uid, long gid, FileTime created) {}

    private record Times(FileTime modified, FileTime changed) {}

    private static final class Handle {
        final NovaFile file;
        final Content content;

        Handle(NovaFile file, Content content) {
            this.file = file;
            this.content = content;
        }
    }

    private static final class World {
        private static final String[] NAMES = {"a", "b", "c", "a name of more than sixteen bytes, which takes lines"};

        final TestPools pools;
        final SplittableRandom random;
        final TreeMap<String, Content> model = new TreeMap<>();
        final List<Handle> handles = new ArrayList<>();
        NovaStore store;

        World(TestPools pools, SplittableRandom random) throws IOException {
            this.pools = pools;
            this.random = random;
            this.store = pools.create("p", 16 * TestPools.MIB);
        }

        void step() throws IOException {
            int what = random.nextInt(100);
            if (handles.isEmpty() || what < 8) {
                openFile();
            } else if (what < 66) {
                Handle handle = handles.get(random.nextInt(handles.size()));
                change(handle);
                handle.content.check(handle.file, links(handle.content));
            } else if (what < 70) {
                Handle handle = handles.get(random.nextInt(handles.size()));
                changeAttributes(handle);
                handle.content.check(handle.file, links(handle.content));
            } else if (what < 85) {
                checkSome(handles.get(random.nextInt(handles.size())));
            } else if (what < 89) {
                handles.remove(random.nextInt(handles.size())).file.close();
            } else if (what < 93) {
                delete();
            } else if (what < 96) {
                rename();
            } else if (what < 97) {
                link();
            } else if (what < 99) {
                reopen();
            } else {
                checkAll();
            }
        }

        /** Of many overwrites of one page each, and few other calls. */
        void overwriteStep() throws IOException {
            int what = random.nextInt(100);
            if (handles.isEmpty()) {
                openFile();
                return;
            }
            Handle handle = handles.get(random.nextInt(handles.size()));
            handle.content.check(handle.file, links(handle.content)); // as after its last change
            byte[] content = handle.content.bytes;
            if (content.length < MANY_PAGES * 4096) {
                byte[] all = new byte[MANY_PAGES * 4096];
                handle.file.write(0, all, 0, all.length);
                handle.content.bytes = all;
            } else if (what < 80) {
                for (int i = 0; i < 100; i++) {
                    int at = 4096 * random.nextInt(random.nextInt(10) == 0 ? MANY_PAGES : 8);
                    Arrays.fill(content, at, at + 4096, (byte) random.nextInt());
                    handle.file.write(at, content, at, 4096);
                }
            } else if (what < 90) {
                changeAttributes(handle);
            } else if (what < 95) {
                reopen();
                return;
            } else {
                link();
            }
            handle.content.times = null;
            handle.content.check(handle.file, links(handle.content));
        }

        private String name() {
            return NAMES[random.nextInt(NAMES.length)];
        }

        private void openFile() throws IOException {
            if (handles.size() >= 6) {
                handles.remove(0).file.close();
            }
            String name = name();
            NovaFile file = store.open(name, CREATE, READ, WRITE);
            handles.add(new Handle(file, model.computeIfAbsent(name, n -> new Content())));
        }

        private int position() {
            int around = switch (random.nextInt(4)) {
                case 0 -> 4096 * random.nextInt(4);
                case 1 -> random.nextInt(SPAN);
                default -> random.nextInt(20_000);
            };
            return Math.max(0, around + random.nextInt(-2, 3));
        }

        private byte[] bytes() {
            int length = switch (random.nextInt(12)) {
                case 0 -> 1 + random.nextInt(SPAN);
                case 1 -> 4096 * random.nextInt(1, 4);
                case 2, 3, 4 -> 1 + random.nextInt(10);
                default -> 1 + random.nextInt(9000);
            };
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);
            return bytes;
        }

        private ByteBuffer buffer(byte[] bytes) {
            if (random.nextBoolean()) {
                return ByteBuffer.wrap(bytes);
            }
            int lead = random.nextInt(5);
            return ByteBuffer.allocateDirect(bytes.length + lead).position(lead).put(bytes).position(lead);
        }

        private void change(Handle handle) throws IOException {
            NovaFile file = handle.file;
            Content content = handle.content;
            int size = content.bytes.length;
            int what = random.nextInt(15);
            if (what == 14) {
                defragment(file);
                return;
            }
            content.times = null;
            if (what >= 10) {
                changeRange(file, content);
                return;
            }
            if (what < 2) {
                int to = random.nextBoolean() ? position() : random.nextInt(size + 1);
                if (random.nextBoolean()) {
                    file.setSize(to);
                    content.bytes = Arrays.copyOf(content.bytes, to);
                } else {
                    file.truncate(to);
                    content.bytes = Arrays.copyOf(content.bytes, Math.min(size, to));
                }
                return;
            }
            byte[] bytes = bytes();
            int at = what < 5 ? size : position();
            if (what < 5) {
                long landed =
                        switch (random.nextInt(3)) {
                            case 0 -> file.append(bytes, 0, bytes.length);
                            case 1 -> file.append(buffer(bytes));
                            default -> file.append(pieces(bytes), 0, 3);
                        };
                assertEquals(at, landed);
            } else {
                long written =
                        switch (random.nextInt(3)) {
                            case 0 -> file.write(at, bytes, 0, bytes.length);
                            case 1 -> file.write(at, buffer(bytes));
                            default -> file.write(at, pieces(bytes), 0, 3);
                        };
                assertEquals(bytes.length, written);
            }
            content.bytes = Arrays.copyOf(content.bytes, Math.max(size, at + bytes.length));
            System.arraycopy(bytes, 0, content.bytes, at, bytes.length);
        }

        private static void defragment(NovaFile file) throws IOException {
            FileInfo before = file.info();
            long extents = file.extents();
            file.defragment();
            assertTrue(file.extents() <= extents);
            FileInfo after = file.info();
            assertEquals(before.modified(), after.modified());
            assertEquals(before.changed(), after.changed());
            assertEquals(before.allocated(), after.allocated());
        }

        private void changeRange(NovaFile file, Content content) throws IOException {
            int size = content.bytes.length;
            int at = position();
            int length = 1 + random.nextInt(random.nextBoolean() ? 5000 : SPAN / 3);
            int page = at & -4096;
            int pages = (length + 4095) & -4096;
            switch (random.nextInt(6)) {
                case 0 -> {
                    file.punchHole(at, length);
                    Arrays.fill(content.bytes, Math.min(at, size), Math.min(at + length, size), (byte) 0);
                }
                case 1 -> {
                    boolean keepSize = random.nextBoolean();
                    file.allocate(at, length, keepSize);
                    content.bytes = Arrays.copyOf(content.bytes, keepSize ? size : Math.max(size, at + length));
                }
                case 2 -> {
                    if (page + pages < size) {
                        file.collapseRange(page, pages);
                        System.arraycopy(
                                content.bytes, page + pages, content.bytes, page, size - page - pages);
                        content.bytes = Arrays.copyOf(content.bytes, size - pages);
                    }
                }
                case 3 -> {
                    if (page < size && size < 2 * SPAN) {
                        file.insertRange(page, pages);
                        byte[] wider = Arrays.copyOf(content.bytes, size + pages);
                        System.arraycopy(content.bytes, page, wider, page + pages, size - page);
                        Arrays.fill(wider, page, page + pages, (byte) 0);
                        content.bytes = wider;
                    }
                }
                default -> copy(file, content, at, length);
            }
        }

        private void copy(NovaFile file, Content content, int at, int length) throws IOException {
            Handle to = handles.get(random.nextInt(handles.size()));
            int target = position();
            int n = Math.max(0, Math.min(length, content.bytes.length - at));
            assertEquals(n, file.copyRange(at, to.file, target, length));
            if (n > 0) {
                byte[] bytes = Arrays.copyOfRange(content.bytes, at, at + n);
                to.content.bytes = Arrays.copyOf(to.content.bytes, Math.max(to.content.bytes.length, target + n));
                System.arraycopy(bytes, 0, to.content.bytes, target, n);
                to.content.times = null;
                if (to.content != content) {
                    checkCopied(file, at, to.file, target, n);
                }
            }
        }

        /** Pages of a copy are holes if all their bytes come from holes, and only then. */
        private static void checkCopied(NovaFile from, int at, NovaFile to, int target, int n) throws IOException {
            for (int page = (target + 4095) & -4096; page + 4096 <= target + n; page += 4096) {
                long source = page - target + at;
                long data = from.nextData(source);
                assertEquals(data >= 0 && data < source + 4096, to.nextData(page) == page);
            }
        }

        private void changeAttributes(Handle handle) throws IOException {
            Content content = handle.content;
            String attribute = "user." + random.nextInt(4);
            content.times = null;
            switch (random.nextInt(3)) {
                case 0 -> {
                    byte[] value = new byte[random.nextInt(5) == 0 ? random.nextInt(5000) : random.nextInt(40)];
                    random.nextBytes(value);
                    handle.file.setAttribute(attribute, value);
                    content.attributes.put(attribute, value);
                }
                case 1 -> assertEquals(
                        content.attributes.remove(attribute) != null, handle.file.removeAttribute(attribute));
                default -> changeStat(handle);
            }
        }

        private void changeStat(Handle handle) throws IOException {
            String name = nameOf(handle.content);
            if (name == null) {
                return; // deleted
            }
            int mode = random.nextInt(01000);
            FileTime modified = FileTime.from(random.nextLong(1L << 50), TimeUnit.NANOSECONDS);
            FileTime created = FileTime.from(random.nextLong(1L << 50), TimeUnit.NANOSECONDS);
            AttributeChange change = AttributeChange.none().mode(mode);
            boolean times = random.nextBoolean();
            boolean owner = random.nextBoolean();
            if (times) {
                change = change.modified(modified).created(created);
            }
            if (owner) {
                change = change.uid(mode).gid(mode + 1);
            }
            FileInfo before = handle.file.info();
            store.setAttributes(name, change);
            handle.content.owner = new Owner(
                    mode,
                    owner ? mode : before.uid(),
                    owner ? mode + 1 : before.gid(),
                    times ? created : before.created());
            assertEquals(times ? modified : before.modified(), handle.file.info().modified());
        }

        private ByteBuffer[] pieces(byte[] bytes) {
            int one = random.nextInt(bytes.length + 1);
            int two = random.nextInt(one, bytes.length + 1);
            return new ByteBuffer[] {
                buffer(Arrays.copyOfRange(bytes, 0, one)),
                buffer(Arrays.copyOfRange(bytes, one, two)),
                buffer(Arrays.copyOfRange(bytes, two, bytes.length))
            };
        }

        private void delete() throws IOException {
            String name = name();
            Content content = model.remove(name);
            if (content != null) {
                content.times = null;
            }
            assertEquals(content != null, store.deleteIfExists(name));
        }

        private void rename() throws IOException {
            String from = name();
            String to = name();
            Content content = model.get(from);
            if (content != null && (from.equals(to) || !model.containsKey(to) || random.nextBoolean())) {
                store.rename(from, to, StandardCopyOption.REPLACE_EXISTING);
                content.times = null;
                Content replaced = model.put(to, content);
                if (replaced != content) { // else they are two names of one file, and both stay
                    model.remove(from);
                }
                if (replaced != null) {
                    replaced.times = null;
                }
            }
        }

        private void link() throws IOException {
            String name = name();
            Content content = model.get(name());
            String existing = content == null ? null : nameOf(content);
            if (content != null && !model.containsKey(name)) {
                store.createLink(name, existing);
                model.put(name, content);
                content.times = null;
            }
        }

        private String nameOf(Content content) {
            return model.keySet().stream()
                    .filter(name -> model.get(name) == content)
                    .findFirst()
                    .orElse(null);
        }

        private long links(Content content) {
            return model.values().stream().filter(other -> other == content).count();
        }

        void reopen() throws IOException {
            if (random.nextBoolean()) {
                for (Handle handle : handles) {
                    handle.file.close();
                }
            }
            handles.clear();
            store.close();
            store = pools.open("p");
        }

        private void checkSome(Handle handle) throws IOException {
            byte[] bytes = handle.content.bytes;
            assertEquals(bytes.length, handle.file.size());
            int at = random.nextInt(bytes.length + 10);
            int length = 1 + random.nextInt(random.nextBoolean() ? 100 : SPAN);
            int expected = at >= bytes.length ? -1 : Math.min(length, bytes.length - at);
            ByteBuffer buffer = random.nextBoolean() ? ByteBuffer.allocate(length) : ByteBuffer.allocateDirect(length);
            assertEquals(expected, handle.file.read(at, buffer));
            if (expected > 0) {
                assertEquals(ByteBuffer.wrap(bytes, at, expected), buffer.flip());
            }
            checkHoles(handle.file, bytes);
            handle.content.check(handle.file, links(handle.content));
        }

        /** What is no data must be zeros; holes and data take turns, and end with the file. */
        private static void checkHoles(NovaFile file, byte[] bytes) throws IOException {
            long at = 0;
            while (at < bytes.length) {
                long data = file.nextData(at);
                int end = data < 0 ? bytes.length : (int) data;
                for (int i = (int) at; i < end; i++) {
                    assertEquals(0, bytes[i]);
                }
                if (data < 0) {
                    break;
                }
                at = file.nextHole(data);
                assertTrue(at > data && at <= bytes.length);
            }
            assertEquals(-1, file.nextHole(bytes.length));
        }

        void checkAll() throws IOException {
            assertEquals(List.copyOf(model.keySet()), store.names());
            for (String name : model.keySet()) {
                byte[] expected = model.get(name).bytes;
                try (NovaFile file = store.open(name)) {
                    assertEquals(expected.length, file.size());
                    byte[] bytes = new byte[expected.length + 1];
                    assertEquals(expected.length == 0 ? -1 : expected.length, file.read(0, bytes, 0, bytes.length));
                    assertEquals(-1, Arrays.mismatch(expected, 0, expected.length, bytes, 0, expected.length), name);
                    model.get(name).check(file, links(model.get(name)));
                }
            }
        }
    }
}
