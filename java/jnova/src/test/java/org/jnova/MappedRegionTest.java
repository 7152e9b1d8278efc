/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.channels.FileChannel.MapMode.PRIVATE;
import static java.nio.channels.FileChannel.MapMode.READ_ONLY;
import static java.nio.channels.FileChannel.MapMode.READ_WRITE;
import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ReadOnlyBufferException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonReadableChannelException;
import java.nio.channels.NonWritableChannelException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** A file as memory: that it shows what calls have written, and calls what was stored; its edges and its end. */
class MappedRegionTest extends OneFile {
    MappedRegionTest() {
        super(64 * TestPools.MIB);
    }

    private static byte[] load(ByteBuffer buffer, int at, int length) {
        byte[] bytes = new byte[length];
        buffer.get(at, bytes);
        return bytes;
    }

    private static byte[] filled(int length, int value) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    // ---- one content

    @Test
    void storesAreRead() throws IOException {
        byte[] text = random(50_000);
        try (MappedRegion region = file.map(READ_WRITE, 0, 100_000)) {
            assertEquals(100_000, file.size());
            ByteBuffer buffer = region.buffer();
            assertArrayEquals(new byte[100_000], load(buffer, 0, 100_000));
            assertArrayEquals(new byte[100_000], read(0, 100_000));
            buffer.put(20_000, text);
            assertArrayEquals(text, read(20_000, 50_000));
            assertArrayEquals(new byte[20_000], read(0, 20_000));
            buffer.put(0, (byte) 1);
            assertEquals(1, read(0, 1)[0]);
            assertEquals(0, read(1, 1)[0]);
            region.force();
        }
        assertArrayEquals(text, read(20_000, 50_000));
    }

    @Test
    void writesAreLoaded() throws IOException {
        file.write(0, random(10_000), 0, 10_000);
        try (MappedRegion region = file.map(READ_WRITE, 0, 300_000)) {
            ByteBuffer buffer = region.buffer();
            assertArrayEquals(random(10_000), load(buffer, 0, 10_000));
            buffer.put(200_000, (byte) 9);
            for (int length : new int[] {1, 100, PAGE, 5_000, 100_000, 290_000}) {
                byte[] text = random(length);
                file.write(7, text, 0, length);
                assertArrayEquals(text, load(buffer, 7, length), "write of " + length);
                buffer.put(7 + length / 2, (byte) 77);
                text[length / 2] = 77;
                assertArrayEquals(text, read(7, length));
            }
            assertEquals(300_000, file.append(new byte[] {5}, 0, 1));
            assertArrayEquals(Arrays.copyOfRange(random(290_000), 199_993, 200_093), load(buffer, 200_000, 100));
        }
    }

    /** A hole that was looked at, and so shows a page of zeros, gets the bytes that are written to it. */
    @Test
    void writeReplacesAPageOfZeros() throws IOException {
        try (MappedRegion region = file.map(READ_WRITE, 0, 64 * PAGE)) {
            ByteBuffer buffer = region.buffer();
            assertEquals(0, buffer.get(3 * PAGE));
            file.write(3 * PAGE + 10, new byte[] {1, 2, 3}, 0, 3);
            assertArrayEquals(new byte[] {0, 1, 2, 3, 0}, load(buffer, 3 * PAGE + 9, 5));
            assertEquals(0, buffer.get(4 * PAGE));
            buffer.put(4 * PAGE, (byte) 8);
            assertEquals(8, read(4 * PAGE, 1)[0]);
        }
    }

