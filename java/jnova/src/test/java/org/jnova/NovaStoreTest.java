/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jnova.StoreOptions.RecoveryProgress;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Names, options, facts. */
class NovaStoreTest {
    private final TestPools pools = new TestPools();

    @AfterEach
    void remove() {
        pools.close();
    }

    private static void put(NovaStore store, String name, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        try (NovaFile file = store.open(name, CREATE, WRITE, TRUNCATE_EXISTING)) {
            file.write(0, bytes, 0, bytes.length);
        }
    }

    private static String get(NovaStore store, String name) throws IOException {
        try (NovaFile file = store.open(name)) {
            byte[] bytes = new byte[(int) file.size()];
            int n = bytes.length == 0 ? 0 : file.read(0, bytes, 0, bytes.length);
            assertEquals(bytes.length, n);
            return new String(bytes, StandardCharsets.UTF_8);
        }
    }

    @Test
    void interruptDoesNotKeepFromCreatingAndOpening() throws IOException {
        Thread.currentThread().interrupt();
        try {
            pools.create("p", 4 * TestPools.MIB).close();
            assertTrue(Thread.currentThread().isInterrupted());
            try (NovaStore store = pools.open("p")) {
                put(store, "one", "first");
                assertEquals("first", get(store, "one"));
            }
            assertTrue(Thread.currentThread().isInterrupted());
        } finally {
            Thread.interrupted();
        }
        pools.assertSound("p");
    }

    @Test
    void newPoolThatCannotBeOpenedGoes() throws IOException {
        for (Throwable reason : List.of(new IOException("no"), new IllegalStateException("no"), new Error("no"))) {
            assertEquals(reason, failToOpen(reason));
            assertFalse(Files.exists(pools.path("p")));
        }
        PoolInUseException inUse = new PoolInUseException("p", "another process was faster");
        assertEquals(inUse, failToOpen(inUse));
        assertTrue(Files.exists(pools.path("p")), "it is the other's now");
    }

    private Throwable failToOpen(Throwable reason) throws IOException {
        Path pool = Files.createFile(pools.path("p"));
        return assertThrows(reason.getClass(), () -> NovaStore.openNew(pool, () -> {
            if (reason instanceof IOException e) {
                throw e;
            }
            if (reason instanceof RuntimeException e) {
                throw e;
            }
            throw (Error) reason;
        }));
    }

    @Test
    void contentsSurviveReopening() throws IOException {
        try (NovaStore store = pools.create("p", 4 * TestPools.MIB)) {
            put(store, "one", "first");
            put(store, "two", "second");
            put(store, "one", "third");
        }
        pools.assertSound("p");
        try (NovaStore store = pools.open("p")) {
            assertEquals("third", get(store, "one"));
            assertEquals("second", get(store, "two"));
            assertFalse(store.info().recovered());
        }
    }

    @Test
    void infoTellsFacts() throws IOException {
        Instant before = Instant.now().minusSeconds(1);
        try (NovaStore store = pools.create("p", 8 * TestPools.MIB + 1000)) {
            StoreInfo info = store.info();
            assertEquals(8 * TestPools.MIB, info.size());
            assertEquals(2048, info.blocks());
            assertEquals(4096, info.blockSize());
            assertEquals(TestPools.DURABILITY, info.durability());
            assertEquals(pools.path("p"), info.pool());
            assertEquals(pools.path("p"), store.pool());
            assertFalse(info.recovered());
            assertEquals(0, info.files());
            assertTrue(info.created().isAfter(before) && info.created().isBefore(Instant.now().plusSeconds(1)));
            assertTrue(info.longestFreeExtent() > 1500 && info.longestFreeExtent() <= info.blocksFree());
            assertNotEquals(0, info.uuid().getMostSignificantBits());
            put(store, "a", "x");
            StoreInfo later = store.info();
            assertEquals(1, later.files());
            assertTrue(later.usedBytes() > info.usedBytes());
            assertTrue(later.freeBytes() < info.freeBytes());
            assertEquals(info.uuid(), later.uuid());
        }
    }

