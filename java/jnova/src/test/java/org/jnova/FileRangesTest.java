/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonReadableChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.FileSystemException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Ranges of one file: each operation, at and around the edges. */
class FileRangesTest extends OneFile {
    FileRangesTest() {
        super(16 * TestPools.MIB);
    }

    /** The log has a page of its own, so that what follows takes none. */
    private void useLogPage() throws IOException {
        for (int i = 0; i < 10; i++) {
            file.setSize(1 + i % 2);
        }
        file.setSize(0);
    }

    private static byte[] all(NovaFile from) throws IOException {
        byte[] bytes = new byte[(int) from.size()];
        if (bytes.length > 0) {
            assertEquals(bytes.length, from.read(0, bytes, 0, bytes.length));
        }
        return bytes;
    }

    private void reopen() throws IOException {
        store.close();
        store = pools.open("p");
        file = store.open("f", READ, WRITE);
    }

    private long free() throws IOException {
        return store.info().blocksFree();
    }

    /** Whether each page has a block. */
    private static String blocks(NovaFile of, int pages) throws IOException {
        StringBuilder text = new StringBuilder();
        for (int page = 0; page < pages; page++) {
            text.append(of.nextData((long) page * PAGE) == (long) page * PAGE ? 'x' : '.');
        }
        return text.toString();
    }

    @Test
    void copiesKeepHoles() throws IOException {
        file.setSize(10 * PAGE);
        file.write(2 * PAGE, random(2 * PAGE), 0, 2 * PAGE);
        file.write(7 * PAGE, random(PAGE), 0, PAGE);
        assertEquals("..xx...x..", blocks(file, 10));
        try (NovaFile other = store.open("other", CREATE, READ, WRITE)) {
            byte[] bytes = random(10 * PAGE);
            other.write(0, bytes, 0, bytes.length);
            assertEquals(10 * PAGE, file.copyRange(0, other, 0, 20 * PAGE));
            assertEquals("..xx...x..", blocks(other, 10));
            assertArrayEquals(all(file), all(other));
            assertEquals(3 * PAGE, other.info().allocated());
            other.truncate(0);
            assertEquals(10 * PAGE - 100, file.copyRange(0, other, 50, 10 * PAGE - 100)); // at another place in its page
            assertEquals("x.xxx..xx.", blocks(other, 10));
            byte[] expected = new byte[10 * PAGE - 50];
            System.arraycopy(all(file), 0, expected, 50, 10 * PAGE - 100);
            assertArrayEquals(expected, all(other));
            other.write(0, bytes, 0, bytes.length);
            assertEquals(PAGE + 10, file.copyRange(5 * PAGE, other, 4 * PAGE, PAGE + 10)); // keeps the rest of a page
            assertEquals("xxxx.xxxxx", blocks(other, 10));
            Arrays.fill(bytes, 4 * PAGE, 5 * PAGE + 10, (byte) 0);
            assertArrayEquals(bytes, all(other));
            assertEquals(3 * PAGE, file.copyRange(4 * PAGE, file, PAGE, 3 * PAGE)); // within itself
            assertEquals(".......x..", blocks(file, 10));
        }
    }

    @Test
    void holesReadAsZerosAndGivePagesBack() throws IOException {
        useLogPage();
        byte[] bytes = random(10 * PAGE + 100);
        file.write(0, bytes, 0, bytes.length);
        long before = free();
        file.punchHole(PAGE - 10, 3 * PAGE + 20); // three whole pages, and edges in two
        Arrays.fill(bytes, PAGE - 10, 4 * PAGE + 10, (byte) 0);
        assertArrayEquals(bytes, all(file));
        assertEquals(before + 3, free());
        assertEquals(8 * PAGE, file.info().allocated());
        file.zeroRange(10 * PAGE, 1000); // the last page, to beyond the end
        Arrays.fill(bytes, 10 * PAGE, bytes.length, (byte) 0);
        assertArrayEquals(bytes, all(file));
        assertEquals(before + 4, free());
        file.punchHole(5, 0);
        file.punchHole(1L << 40, 1L << 40);
        reopen();
        assertArrayEquals(bytes, all(file));
        assertEquals(7 * PAGE, file.info().allocated());
        file.punchHole(0, 1L << 50);
        assertEquals(0, file.info().allocated());
        assertEquals(bytes.length, file.size());
        assertArrayEquals(new byte[bytes.length], all(file));
    }

