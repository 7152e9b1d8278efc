/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.NonReadableChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.FileSystemException;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Contents of one file: every form of reading and writing, at and around the edges. */
class NovaFileTest extends OneFile {
    NovaFileTest() {
        super(64 * TestPools.MIB);
    }

    private static ByteBuffer direct(byte[] bytes) {
        return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    }

    private byte[] all() throws IOException {
        byte[] bytes = new byte[(int) file.size()];
        if (bytes.length > 0) {
            assertEquals(bytes.length, file.read(0, bytes, 0, bytes.length));
        }
        return bytes;
    }

    @Test
    void everyFormOfWriting() throws IOException {
        byte[] text = random(10_000);
        byte[] expected = new byte[60_000];
        ByteBuffer heap = ByteBuffer.wrap(text).position(1).limit(9_001);
        assertEquals(9_000, file.write(0, heap));
        assertEquals(9_001, heap.position());
        System.arraycopy(text, 1, expected, 0, 9_000);
        ByteBuffer direct = direct(text).position(2);
        assertEquals(9_998, file.write(10_000, direct));
        assertEquals(0, direct.remaining());
        System.arraycopy(text, 2, expected, 10_000, 9_998);
        assertEquals(100, file.write(20_000, text, 3, 100));
        System.arraycopy(text, 3, expected, 20_000, 100);
        ByteBuffer slice = direct(text).position(4_000).slice().asReadOnlyBuffer();
        assertEquals(6_000, file.write(30_000, slice));
        System.arraycopy(text, 4_000, expected, 30_000, 6_000);
        ByteBuffer[] many = {ByteBuffer.allocate(0), direct(text), ByteBuffer.wrap(text), direct(text), null};
        assertEquals(20_000, file.write(40_000, many, 1, 2));
        assertEquals(0, many[1].remaining() + many[2].remaining());
        System.arraycopy(text, 0, expected, 40_000, 10_000);
        System.arraycopy(text, 0, expected, 50_000, 10_000);
        assertArrayEquals(expected, all());
    }

    @Test
    void everyFormOfAppending() throws IOException {
        byte[] text = random(5_000);
        assertEquals(0, file.append(text, 0, 5_000));
        assertEquals(5_000, file.append(ByteBuffer.wrap(text)));
        assertEquals(10_000, file.append(direct(text)));
        assertEquals(15_000, file.append(new ByteBuffer[] {direct(text), ByteBuffer.wrap(text)}, 0, 2));
        assertEquals(25_000, file.append(ByteBuffer.allocate(0)));
        assertEquals(25_000, file.append(text, 7, 0));
        assertEquals(25_000, file.append(new ByteBuffer[0], 0, 0));
        byte[] all = all();
        assertEquals(25_000, all.length);
        for (int i = 0; i < 5; i++) {
            assertArrayEquals(text, Arrays.copyOfRange(all, i * 5_000, (i + 1) * 5_000));
        }
    }

    @Test
    void everyFormOfReading() throws IOException {
        byte[] text = random(10_000);
        file.write(0, text, 0, text.length);
        ByteBuffer heap = ByteBuffer.allocate(3_000).position(10).limit(2_010);
        assertEquals(2_000, file.read(5_000, heap));
        assertEquals(2_010, heap.position());
        assertEquals(ByteBuffer.wrap(text, 5_000, 2_000), heap.flip().position(10));
        ByteBuffer direct = ByteBuffer.allocateDirect(20_000);
        assertEquals(10_000, file.read(0, direct));
        assertEquals(ByteBuffer.wrap(text), direct.flip());
        byte[] array = new byte[100];
        assertEquals(50, file.read(9_950, array, 20, 80));
        assertEquals(ByteBuffer.wrap(text, 9_950, 50), ByteBuffer.wrap(array, 20, 50));
        assertEquals(-1, file.read(10_000, array, 0, 100));
        assertEquals(-1, file.read(Long.MAX_VALUE, array, 0, 100));
        assertEquals(-1, file.read(10_000, direct.clear()));
        assertEquals(0, direct.position());
        assertEquals(0, file.read(0, array, 100, 0));
        assertEquals(0, file.read(20_000, ByteBuffer.allocate(0)));
    }

