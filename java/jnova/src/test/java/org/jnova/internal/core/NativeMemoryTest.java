/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.jnova.CheckReport.Finding;
import org.jnova.CheckReport.Severity;
import org.junit.jupiter.api.Test;

/** Native memory, the pools that lend it, and the text that comes back in it. */
class NativeMemoryTest {
    @Test
    void addressIsThatOfTheFirstByteWhateverThePosition() {
        NativeMemory.allocate(1);
        ByteBuffer buffer = ByteBuffer.allocateDirect(64);
        long address = NovaNative.address(buffer);
        buffer.position(17).limit(20);
        assertEquals(address, NovaNative.address(buffer));
        assertEquals(address + 17, NovaNative.address(buffer.slice()));
        assertNotEquals(0, address);
        assertEquals(0, NovaNative.address(ByteBuffer.allocate(4)), "a heap buffer has none");
    }

    @Test
    void textEndsAtNul() {
        ByteBuffer bytes = ByteBuffer.wrap(new byte[] {'x', 'a', 'b', 0, 'c'});
        assertEquals("ab", NativeMemory.text(bytes, 1, 4));
        assertEquals("a", NativeMemory.text(bytes, 1, 1));
    }

    @Test
    void poolLendsEachPieceToOne() {
        MemoryPool pool = new MemoryPool(128, 2);
        NativeMemory a = pool.take();
        NativeMemory b = pool.take();
        NativeMemory c = pool.take();
        assertNotSame(a, b);
        pool.put(a);
        pool.put(b);
        pool.put(c); // finds no room
        NativeMemory d = pool.take();
        NativeMemory e = pool.take();
        assertEquals(Set.of(a, b), Set.of(d, e));
        assertEquals(128, d.bytes().capacity());
    }

    @Test
    void ioBlocksDoNotOverlapAndComeBack() {
        IoPool pool = new IoPool();
        List<IoBlock> leased = new ArrayList<>();
        Set<Long> addresses = new HashSet<>();
        for (int i = 0; i < 100; i++) {
            IoBlock block = pool.lease();
            leased.add(block);
            assertTrue(addresses.add(block.address()));
            assertEquals(0, block.address() % 64 % 8);
            block.setFreeCount(3);
            block.setFree(63, 11, 22);
        }
        IoBlock last = leased.get(99);
        pool.giveBack(last);
        assertSame(last, pool.lease());
        assertEquals(0, last.freeCount());
    }

    @Test
    void findingsAreParsed() {
        assertEquals(
                new Finding(Severity.ERROR, "log page", OptionalLong.of(4096), "bad\tchecksum"),
                PoolTools.finding("error\tlog page\t4096\tbad\tchecksum"));
        assertEquals(
                new Finding(Severity.WARNING, "inode", OptionalLong.empty(), "orphan"),
                PoolTools.finding("warning\tinode\t-\torphan"));
        assertEquals("odd line", PoolTools.finding("odd line").text());
    }
}
