/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Times of access: what moves them, what does not, when they get into the pool. */
class AccessTimesTest {
    private static final String POOL = "pool";
    private static final byte[] BYTES = new byte[10000];

    private final TestPools pools = new TestPools();
    private NovaStore store;

    @BeforeEach
    void setUp() throws IOException {
        store = pools.create(POOL, 16 * TestPools.MIB);
        try (NovaFile file = store.open("f", READ, WRITE, CREATE)) {
            file.write(0, BYTES, 0, BYTES.length);
        }
    }

    @AfterEach
    void tearDown() throws IOException {
        store.close();
        pools.assertSound(POOL);
        pools.close();
    }

    private void reopen(AccessTimes policy) throws IOException {
        store.close();
        store = NovaStore.open(
                pools.path(POOL),
                StoreOptions.builder().emulated(true).accessTimes(policy).build());
    }

    private void read(NovaFile file) throws IOException {
        assertEquals(1, file.read(5000, new byte[1], 0, 1));
    }

    /** Nothing but the time of access, and how long the log is, differs. */
    private static void assertOnlyRead(FileInfo before, FileInfo after, long entries) {
        assertTrue(after.accessed().compareTo(before.accessed()) > 0, before + " " + after);
        assertTrue(after.accessed().compareTo(after.changed()) > 0, before + " " + after);
        assertEquals(before.modified(), after.modified());
        assertEquals(before.changed(), after.changed());
        assertEquals(before.logEntries() + entries, after.logEntries());
    }

    @Test
    void isSeenAtOnceAndLoggedAtClose() throws IOException {
        FileInfo before = store.stat("f");
        FileInfo open;
        try (NovaFile file = store.open("f", READ)) {
            try (NovaFile other = store.open("f", READ)) {
                read(file);
                open = other.info();
                assertOnlyRead(before, open, 0);
                assertEquals(open, store.stat("f"));
                read(other);
                assertEquals(open.accessed(), file.info().accessed(), "a second read does not count");
            }
            assertOnlyRead(before, file.info(), 0);
        }
        FileInfo after = store.stat("f");
        assertOnlyRead(before, after, 1);
        assertEquals(open.accessed(), after.accessed());
        try (NovaFile file = store.open("f", READ)) {
            read(file);
        }
        assertEquals(after, store.stat("f"), "nothing has changed since the last read");
        reopen(AccessTimes.RELATIME);
        assertEquals(after, store.stat("f"));
    }

    @Test
    void isLoggedWithTheNextChangeOfAttributes() throws IOException {
        FileTime set = FileTime.from(Instant.ofEpochSecond(1_000_000_000));
        try (NovaFile file = store.open("f", READ, WRITE)) {
            read(file);
            FileInfo before = file.info();
            store.setAttributes("f", AttributeChange.none().mode(0600));
            FileInfo after = file.info();
            assertEquals(before.accessed(), after.accessed());
            assertEquals(before.logEntries() + 1, after.logEntries());
            read(file); // the mode has changed since
            assertTrue(file.info().accessed().compareTo(after.changed()) > 0);
            store.setAttributes("f", AttributeChange.none().accessed(set));
            assertEquals(set, file.info().accessed());
        }
        assertEquals(set, store.stat("f").accessed());
        assertEquals(0600, store.stat("f").mode());
    }

    @Test
    void eachKindOfChangeMakesTheNextReadCount() throws IOException {
        store.createDirectory("d");
        try (NovaFile file = store.open("f", READ, WRITE)) {
            Action[] changes = {
                () -> file.write(0, BYTES, 0, 10),
                () -> file.append(BYTES, 0, 10),
                () -> file.setSize(20000),
                () -> file.punchHole(0, 5000),
                () -> file.insertRange(0, 4096),
                () -> file.collapseRange(0, 4096),
                () -> file.allocate(0, 4096, true),
                () -> file.setAttribute("x", new byte[1]),
                () -> file.removeAttribute("x"),
                () -> store.setAttributes("f", AttributeChange.none().uid(1)),
                () -> store.createLink("d/second", "f"),
                () -> store.delete("d/second"),
            };
            for (Action change : changes) {
                read(file);
                FileTime last = file.info().accessed();
                change.run();
                assertEquals(last, file.info().accessed(), "a change is no access");
                read(file);
                assertTrue(file.info().accessed().compareTo(file.info().changed()) > 0);
                assertTrue(file.info().changed().compareTo(last) > 0);
            }
        }
    }