    @Test
    void overlappingRegionsShowTheSame() throws IOException {
        file.setSize(40 * PAGE);
        try (MappedRegion one = file.map(READ_WRITE, 0, 30 * PAGE);
                MappedRegion two = file.map(READ_WRITE, 10 * PAGE, 30 * PAGE);
                MappedRegion three = file.map(READ_ONLY, 15 * PAGE + 100, 5 * PAGE)) {
            ByteBuffer a = one.buffer();
            ByteBuffer b = two.buffer();
            ByteBuffer c = three.buffer();
            assertEquals(0, c.getLong(0));
            assertEquals(0, b.getLong(5 * PAGE + 100));
            a.putLong(15 * PAGE + 100, 0x0123456789abcdefL);
            assertEquals(0x0123456789abcdefL, c.getLong(0));
            assertEquals(0x0123456789abcdefL, b.getLong(5 * PAGE + 100));
            b.putLong(5 * PAGE + 108, 42);
            assertEquals(42, a.getLong(15 * PAGE + 108));
            assertEquals(42, c.getLong(8));
            file.write(15 * PAGE, random(3 * PAGE), 0, 3 * PAGE);
            assertArrayEquals(random(3 * PAGE), load(a, 15 * PAGE, 3 * PAGE));
            assertArrayEquals(random(3 * PAGE), load(b, 5 * PAGE, 3 * PAGE));
            assertArrayEquals(
                    Arrays.copyOfRange(random(3 * PAGE), 100, 3 * PAGE), load(c, 0, 3 * PAGE - 100));
        }
    }

    @Test
    void rangesShowInTheRegion() throws IOException {
        byte[] text = random(16 * PAGE);
        file.write(0, text, 0, text.length);
        try (MappedRegion region = file.map(READ_WRITE, 0, 16 * PAGE)) {
            ByteBuffer buffer = region.buffer();
            region.load();
            file.punchHole(PAGE + 100, 2 * PAGE);
            Arrays.fill(text, PAGE + 100, 3 * PAGE + 100, (byte) 0);
            assertArrayEquals(text, load(buffer, 0, text.length));
            buffer.put(2 * PAGE, (byte) 1); // a hole again
            text[2 * PAGE] = 1;
            assertArrayEquals(text, read(0, text.length));

            file.collapseRange(4 * PAGE, 2 * PAGE);
            byte[] now = Arrays.copyOf(text, 14 * PAGE);
            System.arraycopy(text, 6 * PAGE, now, 4 * PAGE, 10 * PAGE);
            assertArrayEquals(now, load(buffer, 0, now.length));
            MemoryFault.assertThrown(() -> buffer.get(14 * PAGE));

            file.insertRange(PAGE, 2 * PAGE);
            byte[] then = Arrays.copyOf(now, 16 * PAGE);
            Arrays.fill(then, PAGE, 3 * PAGE, (byte) 0);
            System.arraycopy(now, PAGE, then, 3 * PAGE, 13 * PAGE);
            assertArrayEquals(then, load(buffer, 0, then.length));
            buffer.put(PAGE, (byte) 4);
            then[PAGE] = 4;
            assertArrayEquals(then, read(0, then.length));

            file.punchHole(8 * PAGE, 4 * PAGE);
            buffer.put(9 * PAGE, (byte) 6);
            file.allocate(8 * PAGE, 4 * PAGE, true); // around what the store has just filled
            Arrays.fill(then, 8 * PAGE, 12 * PAGE, (byte) 0);
            then[9 * PAGE] = 6;
            buffer.put(11 * PAGE, (byte) 7);
            then[11 * PAGE] = 7;
            assertArrayEquals(then, read(0, then.length));
            assertArrayEquals(then, load(buffer, 0, then.length));
        }
    }

    /** Skips a test of what eager regions do not do, where there are no others. */
    private void assumeLazyRegions() throws IOException {
        try (NovaFile other = store.open("other", CREATE, READ, WRITE);
                MappedRegion region = other.map(READ_WRITE, 0, PAGE)) {
            assumeTrue(region.status().lazy(), "this process may not use userfaultfd");
        }
    }

    @Test
    void dataAndHolesFollowStores() throws IOException {
        assumeLazyRegions();
        try (MappedRegion region = file.map(READ_WRITE, 0, 1000 * PAGE)) {
            assertEquals(-1, file.nextData(0));
            assertEquals(0, file.info().allocated());
            region.buffer().put(600 * PAGE, (byte) 1);
            assertEquals(600 * PAGE, file.nextData(0));
            assertEquals(0, file.nextHole(0));
            assertTrue(file.info().allocated() >= PAGE);
            region.buffer().put(900 * PAGE, (byte) 1);
            assertTrue(store.stat("f").allocated() >= 2 * PAGE);
        }
    }

