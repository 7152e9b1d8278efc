/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.ClosedDirectoryStreamException;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jnova.TestPools;
import org.jnova.TestReport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random calls on secure directory streams that stay open while the tree around them is renamed, linked and deleted, in
 * a pool and with the default provider: the same results and exceptions, and the same tree.
 */
class SecureDirectoryModelTest {
    private static final int RUNS = TestPools.FULL ? 150 : 10;
    private static final int CALLS = 700;
    private static final int STREAMS = 4;
    private static final String[] NAMES = {"a", "b", "c"};
    private static final String[] TARGETS = {"a", "b", "../a", "b/c", "nowhere", "c"};

    private final long first = Long.getLong("jnova.seed", System.nanoTime());

    /** One call, on paths below a base or in streams, by the same random numbers for both. */
    private static final class Calls implements AutoCloseable {
        private final Path base;
        private final Random random;
        private final List<SecureDirectoryStream<Path>> streams = new ArrayList<>();
        private String made = ""; // the last call, for messages

        Calls(Path base, long seed) throws IOException {
            this.base = base;
            this.random = new Random(seed);
            for (int i = 0; i < STREAMS; i++) {
                streams.add(open(base));
            }
        }

        private static SecureDirectoryStream<Path> open(Path path) throws IOException {
            return (SecureDirectoryStream<Path>) Files.newDirectoryStream(path);
        }

        private Path name() {
            String name = NAMES[random.nextInt(NAMES.length)];
            if (random.nextInt(6) == 0) {
                name += "/" + NAMES[random.nextInt(NAMES.length)];
            }
            made += " " + name;
            return base.getFileSystem().getPath(name);
        }

        private Path path() {
            Path path = base.resolve(name());
            return random.nextBoolean() ? path : path.resolve(name());
        }

        private int slot() {
            int slot = random.nextInt(STREAMS);
            made += " in " + slot;
            return slot;
        }

        private SecureDirectoryStream<Path> stream() {
            return streams.get(slot());
        }

        private LinkOption[] links() {
            boolean follow = random.nextBoolean();
            made += follow ? "" : " not following";
            return follow ? new LinkOption[0] : new LinkOption[] {LinkOption.NOFOLLOW_LINKS};
        }

        private void put(int slot, SecureDirectoryStream<Path> stream) throws IOException {
            streams.set(slot, stream).close();
        }

        String next() throws IOException {
            int which = random.nextInt(20);
            made = "call of kind " + which;
            switch (which) {
                case 0, 1 -> {
                    Files.createDirectory(path());
                    return "directory";
                }
                case 2 -> {
                    Files.createSymbolicLink(
                            path(), base.getFileSystem().getPath(TARGETS[random.nextInt(TARGETS.length)]));
                    return "link";
                }
                case 3, 4 -> {
                    Files.move(path(), path(), StandardCopyOption.ATOMIC_MOVE);
                    return "moved by path";
                }
                case 5 -> {
                    Files.delete(path());
                    return "deleted by path";
                }
                case 6 -> {
                    put(slot(), open(path()));
                    return "opened";
                }
                case 7, 8 -> {
                    SecureDirectoryStream<Path> opened = stream().newDirectoryStream(name(), links());
                    put(slot(), opened);
                    return "opened " + list(opened);
                }
                case 9, 10 -> {
                    stream().move(name(), stream(), name());
                    return "moved";
                }
                case 11 -> {
                    stream().deleteFile(name());
                    return "deleted file";
                }
                case 12 -> {
                    stream().deleteDirectory(name());
                    return "deleted directory";
                }
                case 13 -> {
                    return self(stream());
                }
                case 14, 15 -> {
                    return text(stream()
                            .getFileAttributeView(name(), PosixFileAttributeView.class, links())
                            .readAttributes());
                }
                case 16 -> {
                    return set(stream());
                }
                case 17 -> {
                    if (random.nextInt(10) == 0) {
                        stream().close();
                    }
                    return "closed";
                }
                default -> {
                    return channel(stream());
                }
            }
        }

        private String list(SecureDirectoryStream<Path> stream) {
            List<String> names = new ArrayList<>();
            stream.forEach(path -> names.add(path.getFileName().toString()));
            names.sort(null);
            return names.toString();
        }