    @FunctionalInterface
    private interface Action {
        void run() throws IOException;
    }

    @Test
    void eachKindOfReadCounts() throws IOException {
        try (NovaFile file = store.open("f", READ, WRITE);
                NovaFile target = store.open("g", READ, WRITE, CREATE)) {
            Action[] reads = {
                () -> file.read(0, new byte[3], 1, 2),
                () -> file.read(0, ByteBuffer.allocate(5)),
                () -> file.read(0, ByteBuffer.allocateDirect(5 << 20)),
                () -> assertEquals(-1, file.read(1 << 20, ByteBuffer.allocate(5))),
                () -> file.copyRange(0, target, 0, 100),
                () -> file.copyRange(0, file, 5000, 100),
            };
            for (Action read : reads) {
                file.setAttribute("x", new byte[1]);
                FileInfo before = file.info();
                read.run();
                assertTrue(file.info().accessed().compareTo(before.changed()) > 0);
            }
            assertEquals(target.info().created(), target.info().accessed(), "nobody has read it");
            file.setAttribute("x", new byte[1]);
            FileInfo before = file.info();
            file.size();
            file.nextData(0);
            file.getAttribute("x");
            file.read(0, new byte[0], 0, 0);
            assertEquals(before, file.info());
        }
    }

    @Test
    void symbolicLinks() throws IOException {
        store.createSymbolicLink("s", "f");
        FileInfo before = store.stat("s", NOFOLLOW_LINKS);
        assertEquals("f", store.readSymbolicLink("s"));
        assertOnlyRead(before, store.stat("s", NOFOLLOW_LINKS), 1);
        reopen(AccessTimes.NEVER);
        assertEquals("f", store.readSymbolicLink("s"));
        assertOnlyRead(before, store.stat("s", NOFOLLOW_LINKS), 1);
    }

    @Test
    void neverChangesNothing() throws IOException {
        reopen(AccessTimes.NEVER);
        FileInfo before = store.stat("f");
        try (NovaFile file = store.open("f", READ)) {
            read(file);
            assertEquals(before, file.info());
        }
        assertEquals(before, store.stat("f"));
        FileTime set = FileTime.from(Instant.ofEpochSecond(1_000_000_000));
        store.setAttributes("f", AttributeChange.none().accessed(set));
        assertEquals(set, store.stat("f").accessed());
    }

    @Test
    void closingTheStoreLogsToo() throws IOException {
        NovaFile file = store.open("f", READ);
        read(file);
        FileInfo open = file.info();
        reopen(AccessTimes.RELATIME);
        assertEquals(open.accessed(), store.stat("f").accessed());
        assertEquals(open.logEntries() + 1, store.stat("f").logEntries());
        file.close();
    }

    @Test
    void aDeletedFileNeedsNone() throws IOException {
        long free = store.info().freeBytes();
        try (NovaFile file = store.open("g", READ, WRITE, CREATE)) {
            file.write(0, BYTES, 0, BYTES.length);
            read(file);
            store.delete("g");
            read(file);
        }
        assertEquals(free, store.info().freeBytes());
    }

    /** The slot of each file is full, and so is the pool: the time of the read is lost, and nothing fails. */
    @Test
    void aFullPoolLosesIt() throws IOException {
        for (int i = 0; i < 2; i++) {
            store.setAttributes("f", AttributeChange.none().mode(0600 + i));
        }
        try (NovaFile big = store.open("big", WRITE, CREATE)) {
            for (int size = 1 << 20; size > 0; size >>= 1) {
                try {
                    while (true) {
                        big.append(new byte[size], 0, size);
                    }
                } catch (NoSpaceException e) {
                    // on with smaller ones
                }
            }
        }
        assertEquals(0, store.info().freeBytes());
        FileInfo before = store.stat("f");
        try (NovaFile file = store.open("f", READ)) {
            read(file);
            assertTrue(file.info().accessed().compareTo(before.accessed()) > 0);
        }
        assertEquals(before, store.stat("f"));
        store.delete("big");
        try (NovaFile file = store.open("f", READ)) {
            read(file);
        }
        assertTrue(store.stat("f").accessed().compareTo(before.accessed()) > 0);
    }
}