    @Test
    void collapseAndInsertShift() throws IOException {
        useLogPage();
        byte[] bytes = random(8 * PAGE + 77);
        file.write(0, bytes, 0, bytes.length);
        long before = free();
        file.collapseRange(2 * PAGE, 3 * PAGE);
        byte[] expected = new byte[5 * PAGE + 77];
        System.arraycopy(bytes, 0, expected, 0, 2 * PAGE);
        System.arraycopy(bytes, 5 * PAGE, expected, 2 * PAGE, 3 * PAGE + 77);
        assertArrayEquals(expected, all(file));
        assertEquals(before + 3, free());
        file.insertRange(PAGE, 2 * PAGE);
        byte[] wider = new byte[7 * PAGE + 77];
        System.arraycopy(expected, 0, wider, 0, PAGE);
        System.arraycopy(expected, PAGE, wider, 3 * PAGE, 4 * PAGE + 77);
        assertArrayEquals(wider, all(file));
        assertEquals(6 * PAGE, file.info().allocated());
        reopen();
        assertArrayEquals(wider, all(file));
        file.append(new byte[] {1}, 0, 1); // within the block that moved with the end
        byte[] longer = Arrays.copyOf(wider, wider.length + 1);
        longer[wider.length] = 1;
        assertArrayEquals(longer, all(file));
        file.insertRange(0, 1L << 50);
        assertEquals((1L << 50) + longer.length, file.size());
        file.collapseRange(0, 1L << 50);
        assertArrayEquals(longer, all(file));
    }

    @Test
    void allocatedSpaceIsTheFilesAndReadsAsZeros() throws IOException {
        useLogPage();
        byte[] bytes = random(100);
        file.write(3 * PAGE, bytes, 0, 100);
        long before = free();
        file.allocate(10, 6 * PAGE, true); // pages 0 to 6, of which one is there
        assertEquals(before - 6, free());
        assertEquals(3 * PAGE + 100, file.size());
        assertEquals(7 * PAGE, file.info().allocated());
        byte[] expected = new byte[3 * PAGE + 100];
        System.arraycopy(bytes, 0, expected, 3 * PAGE, 100);
        assertArrayEquals(expected, all(file));
        file.allocate(PAGE, 6 * PAGE, false);
        assertEquals(7 * PAGE, file.size());
        assertEquals(before - 6, free());
        assertArrayEquals(Arrays.copyOf(expected, 7 * PAGE), all(file));
        file.allocate(20 * PAGE, 1, true);
        reopen();
        assertEquals(8 * PAGE, file.info().allocated());
        file.write(20 * PAGE + 5, bytes, 0, 100); // on the page beyond the end
        expected = Arrays.copyOf(expected, 20 * PAGE + 105);
        System.arraycopy(bytes, 0, expected, 20 * PAGE + 5, 100);
        assertArrayEquals(expected, all(file));
        assertEquals(8 * PAGE, file.info().allocated());
        file.truncate(0);
        assertEquals(0, file.info().allocated());
    }

    @Test
    void allocateIsWholeOrNotAtAll() throws IOException {
        file.write(PAGE, random(10), 0, 10);
        long before = free();
        assertThrows(NoSpaceException.class, () -> file.allocate(0, 64 * TestPools.MIB, false));
        assertThrows(NoSpaceException.class, () -> file.allocate(0, 1L << 60, true));
        assertThrows(FileSystemException.class, () -> file.allocate(1, 1L << 60, true));
        assertEquals(before, free());
        assertEquals(PAGE + 10, file.size());
    }

    @Test
    void seeking() throws IOException {
        assertEquals(-1, file.nextData(0));
        assertEquals(-1, file.nextHole(0));
        file.write(2 * PAGE + 5, random(PAGE), 0, PAGE); // pages 2 and 3
        file.write(600L * PAGE, random(3), 0, 3);
        long size = 600L * PAGE + 3;
        assertEquals(2 * PAGE, file.nextData(0));
        assertEquals(2 * PAGE + 1, file.nextData(2 * PAGE + 1));
        assertEquals(600L * PAGE, file.nextData(4 * PAGE));
        assertEquals(size - 1, file.nextData(size - 1));
        assertEquals(-1, file.nextData(size));
        assertEquals(7, file.nextHole(7));
        assertEquals(4 * PAGE, file.nextHole(2 * PAGE + 1));
        assertEquals(size, file.nextHole(600L * PAGE));
        assertEquals(-1, file.nextHole(size));
        file.setSize(700L * PAGE);
        assertEquals(-1, file.nextData(601L * PAGE));
        assertEquals(601L * PAGE, file.nextHole(600L * PAGE + 1));
        file.allocate(800L * PAGE, 1, true);
        assertEquals(-1, file.nextData(601L * PAGE), "beyond the end");
        file.allocate(650L * PAGE, 1, true);
        assertEquals(650L * PAGE, file.nextData(601L * PAGE));
    }

