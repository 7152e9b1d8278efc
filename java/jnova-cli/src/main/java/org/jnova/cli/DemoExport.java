/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jnova.FileType;

/** Exports the demo's pool to a folder of its own, and compares what comes out with the source. */
final class DemoExport {
    private DemoExport() {}

    static void run(Path pool, boolean emulated, SourceTree source, DemoStory story, Streams streams)
            throws IOException, CommandFailure {
        Path folder = Files.createTempDirectory(placeFor(pool, source.bytes()), "jnova-demo-export-");
        story.begin("Export to " + folder + ", and compare what comes out with the source");
        ShutdownTask cleanUp = new ShutdownTask(() -> deleteTree(folder));
        try {
            ByteArrayOutputStream printed = new ByteArrayOutputStream();
            PrintStream capture = new PrintStream(printed, false, StandardCharsets.UTF_8);
            int code = Main.run(
                    new Streams(streams.in(), capture, streams.err(), streams.interactive()),
                    emulated
                            ? new String[] {"export", "--emulated", pool.toString(), folder.toString()}
                            : new String[] {"export", pool.toString(), folder.toString()});
            printed.toString(StandardCharsets.UTF_8).lines().forEach(story::line);
            story.check(code == Main.OK, "it goes through");
            compare(source, SourceTree.list(folder), story);
        } finally {
            cleanUp.finish();
        }
        story.end();
    }

    /** Beside the pool if there is room. */
    private static Path placeFor(Path pool, long bytes) throws IOException {
        Path beside = pool.toAbsolutePath().getParent();
        boolean fits = Files.getFileStore(beside).getUsableSpace() > bytes + bytes / 8;
        return fits ? beside : Path.of(System.getProperty("java.io.tmpdir"));
    }

    private static void compare(SourceTree source, SourceTree back, DemoStory story) throws IOException {
        Map<String, SourceTree.Entry> found = new HashMap<>();
        back.entries().forEach(entry -> found.put(entry.name(), entry));
        int contents = 0;
        int attributes = 0;
        int links = 0;
        for (SourceTree.Entry entry : source.entries()) {
            SourceTree.Entry other = found.remove(entry.name());
            if (other != null && other.type() == entry.type()) {
                contents += sameContent(entry, other) ? 1 : 0;
                attributes += sameAttributes(entry, other) ? 1 : 0;
                links += Objects.equals(entry.linked(), other.linked()) ? 1 : 0;
            }
        }
        int all = source.entries().size();
        story.check(found.isEmpty(), "nothing came out that is not in the source");
        story.check(contents == all, contents + " of " + all + " have the bytes, or the target, of their source");
        story.check(attributes == all, attributes + " of " + all + " have its mode and time");
        story.check(links == all, links + " of " + all + " are linked to the same others");
    }

    private static boolean sameContent(SourceTree.Entry one, SourceTree.Entry other) throws IOException {
        return switch (one.type()) {
            case DIRECTORY -> true;
            case SYMLINK -> Files.readSymbolicLink(one.path()).equals(Files.readSymbolicLink(other.path()));
            case FILE -> Files.mismatch(one.path(), other.path()) < 0;
        };
    }

    /** Times to the microsecond, and not of links: older JDKs set no more. */
    private static boolean sameAttributes(SourceTree.Entry one, SourceTree.Entry other) {
        HostAttributes a = one.attributes();
        HostAttributes b = other.attributes();
        return one.type() == FileType.SYMLINK
                || a.mode() == b.mode()
                        && a.modified().to(TimeUnit.MICROSECONDS) == b.modified().to(TimeUnit.MICROSECONDS);
    }

    private static void deleteTree(Path folder) {
        try {
            if (!Files.exists(folder)) {
                return;
            }
            Files.walkFileTree(folder, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
                        throws IOException {
                    Files.setAttribute(directory, "unix:mode", 0700); // what came out may be read-only
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    Files.delete(file);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult postVisitDirectory(Path directory, IOException failure) throws IOException {
                    Files.delete(directory);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            // It stays, in a folder for temporary files or in memory, and has a name that says what it is.
        }
    }
}