    @Test
    void copyTakesWhatWasStored() throws IOException {
        try (NovaFile other = store.open("g", CREATE, READ, WRITE);
                MappedRegion from = file.map(READ_WRITE, 0, 20 * PAGE);
                MappedRegion to = other.map(READ_WRITE, 0, 20 * PAGE)) {
            from.buffer().put(5 * PAGE + 9, random(PAGE));
            to.buffer().put(1, (byte) 1);
            assertEquals(20 * PAGE, file.copyRange(0, other, 0, 20 * PAGE));
            assertArrayEquals(load(from.buffer(), 0, 20 * PAGE), load(to.buffer(), 0, 20 * PAGE));
            to.buffer().put(0, (byte) 7);
            assertEquals(PAGE, other.copyRange(0, file, 19 * PAGE, PAGE)); // the other order of locks
            assertEquals(7, from.buffer().get(19 * PAGE));
            assertEquals(PAGE, file.copyRange(5 * PAGE + 9, file, 9 * PAGE, PAGE));
            assertArrayEquals(random(PAGE), load(from.buffer(), 9 * PAGE, PAGE));
        }
    }

    // ---- edges

    @Test
    void anyPositionAndLength() throws IOException {
        file.write(0, random(5 * PAGE), 0, 5 * PAGE);
        for (int position : new int[] {0, 1, 100, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE + 77}) {
            for (int length : new int[] {1, 2, 100, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE + 5}) {
                try (MappedRegion region = file.map(READ_ONLY, position, length)) {
                    assertEquals(length, region.size());
                    assertEquals(position, region.position());
                    ByteBuffer buffer = region.buffer();
                    assertEquals(length, buffer.remaining());
                    assertEquals(ByteOrder.BIG_ENDIAN, buffer.order());
                    assertEquals(ByteBuffer.wrap(random(5 * PAGE), position, length), buffer);
                    assertEquals(buffer.slice(length / 2, length - length / 2),
                            region.buffer(length / 2, length - length / 2));
                    assertEquals(0, region.buffer(length, 0).remaining());
                    assertThrows(IndexOutOfBoundsException.class, () -> region.buffer(1, length));
                    assertThrows(IndexOutOfBoundsException.class, () -> region.force(1, length));
                }
            }
        }
    }

    @Test
    void regionsBeyondTwoGiB() throws IOException {
        assumeLazyRegions();
        long gib = 1L << 30;
        try (MappedRegion region = file.map(READ_WRITE, 3, 5 * gib)) {
            assertEquals(5 * gib + 3, file.size());
            assertThrows(UnsupportedOperationException.class, region::buffer);
            long[] places = {0, gib - 12, gib - 3, 2 * gib - 4, 3 * gib, 5 * gib - 8};
            for (long at : places) {
                region.buffer(at, 8).putLong(0, at + 1);
            }
            for (long at : places) {
                assertEquals(at + 1, ByteBuffer.wrap(read(at + 3, 8)).getLong());
            }
            ByteBuffer longest = region.buffer(gib - 3, Integer.MAX_VALUE);
            assertEquals(gib - 2, longest.getLong(0));
            assertEquals(2 * gib - 3, longest.getLong((int) gib - 1));
            assertEquals(3 * gib + 1, region.buffer(3 * gib - 100, Integer.MAX_VALUE).getLong(100));
            region.force();
        }
    }

