/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;

/**
 * The regular files of a directory tree, as an import sees them. Links are not followed, but for the tree's root
 * itself.
 *
 * @param root the directory
 * @param files its files, sorted by name
 * @param bytes their size when they were listed
 * @param symlinks symbolic links, left out
 * @param special devices, sockets and pipes, left out
 * @param emptyDirectories directories with nothing in them, of which a flat store keeps no trace
 * @param problems what could not be listed or cannot be named, a sentence each
 */
record SourceTree(
        Path root,
        List<Entry> files,
        long bytes,
        int symlinks,
        int special,
        int emptyDirectories,
        List<String> problems) {

    /**
     * One file.
     *
     * @param path where it is
     * @param name what a store calls it
     * @param size bytes when it was listed
     */
    record Entry(Path path, String name, long size) {}

    static SourceTree list(Path directory) throws IOException, CommandFailure {
        if (!Files.isDirectory(directory)) {
            throw new CommandFailure(
                    directory + ": " + (Files.exists(directory) ? "not a directory" : "no such directory"));
        }
        Visitor visitor = new Visitor(directory.toRealPath());
        Files.walkFileTree(visitor.root, visitor);
        visitor.files.sort(Comparator.comparing(Entry::name));
        return new SourceTree(
                visitor.root,
                List.copyOf(visitor.files),
                visitor.files.stream().mapToLong(Entry::size).sum(),
                visitor.symlinks,
                visitor.special,
                visitor.emptyDirectories,
                List.copyOf(visitor.problems));
    }

    private static final class Visitor extends SimpleFileVisitor<Path> {
        private final Path root;
        private final List<Entry> files = new ArrayList<>();
        private final List<String> problems = new ArrayList<>();
        private final Deque<int[]> entriesPerLevel = new ArrayDeque<>();
        private int symlinks;
        private int special;
        private int emptyDirectories;

        Visitor(Path root) {
            this.root = root;
        }

        @Override
        public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
            countEntry();
            entriesPerLevel.push(new int[1]);
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult postVisitDirectory(Path directory, IOException failure) {
            if (failure != null) {
                problems.add(ErrorText.of(failure));
            }
            if (entriesPerLevel.pop()[0] == 0 && !directory.equals(root)) {
                emptyDirectories++;
            }
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            countEntry();
            if (attributes.isSymbolicLink()) {
                symlinks++;
            } else if (!attributes.isRegularFile()) {
                special++;
            } else {
                add(file, attributes.size());
            }
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFileFailed(Path file, IOException failure) {
            countEntry();
            problems.add(ErrorText.of(failure));
            return FileVisitResult.CONTINUE;
        }

        private void countEntry() {
            if (!entriesPerLevel.isEmpty()) {
                entriesPerLevel.peek()[0]++;
            }
        }

        private void add(Path file, long size) {
            String name = TreeName.encode(TreeName.relativeBytes(root, file));
            if (TreeName.fits(name)) {
                files.add(new Entry(file, name, size));
            } else {
                problems.add(file + ": its path in the tree, encoded, is longer than the " + TreeName.MAX_LEN
                        + " bytes of a name; import a directory nearer to it into a pool of its own");
            }
        }
    }
}