    @Test
    void copies() throws IOException {
        byte[] bytes = random(400_000); // beyond one piece of staging memory
        file.write(0, bytes, 0, bytes.length);
        file.punchHole(100_000, 100_000);
        Arrays.fill(bytes, 100_000, 200_000, (byte) 0);
        try (NovaFile other = store.open("g", CREATE, READ, WRITE)) {
            assertEquals(bytes.length - 7, file.copyRange(7, other, 5_000, Long.MAX_VALUE - 7));
            byte[] expected = new byte[5_000 + bytes.length - 7];
            System.arraycopy(bytes, 7, expected, 5_000, bytes.length - 7);
            assertArrayEquals(expected, all(other));
            assertEquals(1_000, other.copyRange(5_000, file, 0, 1_000)); // against the order of numbers
            System.arraycopy(expected, 5_000, bytes, 0, 1_000);
            assertArrayEquals(bytes, all(file));
            assertEquals(0, file.copyRange(bytes.length, other, 0, 10));
            assertEquals(0, file.copyRange(0, other, 0, 0));
            assertArrayEquals(expected, all(other));
        }
        for (int shift : new int[] {1, -1, PAGE, 4 * PAGE + 1, -3 * PAGE}) {
            int from = Math.max(0, -shift) + 10;
            int length = 300_000;
            assertEquals(length, file.copyRange(from, file, from + shift, length));
            System.arraycopy(bytes, from, bytes, from + shift, length);
            assertArrayEquals(bytes, all(file));
        }
        long size = file.size();
        assertEquals(size, file.copyRange(0, file, size, size)); // doubles it
        byte[] twice = Arrays.copyOf(bytes, 2 * bytes.length);
        System.arraycopy(bytes, 0, twice, bytes.length, bytes.length);
        assertArrayEquals(twice, all(file));
        reopen();
        assertArrayEquals(twice, all(file));
    }

    @Test
    void copyBetweenStoresIsRefused() throws IOException {
        file.write(0, random(10), 0, 10);
        try (NovaStore another = pools.create("q", TestPools.MIB);
                NovaFile target = another.open("f", CREATE, WRITE)) {
            assertThrows(IllegalArgumentException.class, () -> file.copyRange(0, target, 0, 10));
        }
    }

    @Test
    void wrongArguments() throws IOException {
        file.write(0, random(5 * PAGE), 0, 5 * PAGE);
        assertThrows(IllegalArgumentException.class, () -> file.punchHole(-1, 1));
        assertThrows(IllegalArgumentException.class, () -> file.punchHole(1, -1));
        assertThrows(IllegalArgumentException.class, () -> file.collapseRange(1, PAGE));
        assertThrows(IllegalArgumentException.class, () -> file.collapseRange(PAGE, 4 * PAGE));
        assertThrows(IllegalArgumentException.class, () -> file.insertRange(PAGE, PAGE + 1));
        assertThrows(IllegalArgumentException.class, () -> file.insertRange(5 * PAGE, PAGE));
        assertThrows(IllegalArgumentException.class, () -> file.nextData(-1));
        assertThrows(IllegalArgumentException.class, () -> file.copyRange(0, file, -1, 1));
        assertThrows(FileSystemException.class, () -> file.insertRange(0, 1L << 60));
        assertThrows(FileSystemException.class, () -> file.punchHole(1, 1L << 60));
        assertThrows(FileSystemException.class, () -> file.copyRange(0, file, (1L << 60) - 1, 2));
        NovaFile reader = store.open("f", READ);
        assertThrows(NonWritableChannelException.class, () -> reader.punchHole(0, 1));
        assertThrows(NonWritableChannelException.class, () -> file.copyRange(0, reader, 0, 1));
        assertThrows(NonReadableChannelException.class, () -> store.open("f", WRITE).nextHole(0));
        reader.close();
        assertThrows(ClosedChannelException.class, () -> reader.nextData(0));
        assertArrayEquals(random(5 * PAGE), all(file));
    }
}