    @Test
    void modes() throws IOException {
        file.write(0, random(PAGE), 0, PAGE);
        assertThrows(UnsupportedOperationException.class, () -> file.map(PRIVATE, 0, PAGE));
        assertThrows(IOException.class, () -> file.map(READ_ONLY, 1, PAGE));
        assertThrows(IllegalArgumentException.class, () -> file.map(READ_ONLY, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> file.map(READ_ONLY, -1, 1));
        assertThrows(IllegalArgumentException.class, () -> file.map(READ_ONLY, 0, Long.MAX_VALUE));
        assertEquals(PAGE, file.size());
        try (NovaFile reader = store.open("f", READ);
                NovaFile writer = store.open("f", WRITE)) {
            assertThrows(NonWritableChannelException.class, () -> reader.map(READ_WRITE, 0, PAGE));
            assertThrows(NonReadableChannelException.class, () -> writer.map(READ_WRITE, 0, PAGE));
            try (MappedRegion region = reader.map(READ_ONLY, 0, PAGE)) {
                assertTrue(region.isReadOnly());
                assertThrows(ReadOnlyBufferException.class, () -> region.buffer().put(0, (byte) 1));
                assertThrows(NonWritableChannelException.class, () -> region.allocate(0, PAGE));
                region.load();
                region.force();
                writer.write(0, new byte[] {1}, 0, 1);
                assertEquals(1, region.buffer().get(0));
            }
        }
        file.close();
        assertThrows(ClosedChannelException.class, () -> file.map(READ_ONLY, 0, PAGE));
    }

    @Test
    void beyondTheEndIsAnError() throws IOException {
        try (MappedRegion region = file.map(READ_WRITE, 0, 10 * PAGE)) {
            ByteBuffer buffer = region.buffer();
            for (int i = 0; i < 10; i++) {
                buffer.put(i * PAGE, (byte) (i + 1));
            }
            file.truncate(4 * PAGE + 5);
            assertEquals(5, buffer.get(4 * PAGE));
            MemoryFault.assertThrown(() -> buffer.get(5 * PAGE));
            MemoryFault.assertThrown(() -> buffer.put(9 * PAGE, (byte) 1));
            MemoryFault.assertThrown(() -> load(buffer, 0, 10 * PAGE));
            file.setSize(8 * PAGE);
            assertArrayEquals(new byte[PAGE - 5], load(buffer, 4 * PAGE + 5, PAGE - 5));
            assertArrayEquals(new byte[3 * PAGE], load(buffer, 5 * PAGE, 3 * PAGE));
            buffer.put(7 * PAGE, (byte) 70);
            assertEquals(70, read(7 * PAGE, 1)[0]);
            MemoryFault.assertThrown(() -> buffer.get(8 * PAGE));
            file.append(new byte[] {3}, 0, 1);
            assertEquals(3, buffer.get(8 * PAGE));
        }
    }

    /** What is one hole may be several mappings to the kernel. */
    @Test
    void holeOfSeveralMappings() throws IOException {
        file.write(8 * PAGE, random(8 * PAGE), 0, 8 * PAGE);
        try (MappedRegion region = file.map(READ_WRITE, 0, 64 * PAGE)) {
            ByteBuffer buffer = region.buffer();
            assertEquals(0, buffer.get(7 * PAGE));
            assertEquals(0, buffer.get(32 * PAGE));
            file.punchHole(8 * PAGE, 8 * PAGE);
            assertArrayEquals(new byte[24 * PAGE], load(buffer, 8 * PAGE, 24 * PAGE));
        }
    }

    // ---- force, load, allocate, status

    @Test
    void stateAfterReopening() throws IOException {
        try (MappedRegion region = file.map(READ_WRITE, 100, 50 * PAGE)) {
            region.buffer().put(10 * PAGE, random(3 * PAGE));
            region.force(10 * PAGE, 3 * PAGE);
        }
        store.close();
        pools.assertSound("p");
        store = pools.open("p");
        file = store.open("f", READ, WRITE);
        assertArrayEquals(random(3 * PAGE), read(10 * PAGE + 100, 3 * PAGE));
        assertEquals(50 * PAGE + 100, file.size());
    }

    @Test
    void allocateGivesBlocksAndStatusCounts() throws IOException {
        assumeLazyRegions();
        try (MappedRegion region = file.map(READ_WRITE, 0, 100 * PAGE)) {
            MappedRegion.Status before = region.status();
            assertEquals(0, before.pagesAllocated());
            assertEquals(0, before.pagesMapped());
            assertTrue(before.mappingsMax() > before.mappingsInUse());
            region.load();
            assertEquals(0, file.info().allocated());
            region.allocate(10 * PAGE, 20 * PAGE);
            assertEquals(20 * PAGE, file.info().allocated());
            assertEquals(20, region.status().pagesMapped());
            region.buffer().put(50 * PAGE, (byte) 1);
            MappedRegion.Status after = region.status();
            if (after.lazy()) {
                assertTrue(after.faults() > 0);
                assertTrue(after.pagesAllocated() > 0);
                assertTrue(after.fault99().toNanos() > 0);
                assertTrue(after.longestFault().compareTo(after.fault99()) >= 0);
            }
            assertFalse(after.inPlace() && after.lazy());
        }
    }

    @Test
    void eagerRegionsHaveAllBlocks() throws IOException {
        try (MappedRegion region = file.map(READ_WRITE, 0, 50 * PAGE, MapOption.EAGER)) {
            assertFalse(region.status().lazy());
            assertTrue(region.status().inPlace());
            assertEquals(50 * PAGE, file.info().allocated());
            ByteBuffer buffer = region.buffer();
            buffer.put(7 * PAGE, random(PAGE));
            assertArrayEquals(random(PAGE), read(7 * PAGE, PAGE));
            file.write(6 * PAGE + 5, random(3 * PAGE), 0, 3 * PAGE);
            assertArrayEquals(random(3 * PAGE), load(buffer, 6 * PAGE + 5, 3 * PAGE));
            assertEquals(0, region.status().faults());
            file.punchHole(0, 10 * PAGE);
            assertArrayEquals(new byte[10 * PAGE], load(buffer, 0, 10 * PAGE));
            buffer.put(9 * PAGE, (byte) 2);
            assertEquals(2, read(9 * PAGE, 1)[0]);
            file.truncate(PAGE);
            MemoryFault.assertThrown(() -> buffer.put(PAGE, (byte) 1));
            file.setSize(10 * PAGE);
            buffer.put(8 * PAGE, (byte) 3);
            assertEquals(3, read(8 * PAGE, 1)[0]);
        }
        assertThrows(NoSpaceException.class, () -> file.map(READ_WRITE, 0, 1L << 30, MapOption.EAGER));
    }

    @Test
    void writesInPlaceKeepTheBlocks() throws IOException {
        assumeLazyRegions();
        try (MappedRegion region = file.map(READ_WRITE, 0, 50 * PAGE)) {
            ByteBuffer buffer = region.buffer();
            region.allocate(0, 50 * PAGE);
            file.setInPlace(true);
            assertTrue(region.status().inPlace());
            long free = store.info().freeBytes();
            for (int i = 0; i < 10; i++) {
                file.write(3 * PAGE + i, random(20 * PAGE), 0, 20 * PAGE);
                assertArrayEquals(random(20 * PAGE), load(buffer, 3 * PAGE + i, 20 * PAGE));
                assertArrayEquals(random(20 * PAGE), read(3 * PAGE + i, 20 * PAGE));
            }
            assertTrue(store.info().freeBytes() >= free - 2 * PAGE, "but for the log");
            file.setInPlace(false);
            assertFalse(region.status().inPlace());
            file.write(0, random(PAGE), 0, PAGE);
            assertArrayEquals(random(PAGE), load(buffer, 0, PAGE));
        }
    }

    @Test
    void inPlaceByOption() throws IOException {
        store.close();
        store = NovaStore.open(
                pools.path("p"), StoreOptions.builder().emulated(true).inPlaceWrites(true).build());
        file = store.open("f", READ, WRITE);
        try (MappedRegion region = file.map(READ_WRITE, 0, PAGE)) {
            assertTrue(region.status().inPlace());
        }
    }

    // ---- the end

    private void assertGone(MappedRegion region, ByteBuffer buffer) {
        assertFalse(region.isOpen());
        MemoryFault.assertThrown(() -> buffer.get(0));
        MemoryFault.assertThrown(() -> buffer.put(PAGE, (byte) 1));
        MemoryFault.assertThrown(() -> load(buffer, 0, 2 * PAGE));
        assertThrows(ClosedChannelException.class, region::force);
        assertThrows(ClosedChannelException.class, region::load);
        assertThrows(ClosedChannelException.class, () -> region.allocate(0, 1));
        assertTrue(region.status().faults() >= 0);
        assertTrue(region.toString().contains("f"));
    }

    @Test
    void closedRegion() throws IOException {
        MappedRegion region = file.map(READ_WRITE, 0, 10 * PAGE);
        MappedRegion other = file.map(READ_WRITE, 0, 10 * PAGE);
        ByteBuffer buffer = region.buffer();
        buffer.put(0, (byte) 1);
        region.close();
        region.close();
        assertGone(region, buffer);
        assertEquals(1, other.buffer().get(0));
        other.close();
        MappedRegion unused = file.map(READ_WRITE, 0, PAGE);
        unused.close();
        assertThrows(IllegalStateException.class, unused::buffer);
        assertEquals(1, read(0, 1)[0]);
    }

    @Test
    void closedStore() throws IOException {
        MappedRegion region = file.map(READ_WRITE, 0, 10 * PAGE);
        ByteBuffer buffer = region.buffer();
        buffer.put(0, (byte) 1);
        file.close();
        assertEquals(1, buffer.get(0));
        assertTrue(region.isOpen());
        store.close();
        assertGone(region, buffer);
        region.close();
        store = pools.open("p");
        file = store.open("f", READ, WRITE);
        assertEquals(1, read(0, 1)[0]);
        MemoryFault.assertThrown(() -> buffer.get(0));
    }

    @Test
    void deletedWhileMapped() throws IOException {
        long free = store.info().freeBytes();
        MappedRegion region = file.map(READ_WRITE, 0, 100 * PAGE);
        ByteBuffer buffer = region.buffer();
        buffer.put(0, random(50 * PAGE));
        file.close();
        store.delete("f");
        assertArrayEquals(random(50 * PAGE), load(buffer, 0, 50 * PAGE));
        buffer.put(90 * PAGE, (byte) 1);
        region.force();
        assertTrue(store.info().freeBytes() < free - 50 * PAGE);
        region.close();
        assertTrue(store.info().freeBytes() >= free, "the region was the last handle");
        MemoryFault.assertThrown(() -> buffer.get(0));
    }

    @Test
    void replacedWhileMapped() throws IOException {
        try (MappedRegion region = file.map(READ_WRITE, 0, 2 * PAGE);
                NovaFile other = store.open("g", CREATE, READ, WRITE)) {
            other.write(0, filled(100, 5), 0, 100);
            region.buffer().put(0, (byte) 1);
            store.rename("g", "f", REPLACE_EXISTING);
            assertEquals(1, region.buffer().get(0));
            assertEquals(1, read(0, 1)[0]);
            region.buffer().put(PAGE, (byte) 2);
            store.createLink("h", "f");
            store.delete("f");
            try (NovaFile now = store.open("h", READ)) {
                assertEquals(100, now.size());
            }
        }
    }

    /** Faults may come between the last look at a log and the entry about a name. */
    @Test
    void linkedAndUnlinkedWhileMapped() throws IOException {
        try (MappedRegion region = file.map(READ_WRITE, 0, 1000 * PAGE)) {
            ByteBuffer buffer = region.buffer();
            for (int i = 0; i < 50; i++) {
                buffer.put(i * 20 * PAGE, (byte) i);
                store.createLink("g" + i, "f");
                buffer.put(i * 20 * PAGE + 10 * PAGE, (byte) -i);
                assertEquals(i + 2, store.stat("f").nlink());
                assertEquals(i, read(i * 20 * PAGE, 1)[0]);
                assertEquals(-i, read(i * 20 * PAGE + 10 * PAGE, 1)[0]);
                file.setAttribute("a" + i, filled(3000, i));
            }
            for (int i = 0; i < 50; i++) {
                file.punchHole(i * 20 * PAGE, 20 * PAGE);
                buffer.put(i * 20 * PAGE, (byte) i);
                store.delete("g" + i);
                assertEquals(i, read(i * 20 * PAGE, 1)[0]);
                assertArrayEquals(filled(3000, i), file.getAttribute("a" + i));
            }
        }
    }
}
