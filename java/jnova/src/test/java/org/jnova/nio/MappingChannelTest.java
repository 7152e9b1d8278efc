/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.channels.NonWritableChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
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

    private static final String SEGMENT = "java.lang.foreign.MemorySegment";

    private static ByteBuffer buffer(Object segment) throws Exception {
        return (ByteBuffer) call(SEGMENT, segment, "asByteBuffer");
    }

    private static boolean is(Object segment, String what) throws Exception {
        return (boolean) call(SEGMENT, segment, what);
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

    /** There is no room for the pages in a row, so the segment is one of a region. Closing it gives back the space. */
    private static void inPieces(Path path) throws Exception {
        int page = 4096;
        int pages = 1000;
        try (FileChannel channel = create(path)) {
            for (int i = pages - 1; i >= 0; i--) {
                channel.write(ByteBuffer.allocate(page).putInt(0, i), (long) i * page);
            }
            for (MapMode mode : List.of(MapMode.READ_ONLY, MapMode.READ_WRITE)) {
                Object arena = arena();
                Object segment = map(channel, mode, 0, (long) pages * page, arena);
                check(!is(segment, "isMapped"), "a segment of a region");
                for (int i = 0; i < pages; i++) {
                    check(buffer(segment).getInt(i * page) == i, "page " + i);
                }
                call("java.lang.foreign.Arena", arena, "close");
            }
            Object arena = arena();
            fails(FileSystemException.class, () -> map(channel, MapMode.PRIVATE, 0, (long) pages * page, arena));
            call("java.lang.foreign.Arena", arena, "close");
            arenasGiveBack(path, channel);
        }
        Files.delete(path);
    }

    /** What a segment goes on showing takes space until its arena is closed, and no longer. */
    private static void arenasGiveBack(Path path, FileChannel channel) throws Exception {
        int length = 100 * 4096;
        channel.truncate(0);
        channel.write(ByteBuffer.allocate(length).put(4096, (byte) 7), 0);
        Object arena = arena();
        Object segment = map(channel, MapMode.READ_WRITE, 0, length, arena);
        channel.truncate(0);
        long usable = Files.getFileStore(path).getUsableSpace();
        check(buffer(segment).get(4096) == 7, "it goes on showing what was cut off");
        call("java.lang.foreign.Arena", arena, "close");
        long more = Files.getFileStore(path).getUsableSpace() - usable;
        check(more == length, more + " bytes more");
    }

    /** Nothing happens to the file for an arena that is closed, or another thread's. */
    private static void unusableArenas(FileChannel channel, Object closed) throws Exception {
        long size = channel.size();
        Object foreign = confinedByOther();
        Class<?> wrongThread = Class.forName("java.lang.WrongThreadException"); // of JDK 19 and newer
        for (long length : new long[] {0, 4096}) {
            for (MapMode mode : List.of(MapMode.READ_ONLY, MapMode.READ_WRITE, MapMode.PRIVATE)) {
                fails(IllegalStateException.class, () -> map(channel, mode, size + 8192, length, closed));
                fails(wrongThread, () -> map(channel, mode, size + 8192, length, foreign));
                check(channel.size() == size, "the file has grown");
            }
        }
    }

    /** An arena that is confined to a thread that has ended. */
    private static Object confinedByOther() throws Exception {
        FutureTask<Object> making = new FutureTask<>(() -> call("java.lang.foreign.Arena", null, "ofConfined"));
        Thread thread = new Thread(making);
        thread.start();
        thread.join();
        return making.get();
    }

    private static FileChannel create(Path path) throws Exception {
        return FileChannel.open(
                path, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    /** Segments of arenas that are closed after the store, or never. */
    private static void beyondTheStore(String uri) throws Exception {
        Object arena = arena();
        Object global = call("java.lang.foreign.Arena", null, "global");
        Object auto = call("java.lang.foreign.Arena", null, "ofAuto");
        List<Object> segments = new ArrayList<>();
        try (FileSystem fs = FileSystems.newFileSystem(URI.create(uri), Map.of("emulated", true))) {
            Path path = fs.getPath("/beyond");
            try (FileChannel channel = create(path)) {
                for (Object each : List.of(arena, global, auto)) {
                    segments.add(map(channel, MapMode.READ_WRITE, segments.size() * 4096L, 4096, each));
                    buffer(segments.get(segments.size() - 1)).put(0, (byte) segments.size());
                }
            }
            Files.delete(path);
        }
        for (int i = 0; i < segments.size(); i++) {
            check(buffer(segments.get(i)).get(0) == i + 1, "it goes on showing what it showed");
        }
        call("java.lang.foreign.Arena", arena, "close");
        fails(IllegalStateException.class, () -> buffer(segments.get(0)).get(0));
        check(buffer(segments.get(1)).get(0) == 2, "the other arenas are open");
    }

    /** Each has a pin; the last one that ends gives back the space. */
    private static void manySegments(Path path) throws Exception {
        int pages = 10;
        try (FileChannel channel = create(path)) {
            channel.write(ByteBuffer.allocate(pages * 4096), 0);
            List<Object> arenas = new ArrayList<>();
            List<Object> segments = new ArrayList<>();
            for (int i = 0; i < 1000; i++) {
                arenas.add(arena());
                segments.add(map(channel, MapMode.READ_WRITE, i % pages * 4096L, 4096, arenas.get(i)));
                buffer(segments.get(i)).putInt(i / pages * 4, i);
            }
            ByteBuffer last = buffer(segments.get(999));
            for (int i = 9; i < 1000; i += pages) {
                check(last.getInt(i / pages * 4) == i, "one content");
            }
            channel.truncate(0);
            long usable = Files.getFileStore(path).getUsableSpace();
            for (int i = 0; i < 1000 - pages; i++) {
                call("java.lang.foreign.Arena", arenas.get(i), "close");
            }
            check(Files.getFileStore(path).getUsableSpace() == usable, "each page has a pin still");
            for (int i = 1000 - pages; i < 1000; i++) {
                call("java.lang.foreign.Arena", arenas.get(i), "close");
            }
            long more = Files.getFileStore(path).getUsableSpace() - usable;
            check(more == pages * 4096L, more + " bytes more");
        }
    }

    /** There is no block for a hole: what is mapped then says so, and works when there is space again. */
    private static void fullPool(Path path, Path filler) throws Exception {
        Object arena = arena();
        try (FileChannel channel = create(path)) {
            channel.write(ByteBuffer.allocate(1), 64 * 4096 - 1);
            try (FileChannel filling = create(filler)) {
                fails(FileSystemException.class, () -> {
                    while (true) {
                        filling.write(ByteBuffer.allocate(4096), filling.size());
                    }
                });
            }
            fails(FileSystemException.class, () -> map(channel, MapMode.PRIVATE, 0, 64 * 4096, arena));
            Files.delete(filler);
            check(buffer(map(channel, MapMode.PRIVATE, 0, 64 * 4096, arena)).get(4096) == 0, "a hole");
        }
        call("java.lang.foreign.Arena", arena, "close");
        Files.delete(path);
    }

    /** Maps, and halts without closing anything: what was forced must be there. */
    public static void main(String[] args) throws Exception {
        beyondTheStore(args[0]);
        FileSystem fs = FileSystems.newFileSystem(URI.create(args[0]), Map.of("emulated", true));
        Path path = fs.getPath("/f");
        Object arena = arena();
        try (FileChannel channel = create(path)) {
            Object segment = map(channel, MapMode.READ_WRITE, 100, 9900, arena);
            check(channel.size() == 10_000, "a writable mapping makes the file longer");
            buffer(segment).put(4900, "stored".getBytes(StandardCharsets.UTF_8));
            ByteBuffer read = ByteBuffer.allocate(6);
            channel.read(read, 5000);
            check(read.flip().equals(buffer(segment).slice(4900, 6)), "one content");
            check(buffer(map(channel, MapMode.READ_ONLY, 0, 0, arena)).capacity() == 0, "of no bytes");
            ByteBuffer own = buffer(map(channel, MapMode.PRIVATE, 5000, 6, arena)).put(0, (byte) 'S');
            check(own.get(1) == 't' && buffer(segment).get(4900) == 's', "a private store");
            check(is(segment, "isMapped"), "a segment of a mapped file");
            call(SEGMENT, segment, "load");
            check(is(segment, "isLoaded"), "loaded");
            call(SEGMENT, segment, "force");
            fails(IllegalArgumentException.class, () -> map(channel, MapMode.READ_ONLY, -1, 1, arena));
            Object other = arena();
            map(channel, MapMode.READ_WRITE, 0, 10, other);
            call("java.lang.foreign.Arena", other, "close");
            fails(IllegalStateException.class, () -> map(channel, MapMode.READ_WRITE, 0, 10, other));
            unusableArenas(channel, other);
            channel.force(false); // one segment is closed, some are not
        }
        inPieces(fs.getPath("/g"));
        manySegments(fs.getPath("/many"));
        fullPool(fs.getPath("/hole"), fs.getPath("/filler"));
        try (FileChannel channel = FileChannel.open(path)) {
            check(buffer(map(channel, MapMode.READ_ONLY, 0, 10_000, arena)).get(5000) == 's', "read only");
            fails(NonWritableChannelException.class, () -> map(channel, MapMode.READ_WRITE, 0, 1, arena));
        }
        FileChannel interrupted = FileChannel.open(path);
        Thread.currentThread().interrupt();
        fails(ClosedByInterruptException.class, () -> map(interrupted, MapMode.READ_ONLY, 0, 1, arena));
        check(Thread.interrupted() && !interrupted.isOpen(), "an interrupt closes the channel");
        FileChannel closed = FileChannel.open(path);
        closed.close();
        fails(ClosedChannelException.class, () -> map(closed, MapMode.READ_ONLY, 0, 1, arena));
        System.out.println("good");
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }
}
