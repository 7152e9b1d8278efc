/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jnova.FileType;

/**
 * A directory tree as an import sees it. Links are not followed, but for the tree's root itself.
 *
 * @param root the directory
 * @param entries what is below it, sorted by path, so that a directory comes before what is in it
 * @param bytes size of its files when they were listed, each counted once
 * @param special devices, sockets and pipes, left out
 * @param problems what could not be listed or named, a sentence each
 */
record SourceTree(Path root, List<Entry> entries, long bytes, int special, List<String> problems) {
    /**
     * A file, directory or symbolic link.
     *
     * @param path where it is
     * @param name its path below the root, with slashes
     * @param type what it is
     * @param size bytes when it was listed
     * @param attributes its attributes then
     * @param linked the name of another entry, before this one, that is the same file; or null
     */
    record Entry(Path path, String name, FileType type, long size, HostAttributes attributes, String linked) {}

    static SourceTree list(Path directory) throws IOException, CommandFailure {
        if (!Files.isDirectory(directory)) {
            throw new CommandFailure(
                    directory + ": " + (Files.exists(directory) ? "not a directory" : "no such directory"));
        }
        Visitor visitor = new Visitor(directory.toRealPath());
        Files.walkFileTree(visitor.root, visitor);
        List<Entry> entries = withLinks(visitor.entries);
        return new SourceTree(
                visitor.root,
                entries,
                entries.stream().filter(e -> e.linked() == null).mapToLong(Entry::size).sum(),
                visitor.special,
                List.copyOf(visitor.problems));
    }

    private static List<Entry> withLinks(List<Entry> found) {
        List<Entry> entries = new ArrayList<>(found.size());
        Map<Object, String> firsts = new HashMap<>();
        found.sort(Comparator.comparing(Entry::name));
        for (Entry e : found) {
            boolean many = e.type() != FileType.DIRECTORY && e.attributes().nlink() > 1;
            String first = many ? firsts.putIfAbsent(e.attributes().key(), e.name()) : null;
            entries.add(new Entry(e.path(), e.name(), e.type(), e.size(), e.attributes(), first));
        }
        return List.copyOf(entries);
    }

    /** Everything but directories. */
    List<Entry> files() {
        return entries.stream().filter(entry -> entry.type() != FileType.DIRECTORY).toList();
    }

    long count(FileType type) {
        return entries.stream().filter(entry -> entry.type() == type).count();
    }

    private static final class Visitor extends SimpleFileVisitor<Path> {
        private final Path root;
        private final List<Entry> entries = new ArrayList<>();
        private final List<String> problems = new ArrayList<>();
        private final Map<Path, String> names = new HashMap<>();
        private int special;

        Visitor(Path root) {
            this.root = root;
            names.put(root, "");
        }

        @Override
        public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) throws IOException {
            if (directory.equals(root)) {
                return FileVisitResult.CONTINUE;
            }
            String name = add(directory, FileType.DIRECTORY, 0);
            if (name == null) {
                return FileVisitResult.SKIP_SUBTREE;
            }
            names.put(directory, name + "/");
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult postVisitDirectory(Path directory, IOException failure) {
            if (failure != null) {
                problems.add(ErrorText.of(failure));
            }
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
            if (attributes.isSymbolicLink()) {
                add(file, FileType.SYMLINK, 0);
            } else if (!attributes.isRegularFile()) {
                special++;
            } else {
                add(file, FileType.FILE, attributes.size());
            }
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFileFailed(Path file, IOException failure) {
            problems.add(ErrorText.of(failure));
            return FileVisitResult.CONTINUE;
        }

        /** Returns its path below the root, or null if it cannot have one in a store. */
        private String add(Path file, FileType type, long size) {
            Optional<String> last = HostPath.name(file);
            if (last.isEmpty()) {
                problems.add(file + ": its name is not UTF-8, and names in a pool are; rename it");
                return null;
            }
            String name = names.get(file.getParent()) + last.get();
            if (WholeFiles.isUnfinished(name)) {
                problems.add(file + ": names beginning with " + WholeFiles.PART_PREFIX + " are for unfinished files");
                return null;
            }
            try {
                entries.add(new Entry(file, name, type, size, HostAttributes.of(file), null));
                return name;
            } catch (IOException e) {
                problems.add(ErrorText.of(e));
                return null;
            }
        }
    }
}