    @Test
    void writesOfManySizesAroundStagingAndPages() throws IOException {
        int stage = 1 << 18;
        for (int length : new int[] {1, 4095, 4096, 4097, stage - 1, stage, stage + 1, 3 * stage + 17, 5_000_000}) {
            for (int at : new int[] {0, 1, 4095}) {
                byte[] text = random(length);
                file.setSize(0);
                file.write(at, text, 0, length);
                assertArrayEquals(text, Arrays.copyOfRange(all(), at, at + length), "array " + length);
                file.setSize(0);
                file.write(at, ByteBuffer.wrap(text));
                assertArrayEquals(text, Arrays.copyOfRange(all(), at, at + length), "heap " + length);
                file.setSize(0);
                file.write(at, direct(text));
                assertArrayEquals(text, Arrays.copyOfRange(all(), at, at + length), "direct " + length);
                file.setSize(0);
                int half = length / 2;
                ByteBuffer[] halves = {direct(text).limit(half), ByteBuffer.wrap(text, half, length - half)};
                file.write(at, halves, 0, 2);
                assertArrayEquals(text, Arrays.copyOfRange(all(), at, at + length), "gather " + length);
            }
        }
    }

    @Test
    void holesReadAsZeros() throws IOException {
        file.write(1_000_000, new byte[] {5}, 0, 1);
        byte[] expected = new byte[1_000_001];
        expected[1_000_000] = 5;
        assertArrayEquals(expected, all());
        assertTrue(file.info().allocated() <= 8192);
        long far = 1L << 50;
        file.write(far, new byte[] {6}, 0, 1);
        byte[] three = {9, 9, 9};
        assertEquals(3, file.read(far - 2, three, 0, 3));
        assertArrayEquals(new byte[] {0, 0, 6}, three);
        assertEquals(far + 1, file.size());
    }

    @Test
    void sizeGoesBothWays() throws IOException {
        byte[] text = random(9_000);
        file.write(0, text, 0, 9_000);
        file.truncate(20_000);
        assertEquals(9_000, file.size(), "truncate only shrinks");
        file.truncate(5_000);
        assertEquals(5_000, file.size());
        file.setSize(9_000);
        byte[] expected = Arrays.copyOf(Arrays.copyOf(text, 5_000), 9_000);
        assertArrayEquals(expected, all());
        file.setSize(9_000);
        file.setSize(NovaFile.SIZE_MAX);
        assertEquals(NovaFile.SIZE_MAX, file.size());
        file.setSize(0);
        assertEquals(0, all().length);
        assertEquals(0, file.info().allocated());
    }

    @Test
    void staleBytesBehindTheEndNeverShow() throws IOException {
        byte[] ones = new byte[8192];
        Arrays.fill(ones, (byte) 1);
        file.write(0, ones, 0, 8192);
        file.truncate(100);
        file.append(new byte[] {2}, 0, 1);
        file.write(200, new byte[] {3}, 0, 1);
        byte[] expected = Arrays.copyOf(ones, 201);
        Arrays.fill(expected, 100, 201, (byte) 0);
        expected[100] = 2;
        expected[200] = 3;
        assertArrayEquals(expected, all());
        file.write(5000, new byte[] {4}, 0, 1);
        expected = Arrays.copyOf(expected, 5001);
        expected[5000] = 4;
        assertArrayEquals(expected, all());
    }

    @Test
    void handlesShareTheFile() throws IOException {
        try (NovaFile other = store.open("f", READ)) {
            file.write(0, new byte[] {1, 2, 3}, 0, 3);
            byte[] back = new byte[3];
            assertEquals(3, other.read(0, back, 0, 3));
            assertArrayEquals(new byte[] {1, 2, 3}, back);
            file.close();
            assertEquals(3, other.size());
        }
        assertEquals(3, store.stat("f").size());
    }