    @Test
    void durabilityIsNeverPretended() throws IOException {
        Path folder = Files.createTempDirectory(TestPools.PREFIX);
        Path pool = folder.resolve("p");
        try {
            try (NovaStore store = NovaStore.create(pool, 4 * TestPools.MIB)) {
                boolean isVolatile = Files.getFileStore(folder).type().equals("tmpfs");
                assertEquals(isVolatile, store.info().durability() == Durability.EMULATED);
                put(store, "a", "synced");
                assertEquals("synced", get(store, "a"));
            }
            assertTrue(PoolInspector.check(pool).ok());
            try (NovaStore store = NovaStore.open(pool, TestPools.EMULATED)) {
                assertEquals("synced", get(store, "a"));
            }
        } finally {
            Files.deleteIfExists(pool);
            Files.delete(folder);
        }
    }

    @Test
    void replacedBlocksCountAsFree() throws IOException {
        try (NovaStore store = pools.create("p", 8 * TestPools.MIB)) {
            byte[] mib = new byte[1 << 20];
            try (NovaFile file = store.open("a", CREATE, WRITE)) {
                file.write(0, mib, 0, mib.length);
                long free = store.info().blocksFree();
                for (int i = 0; i < 20; i++) {
                    file.write(0, mib, 0, mib.length);
                }
                int log = (int) file.info().logPages();
                assertEquals(free - log, store.info().blocksFree());
                file.setSize(0);
                assertEquals(free - log + 256, store.info().blocksFree());
            }
        }
        pools.assertSound("p");
    }

    @Test
    void namesAreListedSorted() throws IOException {
        try (NovaStore store = pools.create("p", 4 * TestPools.MIB)) {
            for (String name : List.of("b", "\ud83d\ude00", "a", "\uff5e", "B", "x".repeat(255))) {
                put(store, name, name);
            }
            List<String> sorted = List.of("B", "a", "b", "x".repeat(255), "\uff5e", "\ud83d\ude00");
            assertEquals(sorted, store.names());
            assertEquals(sorted, store.list().stream().map(FileInfo::name).toList());
            for (FileInfo info : store.list()) {
                assertEquals(info.name().getBytes(StandardCharsets.UTF_8).length, info.size());
                assertEquals(FileType.FILE, info.type());
            }
            assertEquals("x".repeat(255), get(store, "x".repeat(255)));
        }
    }

    @Test
    void statTellsSizeAndTimes() throws IOException {
        try (NovaStore store = pools.create("p", 4 * TestPools.MIB)) {
            Instant before = Instant.now().minusSeconds(1);
            put(store, "a", "12345");
            FileInfo info = store.stat("a");
            assertEquals(5, info.size());
            assertEquals(4096, info.allocated());
            assertTrue(info.modified().toInstant().isAfter(before));
            assertTrue(info.created().compareTo(info.modified()) <= 0);
            try (NovaFile file = store.open("a", WRITE)) {
                file.setSize(1 << 20);
                assertEquals(1 << 20, file.info().size());
                assertEquals(4096, store.stat("a").allocated());
            }
            assertThrows(NoSuchFileException.class, () -> store.stat("b"));
        }
    }

    @Test
    void deleteRemovesAndFrees() throws IOException {
        try (NovaStore store = pools.create("p", 4 * TestPools.MIB)) {
            put(store, "a", "x");
            long free = store.info().blocksFree();
            put(store, "b", "y".repeat(100_000));
            assertTrue(store.exists("b"));
            store.delete("b");
            assertFalse(store.exists("b"));
            assertEquals(free, store.info().blocksFree());
            assertThrows(NoSuchFileException.class, () -> store.delete("b"));
            assertFalse(store.deleteIfExists("b"));
            assertTrue(store.deleteIfExists("a"));
            assertEquals(List.of(), store.names());
        }
        pools.assertSound("p");
    }

