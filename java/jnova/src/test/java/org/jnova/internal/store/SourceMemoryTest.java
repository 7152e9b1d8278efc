/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import org.jnova.ChildJvm;
import org.jnova.TestJdk;
import org.jnova.TestPools;
import org.jnova.internal.core.NativeMemory;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class SourceMemoryTest {
    @BeforeAll
    static void loadTheLibrary() {
        NativeMemory.allocate(1);
    }

    @Test
    void ordinaryDirectMemoryIsPlain() {
        ByteBuffer direct = ByteBuffer.allocateDirect(100);
        assertTrue(SourceMemory.isPlain(direct));
        assertTrue(SourceMemory.isPlain(direct.position(5).slice()));
        assertTrue(SourceMemory.isPlain(direct.duplicate()));
        assertTrue(SourceMemory.isPlain(direct.asReadOnlyBuffer()));
        assertFalse(SourceMemory.isPlain(ByteBuffer.allocate(100)));
    }

    @Test
    void addressIsOfTheFirstByteOrNone() {
        assertEquals(0, SourceMemory.address(ByteBuffer.allocate(10), 0));
        for (int i = 0; i < 5000; i++) { // more than are remembered
            ByteBuffer direct = ByteBuffer.allocateDirect(64).position(i % 64);
            long address = SourceMemory.address(direct, 0);
            assertEquals(address, SourceMemory.address(direct.position(0), 0));
            assertEquals(address, NativeMemory.addressOf(direct));
            assertEquals(address + 5, SourceMemory.address(direct.position(5).slice(), 0));
        }
    }

    @Test
    void aBufferThatComesBackIsKnown() {
        ByteBuffer direct = ByteBuffer.allocateDirect(64);
        assertEquals(0, SourceMemory.addressIfKnown(ByteBuffer.allocate(64), 0));
        assertEquals(0, SourceMemory.addressIfKnown(direct, 0));
        assertEquals(NativeMemory.addressOf(direct), SourceMemory.addressIfKnown(direct, 0));
        assertEquals(NativeMemory.addressOf(direct), SourceMemory.addressIfKnown(direct.position(3), 0));
    }

    @Test
    void mappedMemoryIsNot() throws Exception {
        try (TestPools pools = new TestPools()) {
            Path file = pools.path("f");
            Files.write(file, new byte[5000]);
            try (FileChannel channel =
                    FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                for (FileChannel.MapMode mode : List.of(
                        FileChannel.MapMode.READ_ONLY,
                        FileChannel.MapMode.READ_WRITE,
                        FileChannel.MapMode.PRIVATE)) {
                    ByteBuffer mapped = channel.map(mode, 10, 4000);
                    assertFalse(SourceMemory.isPlain(mapped), mode::toString);
                    assertFalse(SourceMemory.isPlain(mapped.duplicate()), mode::toString);
                    assertFalse(SourceMemory.isPlain(mapped.asReadOnlyBuffer()), mode::toString);
                    assertFalse(SourceMemory.isPlain(mapped.slice(7, 100)), mode::toString);
                    assertFalse(SourceMemory.isPlain(mapped.position(9).slice()), mode::toString);
                    assertEquals(0, SourceMemory.address(mapped, 0));
                }
            }
        }
    }

    /** Of native code that reads memory that was given back, this process would die. */
    @Test
    void memoryOfAClosedScopeIsNotReadFrom() throws Exception {
        Assumptions.assumeTrue(Runtime.version().feature() == 17);
        try (TestPools pools = new TestPools();
                ChildJvm child = new ChildJvm(
                        TestJdk.current(),
                        List.of("--add-modules", "jdk.incubator.foreign"),
                        ClosedScope.class,
                        pools.path("p").toString())) {
            for (int size : ClosedScope.SIZES) {
                assertEquals("a write of " + size + " bytes fails", child.line());
            }
            assertTrue(child.endsWithin(Duration.ofMinutes(1)));
            assertEquals(0, child.exitCode());
        }
    }

    /** By reflection, since the code is of an older JDK than the API. */
    @Test
    void memoryOfArenasIsNot() throws Exception {
        Assumptions.assumeTrue(Runtime.version().feature() >= 22);
        Class<?> arenaType = Class.forName("java.lang.foreign.Arena");
        Method allocate = arenaType.getMethod("allocate", long.class);
        Method asByteBuffer = Class.forName("java.lang.foreign.MemorySegment").getMethod("asByteBuffer");
        for (String kind : new String[] {"ofShared", "ofConfined", "ofAuto"}) {
            Object arena = arenaType.getMethod(kind).invoke(null);
            ByteBuffer buffer = (ByteBuffer) asByteBuffer.invoke(allocate.invoke(arena, 100L));
            assertTrue(buffer.isDirect());
            assertFalse(SourceMemory.isPlain(buffer), kind);
        }
    }
}
