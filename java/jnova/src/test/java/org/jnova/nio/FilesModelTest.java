/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
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

/** Random calls of {@link Files}, made in a pool and with the default provider: the same results and exceptions. */
class FilesModelTest {
    private static final int RUNS = TestPools.FULL ? 200 : 12;
    private static final int CALLS = 700;
    private static final String[] NAMES = {"a", "b", "c"};
    private static final String[] TARGETS = {"a", "b", "../a", "b/c", "nowhere", "c"};

    private final long first = Long.getLong("jnova.seed", System.nanoTime());

    /** One call, on paths below a base, by the same random numbers for both. */
    private static final class Calls {
        private final Path base;
        private final Random random;
        private String made = ""; // the last call, for messages

        Calls(Path base, long seed) {
            this.base = base;
            this.random = new Random(seed);
        }

        private Path path() {
            Path path = base;
            for (int depth = 1 + random.nextInt(3); depth > 0; depth--) {
                path = path.resolve(NAMES[random.nextInt(NAMES.length)]);
            }
            made += " " + base.relativize(path);
            return path;
        }

        private LinkOption[] links() {
            return random.nextBoolean() ? new LinkOption[0] : new LinkOption[] {LinkOption.NOFOLLOW_LINKS};
        }

        @SafeVarargs
        private <T> Set<T> some(T... all) {
            Set<T> set = new HashSet<>();
            for (T one : all) {
                if (random.nextInt(3) == 0) {
                    set.add(one);
                }
            }
            made += " " + set;
            return set;
        }

        private String text(Path path) {
            return path.startsWith(base) ? "/" + base.relativize(path) : path.toString();
        }

        String next() throws IOException {
            int which = random.nextInt(20);
            made = "call of kind " + which;
            return switch (which) {
                case 0, 1 -> "createFile " + text(Files.createFile(
                        path(), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-r-----"))));
                case 2, 3, 4 -> "createDirectory " + text(Files.createDirectory(path()));
                case 5 -> "symlink " + text(Files.createSymbolicLink(
                        path(), base.getFileSystem().getPath(TARGETS[random.nextInt(TARGETS.length)])));
                case 6 -> "link " + text(Files.createLink(path(), path()));
                case 7 -> {
                    Files.delete(path());
                    yield "delete";
                }
                case 8, 9 -> "move " + text(Files.move(path(), path(), some(
                                StandardCopyOption.REPLACE_EXISTING,
                                StandardCopyOption.REPLACE_EXISTING,
                                StandardCopyOption.ATOMIC_MOVE,
                                StandardCopyOption.COPY_ATTRIBUTES)
                        .toArray(new CopyOption[0])));
                case 10, 11 -> copy(path(), path());
                case 12 -> "read " + Files.readString(path());
                case 13 -> "link to " + Files.readSymbolicLink(path());
                case 14 -> "real " + text(path().toRealPath(links()));
                case 15 -> "same " + Files.isSameFile(path(), path());
                case 16 -> list(path());
                case 17 -> attributes(path(), links());
                case 18 -> set(path());
                default -> open(path());
            };
        }

        private String copy(Path from, Path to) throws IOException {
            CopyOption[] options = some(
                            (CopyOption) StandardCopyOption.REPLACE_EXISTING,
                            StandardCopyOption.REPLACE_EXISTING,
                            StandardCopyOption.COPY_ATTRIBUTES,
                            LinkOption.NOFOLLOW_LINKS)
                    .toArray(new CopyOption[0]);
            if (from.equals(to)) {
                return "no copy"; // of a link to itself the model makes an error
            }
            return "copy " + text(Files.copy(from, to, options));
        }

        private String list(Path path) throws IOException {
            try (DirectoryStream<Path> stream = Files.newDirectoryStream(path, "[ab]*")) {
                List<String> names = new ArrayList<>();
                stream.forEach(name -> names.add(text(name)));
                names.sort(null);
                return "list " + names;
            }
        }

        private String attributes(Path path, LinkOption... links) throws IOException {
            PosixFileAttributes all = Files.readAttributes(path, PosixFileAttributes.class, links);
            return String.join(
                    " ",
                    "attributes",
                    String.valueOf(all.isDirectory()),
                    String.valueOf(all.isRegularFile()),
                    String.valueOf(all.isSymbolicLink()),
                    all.isDirectory() ? "" : String.valueOf(all.size()),
                    PosixFilePermissions.toString(all.permissions()),
                    all.owner().getName(),
                    String.valueOf(Files.getAttribute(path, "unix:mode", links)),
                    all.isDirectory() ? "" : String.valueOf(Files.getAttribute(path, "unix:nlink", links)),
                    String.valueOf(Files.isExecutable(path)),
                    String.valueOf(Files.isHidden(path)));
        }

        private String set(Path path) throws IOException {
            Files.setPosixFilePermissions(
                    path, PosixFilePermissions.fromString(random.nextBoolean() ? "rwxr-x--x" : "rw-r-----"));
            FileTime time = FileTime.fromMillis(random.nextInt(Integer.MAX_VALUE)); // not before 1970: the model would round
            Files.setLastModifiedTime(path, time);
            return "set " + Files.getLastModifiedTime(path).equals(time);
        }

        private String open(Path path) throws IOException {
            Set<OpenOption> options = some(
                    (OpenOption) StandardOpenOption.READ,
                    StandardOpenOption.WRITE,
                    StandardOpenOption.APPEND,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.CREATE_NEW,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.SYNC,
                    StandardOpenOption.SPARSE,
                    LinkOption.NOFOLLOW_LINKS);
            if (options.contains(StandardOpenOption.CREATE_NEW) && !options.contains(StandardOpenOption.WRITE)) {
                options.remove(LinkOption.NOFOLLOW_LINKS); // the model forgets it then
            }
            if (random.nextInt(8) == 0) {
                options.add(StandardOpenOption.DELETE_ON_CLOSE);
            }
            try (SeekableByteChannel channel = Files.newByteChannel(path, options)) {
                StringBuilder said = new StringBuilder("open ");
                if (options.contains(StandardOpenOption.WRITE) || options.contains(StandardOpenOption.APPEND)) {
                    said.append(channel.write(ByteBuffer.wrap("hello".getBytes(StandardCharsets.UTF_8))));
                    said.append(' ').append(channel.position()).append(' ').append(channel.size());
                } else {
                    ByteBuffer buffer = ByteBuffer.allocate(100);
                    said.append(channel.read(buffer)).append(' ').append(channel.position());
                }
                return said.toString();
            }
        }
    }

    /** What a call gives: text, or an exception. */
    private static Object outcome(Calls calls) {
        try {
            return calls.next();
        } catch (IOException | IllegalArgumentException | UnsupportedOperationException e) {
            return e;
        }
    }

    /**
     * The same text, or an exception of the same class; where the default provider's is a general one, or is about one
     * of two paths while the other is wrong, too, another about files. If what is not a directory is on the way, newer
     * JDKs sometimes say that there is no such file.
     */
    static boolean agree(Object expected, Object actual) {
        if (!(expected instanceof Exception)) {
            return expected.equals(actual);
        }
        boolean ofTwo = expected instanceof FileSystemException about && about.getOtherFile() != null;
        if (expected.getClass() == IOException.class) {
            return actual instanceof IOException;
        }
        boolean onTheWay = expected instanceof NoSuchFileException && actual instanceof NotDirectoryException;
        return ofTwo || onTheWay || expected.getClass() == FileSystemException.class
                ? actual instanceof FileSystemException
                : expected.getClass() == actual.getClass();
    }

    static TreeMap<String, String> tree(Path base) throws IOException {
        TreeMap<String, String> all = new TreeMap<>();
        try (Stream<Path> paths = Files.walk(base)) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                BasicFileAttributes is =
                        Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
                all.put(
                        base.relativize(path).toString(),
                        is.isDirectory()
                                ? "directory"
                                : is.isSymbolicLink()
                                        ? "to " + Files.readSymbolicLink(path)
                                        : Files.readString(path));
            }
        }
        return all;
    }

