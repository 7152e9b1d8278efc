/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.BiConsumer;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Pool files that cannot be made or opened: each has its exception. */
class PoolErrorsTest {
    private static final long SIZE = 4 * TestPools.MIB;
    private static final int UUID_OFFSET = 40; // in the superblock

    private final TestPools pools = new TestPools();
    private final Path pool = pools.path("p");

    @AfterEach
    void remove() {
        pools.close();
    }

    private void make() throws IOException {
        try (NovaStore store = pools.create("p", SIZE);
                NovaFile file = store.open("f", CREATE, WRITE)) {
            file.write(0, new byte[10_000], 0, 10_000);
        }
    }

    private <T extends Throwable> T refused(Class<T> type) {
        T thrown = assertThrows(type, () -> pools.open("p").close());
        assertTrue(thrown.getMessage().contains(pool.toString()), thrown.getMessage());
        return thrown;
    }

    private void poke(long offset, byte[] bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(pool, WRITE)) {
            channel.write(ByteBuffer.wrap(bytes), offset);
        }
    }

    @Test
    void missing() {
        refused(NoSuchFileException.class);
        assertThrows(NoSuchFileException.class, () -> PoolInspector.check(pool));
        assertThrows(NoSuchFileException.class, () -> PoolInspector.dump(pool, null));
        Path deep = pools.path("no/such/folder");
        assertThrows(NoSuchFileException.class, () -> NovaStore.create(deep, SIZE));
    }

    @Test
    void directory() throws IOException {
        Files.createDirectory(pool);
        refused(NotAPoolException.class);
        assertThrows(FileAlreadyExistsException.class, () -> NovaStore.create(pool, SIZE));
        assertThrows(PoolException.class, () -> PoolInspector.check(pool));
    }

    @Test
    void existing() throws IOException {
        Files.writeString(pool, "precious");
        assertThrows(FileAlreadyExistsException.class, () -> NovaStore.create(pool, SIZE));
        assertEquals("precious", Files.readString(pool));
    }

    @Test
    void foreign() throws IOException {
        byte[] noise = new byte[1 << 20];
        new SplittableRandom(1).nextBytes(noise);
        Files.write(pool, noise);
        refused(NotAPoolException.class);
        assertThrows(NotAPoolException.class, () -> PoolInspector.check(pool));
        Files.write(pool, new byte[0]);
        refused(NotAPoolException.class);
        Files.write(pool, new byte[1 << 20]);
        refused(NotAPoolException.class);
        Files.writeString(pool, "short");
        refused(NotAPoolException.class);
    }

    @Test
    void truncatedOrExtended() throws IOException {
        make();
        try (FileChannel channel = FileChannel.open(pool, WRITE)) {
            channel.truncate(SIZE / 2);
        }
        refused(PoolTruncatedException.class);
        try (FileChannel channel = FileChannel.open(pool, WRITE)) {
            channel.write(ByteBuffer.allocate(1), SIZE + 4095);
        }
        refused(PoolTruncatedException.class);
    }

    /** Changes a field of both superblocks, and makes their checksums right: bytes 0..251, CRC32C, at 252. */
    private void reseal(int offset, byte value) throws IOException {
        for (long at : new long[] {0, SIZE - 4096}) {
            ByteBuffer block = ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN);
            try (FileChannel channel = FileChannel.open(pool, READ)) {
                channel.read(block, at);
            }
            block.put(offset, value);
            CRC32C crc = new CRC32C();
            crc.update(block.array(), 0, 252);
            block.putInt(252, (int) crc.getValue());
            poke(at, block.array());
        }
    }

    @Test
    void otherVersion() throws IOException {
        make();
        reseal(8, (byte) 77);
        PoolVersionException thrown = refused(PoolVersionException.class);
        assertTrue(thrown.getMessage().contains("77"), thrown.getMessage());
        assertThrows(PoolVersionException.class, () -> PoolInspector.check(pool));
        reseal(8, (byte) 1);
        pools.open("p").close();
    }

    @Test
    void unknownFeature() throws IOException {
        make();
        reseal(16 + 7, (byte) 0x40);
        refused(PoolVersionException.class);
        reseal(16 + 7, (byte) 0);
        reseal(32, (byte) 2); // a compatible one: of no concern
        pools.open("p").close();
    }

    @Test
    void damagedSuperblockIsReplacedByItsReplica() throws IOException {
        make();
        poke(0, new byte[256]);
        try (NovaStore store = pools.open("p")) {
            assertEquals(10_000, store.stat("f").size());
        }
    }

    @Test
    void bothSuperblocksDamaged() throws IOException {
        make();
        poke(100, new byte[] {1, 2, 3});
        poke(SIZE - 4096 + 100, new byte[] {1, 2, 3});
        assertThrows(PoolException.class, () -> pools.open("p"));
    }

    @Test
    void inUseInThisProcess() throws IOException {
        make();
        try (NovaStore store = pools.open("p")) {
            refused(PoolInUseException.class);
            assertThrows(PoolInUseException.class, () -> PoolInspector.check(pool));
            assertThrows(PoolInUseException.class, () -> PoolInspector.repair(pool));
            assertEquals(1, store.names().size());
        }
        pools.open("p").close();
    }

    @Test
    void inUseByAnotherProcess() throws IOException, InterruptedException {
        make();
        try (ChildJvm child = new ChildJvm(Holder.class, pool.toString())) {
            assertEquals("open", child.line());
            refused(PoolInUseException.class);
            child.kill();
        }
        try (NovaStore store = pools.open("p")) {
            assertTrue(store.info().recovered());
            assertEquals(10_000, store.stat("f").size());
        }
    }

    /** Opens a pool and keeps it until killed. */
    static final class Holder {
        public static void main(String[] args) throws Exception {
            NovaStore store = NovaStore.open(Path.of(args[0]), TestPools.EMULATED);
            System.out.println("open");
            System.out.flush();
            new java.util.concurrent.CountDownLatch(1).await();
            store.close();
        }
    }

    @Test
    void sizesOutOfRange() {
        for (long size : new long[] {-1, 0, NovaStore.SIZE_MIN - 1, NovaStore.SIZE_MAX + 1, Long.MAX_VALUE}) {
            assertThrows(IllegalArgumentException.class, () -> NovaStore.create(pool, size));
        }
        assertFalse(Files.exists(pool));
    }

    @Test
    void hostFileSystemFull() {
        assertThrows(NoSpaceException.class, () -> NovaStore.create(pool, NovaStore.SIZE_MAX, TestPools.EMULATED));
        assertFalse(Files.exists(pool), "a failed creation leaves nothing behind");
    }

    @Test
    void smallestPool() throws IOException {
        try (NovaStore store = pools.create("p", NovaStore.SIZE_MIN);
                NovaFile file = store.open("f", CREATE, READ, WRITE)) {
            file.write(0, new byte[1000], 0, 1000);
            assertEquals(1000, file.size());
        }
        pools.assertSound("p");
    }

    @Test
    void foreignFileSystemProvider() throws IOException {
        Path zip = pools.path("z.zip");
        try (java.nio.file.FileSystem fs =
                java.nio.file.FileSystems.newFileSystem(zip, java.util.Map.of("create", "true"))) {
            assertThrows(UnsupportedOperationException.class, () -> NovaStore.open(fs.getPath("p")));
            assertThrows(UnsupportedOperationException.class, () -> NovaStore.create(fs.getPath("p"), SIZE));
        }
    }

    @Test
    void nulls() {
        assertThrows(NullPointerException.class, () -> NovaStore.open(null));
        assertThrows(NullPointerException.class, () -> NovaStore.open(pool, null));
        assertThrows(NullPointerException.class, () -> NovaStore.create(null, SIZE));
        assertThrows(NullPointerException.class, () -> PoolInspector.check(null));
        assertThrows(NullPointerException.class, () -> PoolInspector.repair(null));
    }

    @Test
    void inspectorSeesDamage() throws IOException {
        make();
        String dump = PoolInspector.dump(pool, "f");
        assertTrue(dump.lines().count() > 3, dump);
        assertNotNull(PoolInspector.dump(pool, null));
        assertThrows(NoSuchFileException.class, () -> PoolInspector.dump(pool, "g"));
        CheckReport good = PoolInspector.check(pool);
        assertTrue(good.ok() && good.clean());
        assertEquals(2, good.inodes());
        assertEquals(10_000, good.bytes());
        // Noise over the middle of every inode-table and log block would be a lucky hit; so all of the data area.
        byte[] noise = new byte[(int) SIZE - 16 * 4096];
        new SplittableRandom(2).nextBytes(noise);
        poke(8 * 4096, noise);
        CheckReport bad = PoolInspector.check(pool);
        assertFalse(bad.ok());
        assertTrue(bad.findings().stream().anyMatch(f -> f.severity() == CheckReport.Severity.ERROR));
        CorruptPoolException thrown = null;
        try (NovaStore store = pools.open("p")) {
            store.stat("f");
        } catch (CorruptPoolException e) {
            thrown = e;
        }
        assertNotNull(thrown);
        assertTrue(thrown.poolOffset() >= 0 && thrown.poolOffset() < SIZE, "offset " + thrown.poolOffset());
        assertNull(thrown.getOtherFile());
    }

    /**
     * Gives the last entry of a kind another file size, and makes its checksum right: bytes 4..63, behind that of the
     * pool's UUID.
     */
    private void forgeSize(int kind, long size) throws IOException {
        forge(kind, (image, at) -> image.putLong(at + 40, size));
    }

    /** Changes fields of the last entry of a kind. */
    private void forge(int kind, BiConsumer<ByteBuffer, Integer> change) throws IOException {
        ByteBuffer image = ByteBuffer.wrap(Files.readAllBytes(pool)).order(ByteOrder.LITTLE_ENDIAN);
        int last = -1;
        for (int at = 0; at < image.capacity(); at += 64) {
            if (image.get(at + 4) == kind && image.getInt(at) == entryCrc(image, at)) {
                last = at;
            }
        }
        assertTrue(last > 0, "no entry of kind " + kind);
        change.accept(image, last);
        image.putInt(last, entryCrc(image, last));
        poke(last, Arrays.copyOfRange(image.array(), last, last + 64));
    }

    private static int entryCrc(ByteBuffer image, int at) {
        CRC32C crc = new CRC32C();
        crc.update(image.array(), UUID_OFFSET, 16);
        crc.update(image.array(), at + 4, 60);
        return (int) crc.getValue();
    }

    /** In a pool that was closed in order, so that opening it reads no logs. */
    @Test
    void sizesThatDoNotFollowEachOther() throws IOException {
        Map<Integer, Forged> kinds = Map.of(
                1, new Forged(file -> file.write(0, new byte[10], 0, 10), 4096, "shorter"),
                8, new Forged(file -> file.punchHole(0, 4096), 4096, "hole"),
                9, new Forged(file -> file.collapseRange(0, 4096), 1L << 50, "collapse"),
                10, new Forged(file -> file.insertRange(0, 4096), 1L << 50, "insert"),
                11, new Forged(file -> file.allocate(20_000, 1, false), 4096, "shorter"));
        for (Map.Entry<Integer, Forged> kind : kinds.entrySet()) {
            Files.deleteIfExists(pool);
            make();
            Forged forged = kind.getValue();
            try (NovaStore store = pools.open("p");
                    NovaFile file = store.open("f", WRITE)) {
                forged.call.on(file);
            }
            pools.assertSound("p");
            forgeSize(kind.getKey(), forged.size);
            assertFalse(PoolInspector.check(pool).ok());
            try (NovaStore store = pools.open("p")) {
                CorruptPoolException thrown = assertThrows(CorruptPoolException.class, () -> store.stat("f"));
                assertTrue(thrown.getMessage().contains(forged.says), thrown.getMessage());
                thrown = assertThrows(
                        CorruptPoolException.class, () -> store.open("f", READ).close());
                assertTrue(thrown.getMessage().contains(forged.says), thrown.getMessage());
            }
        }
    }

    /** The same of a symbolic link, where nothing but its contents can tell. */
    @Test
    void targetsThatAreNone() throws IOException {
        for (long size : new long[] {0, 4096, 1L << 31, (1L << 32) + 6, 1L << 60}) {
            Files.deleteIfExists(pool);
            try (NovaStore store = pools.create("p", SIZE)) {
                store.createSymbolicLink("s", "target");
            }
            pools.assertSound("p");
            forge(1, (image, at) -> {
                image.putLong(at + 40, size);
                if (size == 0) {
                    image.putLong(at + 32, 0); // without a block
                }
            });
            assertFalse(PoolInspector.check(pool).ok());
            try (NovaStore store = pools.open("p")) {
                assertThrows(CorruptPoolException.class, () -> store.readSymbolicLink("s"));
                assertThrows(CorruptPoolException.class, () -> store.stat("s/f"));
                assertThrows(CorruptPoolException.class, () -> store.open("s", READ).close());
                store.delete("s");
            }
            if (size != 0) { // whose block the forgery has lost
                pools.assertSound("p");
            }
        }
    }

    /**
     * An entry that is forged.
     *
     * @param call that makes it
     * @param size it says then
     * @param says what the exception does
     */
    private record Forged(Call call, long size, String says) {}

    @FunctionalInterface
    private interface Call {
        void on(NovaFile file) throws IOException;
    }

    @Test
    void damageThatHasAReplicaIsRepaired() throws IOException {
        make();
        byte[] sound = Files.readAllBytes(pool);
        poke(60, new byte[] {~0}); // superblock
        poke(2 * 4096, new byte[] {1}); // journal
        CheckReport report = PoolInspector.repair(pool);
        assertTrue(report.ok() && report.clean());
        assertEquals(2, report.repaired());
        assertEquals(2, report.findings().size());
        assertTrue(report.findings().stream().allMatch(f -> f.severity() == CheckReport.Severity.REPAIRED));
        assertArrayEquals(sound, Files.readAllBytes(pool));
        poke(4096 + 30, new byte[] {~0}); // state
        report = PoolInspector.repair(pool);
        assertTrue(report.ok() && !report.clean());
        assertEquals(1, report.repaired());
        pools.assertSound("p");
        report = PoolInspector.repair(pool);
        assertEquals(0, report.repaired());
        try (NovaStore store = pools.open("p")) {
            assertEquals(10_000, store.stat("f").size());
        }
    }

    @Test
    void noDamageCrashes() throws IOException {
        make();
        byte[] image = Files.readAllBytes(pool);
        SplittableRandom random = new SplittableRandom(3);
        for (int i = 0; i < (TestPools.FULL ? 3000 : 150); i++) {
            try (FileChannel channel = FileChannel.open(pool, WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
                channel.write(ByteBuffer.wrap(image));
            }
            for (int k = random.nextInt(1, 4); k > 0; k--) {
                // Where the structures are: the first blocks, the last one, and wherever there is something.
                int at;
                do {
                    at = random.nextInt(image.length);
                } while (image[at] == 0 && random.nextInt(200) != 0);
                poke(at, new byte[] {(byte) random.nextInt(256)});
            }
            try {
                PoolInspector.check(pool);
                try (NovaStore store = pools.open("p")) {
                    for (String name : store.names()) {
                        try (NovaFile file = store.open(name, READ, WRITE)) {
                            byte[] bytes = new byte[20_000];
                            file.read(0, bytes, 0, bytes.length);
                            file.write(5000, bytes, 0, 5000);
                        }
                        store.delete(name);
                    }
                }
            } catch (IOException e) {
                assertNotNull(e.getMessage());
            }
        }
    }
}
