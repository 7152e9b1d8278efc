/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.channels.FileChannel.MapMode.READ_ONLY;
import static java.nio.channels.FileChannel.MapMode.READ_WRITE;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.InvocationTargetException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Regions as memory segments, on each JDK from 22 on: in a JVM that has the classes of META-INF/versions/22 ahead of the
 * others, as the jar does. By reflection, since this is compiled for 17.
 */
class SegmentTest {
    @Test
    @Tag("all-jdks")
    void segments() throws Exception {
        Path classes = Path.of(MappedRegion.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        Path newer = classes.resolve("META-INF/versions/22");
        List<TestJdk> jdks = TestJdk.all().stream().filter(jdk -> jdk.version() >= 22).toList();
        Assumptions.assumeTrue(Files.isDirectory(newer) && !jdks.isEmpty(), "neither JDK 22 nor what it compiles");
        for (TestJdk jdk : jdks) {
            String path = newer + File.pathSeparator + System.getProperty("java.class.path");
            try (TestPools pools = new TestPools();
                    ChildJvm child = new ChildJvm(jdk, path, SegmentTest.class, pools.path("p").toString())) {
                assertEquals("good", child.line());
                assertEquals(0, child.exitCode());
                pools.assertSound("p");
            }
        }
    }

    // ---- in the other JVM

    private static final String FOREIGN = "java.lang.foreign.";

    private static Object call(String type, Object on, String name, Object... args) throws Throwable {
        for (var method : Class.forName(FOREIGN + type).getMethods()) {
            if (method.getName().equals(name) && method.getParameterCount() == args.length) {
                try {
                    return method.invoke(on, args);
                } catch (InvocationTargetException e) {
                    throw e.getCause();
                } catch (IllegalArgumentException e) {
                    // another one of the name
                }
            }
        }
        throw new NoSuchMethodError(name);
    }

    private static void check(boolean good, String what) {
        if (!good) {
            throw new AssertionError(what);
        }
    }

    private interface Code {
        void run() throws Throwable;
    }

    private static void fails(Class<?> with, Code code) {
        try {
            code.run();
        } catch (Throwable e) {
            check(with.isInstance(e), e.toString());
            return;
        }
        throw new AssertionError("no " + with);
    }

    private static ByteBuffer buffer(Object segment, long at, int length) throws Throwable {
        return (ByteBuffer) call(
                "MemorySegment", call("MemorySegment", segment, "asSlice", at, (long) length), "asByteBuffer");
    }

    private static boolean isTaken(long address) throws Throwable {
        for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
            String[] range = line.substring(0, line.indexOf(' ')).split("-");
            if (address >= Long.parseUnsignedLong(range[0], 16) && address < Long.parseUnsignedLong(range[1], 16)) {
                return true;
            }
        }
        return false;
    }

    /** @param args the pool, to be made */
    public static void main(String[] args) throws Throwable {
        Class<?> segmentType = Class.forName(FOREIGN + "MemorySegment");
        Class<?> arenaType = Class.forName(FOREIGN + "Arena");
        MethodHandle segmentOf = MethodHandles.publicLookup()
                .findVirtual(MappedRegion.class, "segment", MethodType.methodType(segmentType, arenaType))
                .asType(MethodType.methodType(Object.class, MappedRegion.class, Object.class));
        long gib = 1L << 30;
        try (NovaStore store = NovaStore.create(Path.of(args[0]), 64 << 20, TestPools.EMULATED);
                NovaFile file = store.open("f", CREATE, READ, WRITE)) {
            Object arena = call("Arena", null, "ofShared");
            MappedRegion region = file.map(READ_WRITE, 5, 5 * gib);
            Object segment = (Object) segmentOf.invokeExact(region, arena);
            check((long) call("MemorySegment", segment, "byteSize") == 5 * gib, "size");
            buffer(segment, 4 * gib, 8).putLong(0, 4711);
            ByteBuffer read = ByteBuffer.allocate(8);
            file.read(4 * gib + 5, read);
            check(read.getLong(0) == 4711, "a read finds a store");
            file.write(9, ByteBuffer.allocate(8).putLong(0, 42));
            check(buffer(segment, 4, 8).getLong(0) == 42, "a load finds a write");
            file.write(100_000, buffer(segment, 0, 5000));
            check(buffer(segment, 99_999, 8).getLong(0) == 42, "a segment as the source of a write");
            for (int i = 0; i < 5; i++) {
                System.gc();
                check(buffer(segment, 4, 8).getLong(0) == 42, "a segment keeps its region");
            }
            long middle = (long) call("MemorySegment", segment, "address") + 3 * gib;
            check(region.isOpen() && isTaken(middle), "open");
            call("Arena", arena, "close");
            check(!region.isOpen(), "the arena closes the region");
            check(!isTaken(middle), "the arena gives the addresses back");
            Object gone = segment;
            fails(IllegalStateException.class, () -> buffer(gone, 0, 8).getLong(0));
            fails(IllegalStateException.class, () -> segmentOf.invoke(region, call("Arena", null, "global")));

            Object confined = call("Arena", null, "ofConfined");
            MappedRegion reading = file.map(READ_ONLY, 0, 4096);
            Object readOnly = (Object) segmentOf.invokeExact(reading, confined);
            check((boolean) call("MemorySegment", readOnly, "isReadOnly"), "read-only");
            ByteBuffer kept = reading.buffer();
            call("Arena", confined, "close");
            MemoryFault.assertThrown(() -> kept.get(0));
        }
        System.out.println("good");
    }
}