    @Test
    void asTheDefaultProvider(@TempDir Path temp) throws IOException {
        System.out.println("-Djnova.seed=" + first);
        int made = 0;
        int good = 0;
        for (int run = 0; run < RUNS; run++) {
            long seed = first + run;
            try (NioPools pools = new NioPools();
                    FileSystem fs = pools.create("files", 16 * TestPools.MIB)) {
                Path base = Files.createDirectories(temp.resolve("run" + run + "/base")).toRealPath();
                Calls expected = new Calls(base, seed);
                Calls actual = new Calls(Files.createDirectory(fs.getPath("/base")), seed);
                TreeMap<String, String> before = tree(base);
                for (int i = 0; i < CALLS; i++) {
                    Object wanted = outcome(expected);
                    Object got = outcome(actual);
                    TreeMap<String, String> model = tree(base);
                    TreeMap<String, String> now = tree(fs.getPath("/base"));
                    if (wanted instanceof Exception && !model.equals(before)) {
                        boolean asGood = !(got instanceof Exception) || now.equals(before) || now.equals(model);
                        assertTrue(asGood, actual.made);
                        break; // the model's call failed, and has lost what was to be replaced
                    }
                    if (!agree(wanted, got)) {
                        fail(actual.made + ", " + i + " of seed " + seed + ": " + wanted + ", but here " + got);
                    }
                    assertEquals(model, now, actual.made);
                    good += wanted instanceof Exception ? 0 : 1;
                    before = now;
                    made++;
                }
                pools.closeSound(fs, "files");
            }
        }
        TestReport.line(
                "calls of Files, beside the default provider: %d, of which %d threw nothing", made, good);
    }
}