    @Test
    void argumentsAreChecked() throws IOException {
        byte[] ten = new byte[10];
        ByteBuffer buffer = ByteBuffer.allocate(10);
        assertThrows(IllegalArgumentException.class, () -> file.read(-1, buffer));
        assertThrows(IllegalArgumentException.class, () -> file.read(-1, ten, 0, 1));
        assertThrows(IllegalArgumentException.class, () -> file.write(-1, buffer));
        assertThrows(IllegalArgumentException.class, () -> file.write(Long.MIN_VALUE, ten, 0, 1));
        assertThrows(IllegalArgumentException.class, () -> file.write(-1, new ByteBuffer[] {buffer}, 0, 1));
        assertThrows(IllegalArgumentException.class, () -> file.truncate(-1));
        assertThrows(IllegalArgumentException.class, () -> file.setSize(-1));
        assertThrows(IllegalArgumentException.class, () -> file.read(0, buffer.asReadOnlyBuffer()));
        assertThrows(IndexOutOfBoundsException.class, () -> file.read(0, ten, 5, 6));
        assertThrows(IndexOutOfBoundsException.class, () -> file.read(0, ten, -1, 1));
        assertThrows(IndexOutOfBoundsException.class, () -> file.write(0, ten, 0, Integer.MAX_VALUE));
        assertThrows(IndexOutOfBoundsException.class, () -> file.append(ten, 11, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> file.write(0, new ByteBuffer[1], 0, 2));
        assertThrows(NullPointerException.class, () -> file.read(0, (ByteBuffer) null));
        assertThrows(NullPointerException.class, () -> file.read(0, null, 0, 0));
        assertThrows(NullPointerException.class, () -> file.write(0, (ByteBuffer) null));
        assertThrows(NullPointerException.class, () -> file.write(0, new ByteBuffer[] {null}, 0, 1));
        assertThrows(NullPointerException.class, () -> file.append((ByteBuffer) null));
        assertEquals(0, file.size());
        assertEquals(0, buffer.position());
    }

    @Test
    void absurdOffsetsAndSizesAreRefused() throws IOException {
        byte[] ten = new byte[10];
        ByteBuffer buffer = ByteBuffer.allocateDirect(10);
        for (long at : new long[] {NovaFile.SIZE_MAX - 9, NovaFile.SIZE_MAX, Long.MAX_VALUE - 5, Long.MAX_VALUE}) {
            assertThrows(FileSystemException.class, () -> file.write(at, ten, 0, 10));
            assertThrows(FileSystemException.class, () -> file.write(at, buffer));
        }
        assertThrows(FileSystemException.class, () -> file.setSize(NovaFile.SIZE_MAX + 1));
        assertThrows(FileSystemException.class, () -> file.setSize(Long.MAX_VALUE));
        assertEquals(0, file.size());
        file.write(NovaFile.SIZE_MAX - 10, ten, 0, 10);
        assertEquals(NovaFile.SIZE_MAX, file.size());
        assertThrows(FileSystemException.class, () -> file.append(ten, 0, 1));
    }

    @Test
    void gatherBeyondTheLimitOfOneWriteIsRefused() {
        ByteBuffer big = ByteBuffer.allocateDirect(1 << 20);
        ByteBuffer[] many = new ByteBuffer[2049];
        Arrays.setAll(many, i -> big.duplicate());
        assertThrows(FileSystemException.class, () -> file.write(0, many, 0, many.length));
        assertEquals(0, many[0].position());
    }

    @Test
    void modesAreKept() throws IOException {
        try (NovaFile reader = store.open("f", READ);
                NovaFile writer = store.open("f", WRITE)) {
            byte[] one = new byte[1];
            assertThrows(NonWritableChannelException.class, () -> reader.write(0, one, 0, 1));
            assertThrows(NonWritableChannelException.class, () -> reader.write(0, ByteBuffer.wrap(one)));
            assertThrows(NonWritableChannelException.class, () -> reader.write(0, new ByteBuffer[0], 0, 0));
            assertThrows(NonWritableChannelException.class, () -> reader.append(one, 0, 1));
            assertThrows(NonWritableChannelException.class, () -> reader.append(ByteBuffer.wrap(one)));
            assertThrows(NonWritableChannelException.class, () -> reader.append(new ByteBuffer[0], 0, 0));
            assertThrows(NonWritableChannelException.class, () -> reader.truncate(0));
            assertThrows(NonWritableChannelException.class, () -> reader.setSize(0));
            assertThrows(NonReadableChannelException.class, () -> writer.read(0, one, 0, 1));
            assertThrows(NonReadableChannelException.class, () -> writer.read(0, ByteBuffer.wrap(one)));
            writer.write(0, one, 0, 1);
            assertEquals(1, writer.size());
            reader.force();
        }
    }

    @Test
    void closedHandleRefuses() throws IOException {
        file.close();
        file.close();
        byte[] one = new byte[1];
        assertThrows(ClosedChannelException.class, () -> file.read(0, one, 0, 1));
        assertThrows(ClosedChannelException.class, () -> file.write(0, one, 0, 1));
        assertThrows(ClosedChannelException.class, () -> file.append(one, 0, 1));
        assertThrows(ClosedChannelException.class, () -> file.truncate(0));
        assertThrows(ClosedChannelException.class, () -> file.setSize(0));
        assertThrows(ClosedChannelException.class, file::size);
        assertThrows(ClosedChannelException.class, file::force);
        assertThrows(ClosedChannelException.class, file::info);
        assertEquals("f", file.name());
        assertEquals(false, file.isOpen());
    }

    @Test
    void interruptDoesNotDisturb() throws IOException {
        Thread.currentThread().interrupt();
        file.write(0, new byte[] {1}, 0, 1);
        assertEquals(1, file.read(0, new byte[1], 0, 1));
        assertTrue(Thread.interrupted());
    }

    @Test
    void writingFromAMappedFileIsLikeFromAnyBuffer() throws IOException {
        byte[] text = random(100_000);
        java.nio.file.Path source = pools.path("source");
        java.nio.file.Files.write(source, text);
        try (FileChannel channel = FileChannel.open(source, StandardOpenOption.READ)) {
            file.write(0, channel.map(FileChannel.MapMode.READ_ONLY, 0, text.length));
        }
        assertArrayEquals(text, all());
    }
}