    @Test
    void deletedFileLivesUntilItsLastHandleCloses() throws IOException {
        try (NovaStore store = pools.create("p", 4 * TestPools.MIB)) {
            for (int i = 0; i < 10; i++) { // so that the directory needs no log page later
                put(store, "keep " + i, "k");
            }
            put(store, "a", "old");
            long used = store.info().usedBytes();
            NovaFile one = store.open("a", READ, WRITE);
            NovaFile two = store.open("a", READ);
            store.delete("a");
            put(store, "a", "new");
            byte[] big = new byte[300_000];
            big[299_999] = 7;
            one.write(0, big, 0, big.length);
            one.write(4096, big, 0, big.length - 4096); // replaced blocks wait in the queue
            one.close();
            assertTrue(store.info().usedBytes() > used + 300_000);
            byte[] back = new byte[300_000];
            assertEquals(300_000, two.read(0, back, 0, back.length));
            assertEquals(big[4000], back[4000]);
            assertEquals("new", get(store, "a"));
            two.close();
            assertEquals(used, store.info().usedBytes());
            assertEquals("new", get(store, "a"));
        }
        pools.assertSound("p");
    }

    @Test
    void deletedFileThatIsOpenWhenTheStoreClosesLeaksNothing() throws IOException {
        try (NovaStore store = pools.create("p", 4 * TestPools.MIB)) {
            put(store, "a", "x".repeat(50_000));
            assertNotNull(store.open("a", READ));
            store.delete("a");
        }
        pools.assertSound("p");
        try (NovaStore store = pools.open("p")) {
            assertEquals(0, store.info().files());
        }
    }

