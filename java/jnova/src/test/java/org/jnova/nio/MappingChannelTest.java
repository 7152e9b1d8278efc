/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.channels.NonWritableChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.jnova.ChildJvm;
import org.jnova.MappedRegion;
import org.jnova.TestJdk;
import org.jnova.TestPools;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Channels mapped into arenas, on each JDK from 22 on: in a JVM that has the classes of META-INF/versions/22 ahead of the
 * others, as the jar does. By reflection, since this is compiled for 17.
 */
class MappingChannelTest {
    @Test
    @Tag("all-jdks")
    void mapping() throws Exception {
        List<TestJdk> jdks = TestJdk.all().stream().filter(jdk -> jdk.version() >= 22).toList();
        Assumptions.assumeTrue(Files.isDirectory(newerClasses()) && !jdks.isEmpty(), "no JDK 22, or not its classes");
        for (TestJdk jdk : jdks) {
            try (NioPools pools = new NioPools()) {
                pools.create("p", 8 * TestPools.MIB).close();
                runMain(jdk, MappingChannelTest.class, pools.uri("p").toString());
                try (FileSystem fs = pools.open("p")) {
                    assertEquals("stored", Files.readString(fs.getPath("/f")).substring(5000, 5006));
                    pools.closeSound(fs, "p");
                }
            }
        }
    }

    static Path newerClasses() throws Exception {
        return Path.of(MappedRegion.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .toURI())
                .resolve("META-INF/versions/22");
    }

    /** Runs a main class on a newer JDK; it says "good" in the end. */
    static void runMain(TestJdk jdk, Class<?> main, String... args) throws Exception {
        String path = newerClasses() + File.pathSeparator + System.getProperty("java.class.path");
        try (ChildJvm child = new ChildJvm(jdk, path, main, args)) {
            String line = child.line();
            while (line != null && !line.equals("good")) {
                System.out.println(line);
                line = child.line();
            }
            assertEquals("good", line);
            assertEquals(0, child.exitCode());
        }
    }

    // ---- in the other JVM

    private static Object call(String type, Object on, String name, Object... args) throws Exception {
        for (Method method : Class.forName(type).getMethods()) {
            if (method.getName().equals(name) && method.getParameterCount() == args.length) {
                try {
                    return method.invoke(on, args);
                } catch (InvocationTargetException e) {
                    throw (Exception) e.getCause();
                }
            }
        }
        throw new NoSuchMethodError(name);
    }

    private static Object arena() throws Exception {
        return call("java.lang.foreign.Arena", null, "ofShared");
    }

    private static Object map(FileChannel channel, MapMode mode, long position, long size, Object arena)
            throws Exception {
        return call(FileChannel.class.getName(), channel, "map", mode, position, size, arena);
    }

    private static ByteBuffer buffer(Object segment) throws Exception {
        return (ByteBuffer) call("java.lang.foreign.MemorySegment", segment, "asByteBuffer");
    }

    private interface Code {
        void run() throws Exception;
    }

    private static void fails(Class<?> with, Code code) {
        try {
            code.run();
        } catch (Exception e) {
            check(with.isInstance(e), e.toString());
            return;
        }
        throw new AssertionError("no " + with);
    }

    private static void check(boolean good, String what) {
        if (!good) {
            throw new AssertionError(what);
        }
    }

    /** Maps, and halts without closing anything: what was forced must be there. */
    public static void main(String[] args) throws Exception {
        FileSystem fs = FileSystems.newFileSystem(URI.create(args[0]), Map.of("emulated", true));
        Path path = fs.getPath("/f");
        Object arena = arena();
        try (FileChannel channel = FileChannel.open(
                path, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            Object segment = map(channel, MapMode.READ_WRITE, 100, 9900, arena);
            check(channel.size() == 10_000, "a writable mapping makes the file longer");
            buffer(segment).put(4900, "stored".getBytes(StandardCharsets.UTF_8));
            ByteBuffer read = ByteBuffer.allocate(6);
            channel.read(read, 5000);
            check(read.flip().equals(buffer(segment).slice(4900, 6)), "one content");
            check(buffer(map(channel, MapMode.READ_ONLY, 0, 0, arena)).capacity() == 0, "of no bytes");
            fails(UnsupportedOperationException.class, () -> map(channel, MapMode.PRIVATE, 0, 1, arena));
            fails(IllegalArgumentException.class, () -> map(channel, MapMode.READ_ONLY, -1, 1, arena));
            Object other = arena();
            map(channel, MapMode.READ_WRITE, 0, 10, other);
            call("java.lang.foreign.Arena", other, "close");
            channel.force(false); // one region is closed, one is not
        }
        try (FileChannel channel = FileChannel.open(path)) {
            check(buffer(map(channel, MapMode.READ_ONLY, 0, 10_000, arena)).get(5000) == 's', "read only");
            fails(NonWritableChannelException.class, () -> map(channel, MapMode.READ_WRITE, 0, 1, arena));
        }
        FileChannel closed = FileChannel.open(path);
        closed.close();
        fails(ClosedChannelException.class, () -> map(closed, MapMode.READ_ONLY, 0, 1, arena));
        System.out.println("good");
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }
}