        private static String text(PosixFileAttributes all) {
            return all.isDirectory() + " " + all.isSymbolicLink() + " " + (all.isDirectory() ? 0 : all.size()) + " "
                    + PosixFilePermissions.toString(all.permissions());
        }

        /** Attributes of a stream's directory; of one that has been deleted, only that. */
        private String self(SecureDirectoryStream<Path> stream) throws IOException {
            try {
                PosixFileAttributes all = stream.getFileAttributeView(PosixFileAttributeView.class)
                        .readAttributes();
                try (Stream<Path> paths = Files.walk(base)) {
                    for (Path path : (Iterable<Path>) paths::iterator) {
                        if (all.fileKey().equals(Files.readAttributes(
                                        path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                                .fileKey())) {
                            return text(all) + " " + base.relativize(path);
                        }
                    }
                }
                return "deleted or outside";
            } catch (NoSuchFileException e) {
                return "deleted or outside";
            }
        }

        private String set(SecureDirectoryStream<Path> stream) throws IOException {
            Path name = name();
            PosixFileAttributeView view = stream.getFileAttributeView(name, PosixFileAttributeView.class);
            view.setPermissions(PosixFilePermissions.fromString(random.nextBoolean() ? "rwxr-x--x" : "rw-r-----"));
            FileTime time = FileTime.fromMillis(random.nextInt(Integer.MAX_VALUE));
            BasicFileAttributeView basic = stream.getFileAttributeView(name, BasicFileAttributeView.class);
            basic.setTimes(time, null, null);
            return "set " + basic.readAttributes().lastModifiedTime().equals(time);
        }

        private String channel(SecureDirectoryStream<Path> stream) throws IOException {
            Path name = name();
            Set<OpenOption> options = new HashSet<>();
            for (OpenOption option : List.of(
                    StandardOpenOption.WRITE,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.CREATE_NEW,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    LinkOption.NOFOLLOW_LINKS)) {
                if (random.nextInt(3) == 0) {
                    options.add(option);
                }
            }
            if (options.contains(StandardOpenOption.CREATE_NEW)) {
                options.remove(LinkOption.NOFOLLOW_LINKS); // the model forgets it then
            }
            made += " " + options;
            try (SeekableByteChannel channel = stream.newByteChannel(
                    name,
                    options,
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-r-----")))) {
                return options.contains(StandardOpenOption.WRITE)
                        ? "wrote " + channel.write(ByteBuffer.wrap(made.getBytes(StandardCharsets.UTF_8)))
                        : "read " + channel.read(ByteBuffer.allocate(200));
            }
        }

        @Override
        public void close() throws IOException {
            for (SecureDirectoryStream<Path> stream : streams) {
                stream.close();
            }
        }
    }

    /** What a call gives: text, or an exception. */
    private static Object outcome(Calls calls) {
        try {
            return calls.next();
        } catch (IOException | ClosedDirectoryStreamException e) {
            return e;
        }
    }

    @Test
    void asTheDefaultProvider(@TempDir Path temp) throws IOException {
        System.out.println("-Djnova.seed=" + first);
        int made = 0;
        int good = 0;
        for (int run = 0; run < RUNS; run++) {
            long seed = first + run;
            try (NioPools pools = new NioPools();
                    FileSystem fs = pools.create("secure", 16 * TestPools.MIB)) {
                Path base = Files.createDirectories(temp.resolve("run" + run + "/x/y/base"))
                        .toRealPath();
                Path ours = Files.createDirectories(fs.getPath("/run/x/y/base"));
                try (Calls expected = new Calls(base, seed);
                        Calls actual = new Calls(ours, seed)) {
                    for (int i = 0; i < CALLS; i++) {
                        Object wanted = outcome(expected);
                        Object got = outcome(actual);
                        if (!FilesModelTest.agree(wanted, got)) {
                            fail(actual.made + ", " + i + " of seed " + seed + ": " + wanted + ", but here " + got);
                        }
                        TreeMap<String, String> model = FilesModelTest.tree(base);
                        assertEquals(model, FilesModelTest.tree(ours), actual.made);
                        good += wanted instanceof Exception ? 0 : 1;
                        made++;
                    }
                }
                pools.closeSound(fs, "secure");
            }
        }
        TestReport.line(
                "calls on secure directory streams, beside the default provider: %d, of which %d threw nothing",
                made,
                good);
    }
}