    @Test
    void renameMovesAndReplaces() throws IOException {
        try (NovaStore store = pools.create("p", 4 * TestPools.MIB)) {
            put(store, "a", "of a");
            put(store, "b", "of b".repeat(5000));
            assertThrows(FileAlreadyExistsException.class, () -> store.rename("a", "b"));
            assertEquals("of a", get(store, "a"));
            store.rename("a", "c");
            assertFalse(store.exists("a"));
            assertEquals("of a", get(store, "c"));
            try (NovaFile replaced = store.open("b")) {
                store.rename("c", "b", StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
                assertEquals(20_000, replaced.size());
            }
            assertEquals("of a", get(store, "b"));
            assertEquals(List.of("b"), store.names());
            store.rename("b", "b");
            assertThrows(NoSuchFileException.class, () -> store.rename("x", "x"));
            assertThrows(NoSuchFileException.class, () -> store.rename("x", "b", StandardCopyOption.REPLACE_EXISTING));
            assertThrows(
                    UnsupportedOperationException.class,
                    () -> store.rename("b", "d", StandardCopyOption.COPY_ATTRIBUTES));
            assertThrows(NoSuchFileException.class, () -> store.rename("b", "d/e"));
            assertThrows(InvalidPathException.class, () -> store.rename("b", ""));
        }
        pools.assertSound("p");
    }

    @Test
    void renamedOpenFileStaysOpen() throws IOException {
        try (NovaStore store = pools.create("p", 4 * TestPools.MIB);
                NovaFile file = store.open("a", CREATE, READ, WRITE)) {
            store.rename("a", "b");
            file.write(0, new byte[] {1, 2, 3}, 0, 3);
            assertEquals("a", file.name());
            assertEquals(3, store.stat("b").size());
            assertThrows(NoSuchFileException.class, () -> store.open("a"));
        }
    }

    @Test
    void openOptions() throws IOException {
        try (NovaStore store = pools.create("p", 4 * TestPools.MIB)) {
            assertThrows(NoSuchFileException.class, () -> store.open("a"));
            assertThrows(NoSuchFileException.class, () -> store.open("a", WRITE));
            assertThrows(NoSuchFileException.class, () -> store.open("a", READ, CREATE), "CREATE needs WRITE");
            store.open("a", WRITE, CREATE_NEW).close();
            assertThrows(FileAlreadyExistsException.class, () -> store.open("a", WRITE, CREATE_NEW));
            assertThrows(FileAlreadyExistsException.class, () -> store.open("a", WRITE, CREATE_NEW, CREATE));
            put(store, "a", "text");
            store.open("a", WRITE, CREATE).close();
            store.open("a", TRUNCATE_EXISTING).close();
            assertEquals("text", get(store, "a"));
            store.open("a", WRITE, TRUNCATE_EXISTING).close();
            assertEquals("", get(store, "a"));
            store.open("a", READ, WRITE, StandardOpenOption.SYNC, StandardOpenOption.DSYNC, StandardOpenOption.SPARSE)
                    .close();
            OpenOption other = new OpenOption() {};
            for (OpenOption option : List.of(StandardOpenOption.APPEND, StandardOpenOption.DELETE_ON_CLOSE, other)) {
                assertThrows(UnsupportedOperationException.class, () -> store.open("b", WRITE, CREATE, option));
            }
            assertThrows(NullPointerException.class, () -> store.open("b", WRITE, null));
            assertThrows(NullPointerException.class, () -> store.open(null, WRITE));
            assertThrows(NotDirectoryException.class, () -> store.open("a/b", WRITE, CREATE));
            assertThrows(InvalidPathException.class, () -> store.open("a\0b", WRITE, CREATE));
            assertFalse(store.exists("a/b"));
            assertEquals(List.of("a"), store.names());
        }
    }

    @Test
    void manyFiles() throws IOException {
        int n = TestPools.FULL ? 20_000 : 2_000;
        try (NovaStore store = pools.create("p", (TestPools.FULL ? 256 : 64) * TestPools.MIB)) {
            for (int i = 0; i < n; i++) {
                put(store, "file " + i, "text " + i);
            }
            for (int i = 0; i < n; i += 2) {
                store.delete("file " + i);
            }
        }
        pools.assertSound("p");
        try (NovaStore store = pools.open("p")) {
            assertEquals(n / 2, store.names().size());
            assertEquals(n / 2, store.info().files());
            for (int i = 1; i < n; i += 2) {
                assertEquals("text " + i, get(store, "file " + i));
            }
        }
    }

    @Test
    void recoveryReportsProgress() throws IOException {
        try (NovaStore store = pools.create("p", 4 * TestPools.MIB)) {
            put(store, "a", "x");
        }
        List<RecoveryProgress> heard = new CopyOnWriteArrayList<>();
        StoreOptions options = StoreOptions.builder().emulated(true).progress(heard::add).build();
        NovaStore.open(pools.path("p"), options).close();
        assertEquals(1, heard.size());
        StoreOptions throwing = StoreOptions.builder()
                .emulated(true)
                .progress(p -> {
                    throw new IllegalStateException("ignored");
                })
                .build();
        NovaStore.open(pools.path("p"), throwing).close();
    }

    @Test
    void optionsAreChecked() {
        assertThrows(IllegalArgumentException.class, () -> StoreOptions.builder().lanes(-1));
        assertThrows(IllegalArgumentException.class, () -> StoreOptions.builder().lanes(65));
        assertThrows(IllegalArgumentException.class, () -> StoreOptions.builder().recoveryThreads(1000));
        assertEquals(0.5, new RecoveryProgress(1, 2).fraction());
        assertEquals(0.0, new RecoveryProgress(1, 0).fraction());
        assertFalse(StoreOptions.defaults().emulated());
    }

    @Test
    void anyNumberOfLanesOpensAnyPool() throws IOException {
        for (int lanes : new int[] {1, 64, 3}) {
            StoreOptions options = StoreOptions.builder().emulated(true).lanes(lanes).recoveryThreads(lanes).build();
            try (NovaStore store = lanes == 1
                    ? NovaStore.create(pools.path("p"), 4 * TestPools.MIB, options)
                    : NovaStore.open(pools.path("p"), options)) {
                int used = store.info().lanes();
                assertTrue(used >= 1 && used <= lanes, used + " lanes"); // a small pool takes fewer
                put(store, "with " + lanes, "text");
            }
            pools.assertSound("p");
        }
    }
}
