/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;
import org.jnova.internal.index.LogPages;

/**
 * Random operations on names, against a tree of nodes in memory: hard links, symbolic links, moves of whole subtrees,
 * reopened in between. The model says what each call must answer, errors included.
 */
class NamespaceModelTest {
    @Property(tries = 40, shrinking = ShrinkingMode.BOUNDED)
    void behavesLikeATree(@ForAll long seed, @ForAll @IntRange(min = 1, max = 300) int steps) throws IOException {
        run(seed, steps);
    }

    @Property(tries = 1)
    void longRuns(@ForAll long seed) throws IOException {
        for (int i = 0; i < (TestPools.FULL ? 50 : 2); i++) {
            run(seed + i, 4000);
        }
    }

    /** The same while every call cleans the log that it makes longer. */
    @Property(tries = 1)
    void longRunsWithShortLogs(@ForAll long seed) throws IOException {
        LogPages.cleanAlways(true);
        try {
            longRuns(seed);
        } finally {
            LogPages.cleanAlways(false);
        }
    }

    private static void run(long seed, int steps) throws IOException {
        try (TestPools pools = new TestPools()) {
            World world = new World(pools, new SplittableRandom(seed));
            try {
                for (int i = 0; i < steps; i++) {
                    world.step();
                }
                world.reopen();
                world.checkAll();
            } finally {
                world.store.close();
            }
            pools.assertSound("p");
        }
    }

    /** A file (size), a symbolic link (target) or a directory (children). */
    private static final class Node {
        final FileType type;
        final Map<String, Node> children = new TreeMap<>();
        final String target;
        Node parent; // of a directory
        int names;
        int mode;
        FileTime created; // null: when it was made
        long size;
        final Map<String, byte[]> attributes = new TreeMap<>();

        Node(FileType type, String target, Node parent) {
            this.type = type;
            this.target = target;
            this.parent = parent;
            this.mode = type == FileType.FILE ? 0644 : type == FileType.DIRECTORY ? 0755 : 0777;
        }

        boolean isDirectory() {
            return type == FileType.DIRECTORY;
        }
    }

    /** Where the model finds a path: a name in a directory; no directory if the path leads nowhere. */
    private record Place(Node directory, String name, Class<?> error) {
        Node node() {
            return directory == null ? null : directory.children.get(name);
        }
    }

    private static final class World {
        private static final String[] NAMES = {"a", "b", "c", "n".repeat(17), "n".repeat(255)};
        private static final int DEPTH = 4;

        final TestPools pools;
        final SplittableRandom random;
        final Node root = new Node(FileType.DIRECTORY, null, null);
        NovaStore store;

        World(TestPools pools, SplittableRandom random) throws IOException {
            this.pools = pools;
            this.random = random;
            this.store = pools.create("p", 16 * TestPools.MIB);
        }

        /** Mostly a path whose directories are there. */
        private String path() {
            StringBuilder path = new StringBuilder();
            Node at = root;
            int depth = random.nextInt(DEPTH);
            for (int i = 0; i < depth && at != null; i++) {
                List<String> inside = new ArrayList<>();
                for (Map.Entry<String, Node> child : at.children.entrySet()) {
                    if (child.getValue().type != FileType.FILE) {
                        inside.add(child.getKey());
                    }
                }
                String name = inside.isEmpty() || random.nextInt(20) == 0
                        ? NAMES[random.nextInt(NAMES.length)]
                        : inside.get(random.nextInt(inside.size()));
                path.append(name).append('/');
                at = at.children.get(name);
            }
            return path.append(NAMES[random.nextInt(NAMES.length)]).toString();
        }

        /** The last name is not followed; symbolic links on the way are, one by one, each to its whole target. */
        private Place find(String path) {
            return find(root, path, new int[1]);
        }

        private Place find(Node from, String path, int[] links) {
            Node at = path.startsWith("/") ? root : from;
            String[] names = path.replaceFirst("^/+", "").split("/+");
            for (int i = 0; i < names.length - 1; i++) {
                Node next = names[i].equals("..") ? at.parent : at.children.get(names[i]);
                if (next != null && next.type == FileType.SYMLINK) {
                    if (++links[0] > 40) {
                        return new Place(null, null, FileSystemLoopException.class);
                    }
                    Place there = find(at, next.target, links);
                    while (there.node() != null && there.node().type == FileType.SYMLINK) {
                        if (++links[0] > 40) {
                            return new Place(null, null, FileSystemLoopException.class);
                        }
                        there = find(there.directory, there.node().target, links);
                    }
                    if (there.directory == null) {
                        return there;
                    }
                    next = there.node();
                }
                if (next == null) {
                    return new Place(null, null, NoSuchFileException.class);
                }
                if (!next.isDirectory()) {
                    return new Place(null, null, NotDirectoryException.class);
                }
                at = next;
            }
            return new Place(at, names[names.length - 1], null);
        }

        void step() throws IOException {
            switch (random.nextInt(23)) {
                case 0, 1, 2 -> createFile();
                case 3, 4, 5 -> createDirectory();
                case 6, 7 -> createSymbolicLink();
                case 8, 9 -> createLink();
                case 10, 11, 12 -> delete();
                case 13, 14, 15, 16 -> rename();
                case 17 -> exchange();
                case 18 -> setAttributes();
                case 19, 20 -> setAttribute();
                case 21 -> removeAttribute();
                default -> {
                    if (random.nextInt(10) == 0) {
                        reopen();
                    }
                    if (random.nextInt(4) == 0) {
                        checkAll();
                    }
                }
            }
        }

        /** Something that throws what it must, or nothing. */
        private interface Call {
            void run() throws IOException;
        }

        /** Whether the call went through, as it must if nothing is expected. */
        private boolean answers(Class<?> expected, String what, Call call) throws IOException {
            Class<?> thrown = null;
            try {
                call.run();
            } catch (FileSystemException e) {
                thrown = e.getClass();
                if (expected == null) {
                    throw e;
                }
            }
            assertEquals(expected, thrown, what);
            return thrown == null;
        }

        private static Class<?> errorOfNew(Place place) {
            return place.error() != null
                    ? place.error()
                    : place.node() != null ? FileAlreadyExistsException.class : null;
        }

        private static Class<?> errorOfOld(Place place) {
            return place.error() != null ? place.error() : place.node() == null ? NoSuchFileException.class : null;
        }

        private static void add(Place place, Node node) {
            place.directory().children.put(place.name(), node);
            node.names++;
            if (node.isDirectory()) {
                node.parent = place.directory();
            }
        }

        private static void remove(Place place) {
            place.directory().children.remove(place.name()).names--;
        }

        private void createFile() throws IOException {
            String path = path();
            Place place = find(path);
            int size = random.nextInt(3) * 3000;
            Call call = () -> {
                try (NovaFile file = store.open(path, WRITE, CREATE_NEW)) {
                    file.setSize(size);
                }
            };
            if (answers(errorOfNew(place), "create " + path, call)) {
                Node node = new Node(FileType.FILE, null, null);
                node.size = size;
                add(place, node);
            }
        }

        private void createDirectory() throws IOException {
            String path = path();
            Place place = find(path);
            if (answers(errorOfNew(place), "mkdir " + path, () -> store.createDirectory(path))) {
                add(place, new Node(FileType.DIRECTORY, null, null));
            }
        }

        private void createSymbolicLink() throws IOException {
            String path = path();
            String target = (random.nextBoolean() ? "/" : "") + path();
            Place place = find(path);
            if (answers(errorOfNew(place), "symlink " + path, () -> store.createSymbolicLink(path, target))) {
                Node node = new Node(FileType.SYMLINK, target, null);
                node.size = target.length();
                add(place, node);
            }
        }

        private void createLink() throws IOException {
            String path = path();
            String existing = path();
            Place from = find(existing);
            Place to = find(path);
            Class<?> expected = errorOfOldThenNew(from, to);
            if (expected == null && from.node().isDirectory()) {
                expected = FileSystemException.class;
            }
            if (answers(expected, "link " + path + " " + existing, () -> store.createLink(path, existing))) {
                add(to, from.node());
            }
        }

        /** Walks come before look-ups of the last names. */
        private static Class<?> errorOfOldThenNew(Place from, Place to) {
            return from.error() != null
                    ? from.error()
                    : to.error() != null ? to.error() : from.node() == null ? errorOfOld(from) : errorOfNew(to);
        }

        private void delete() throws IOException {
            String path = path();
            Place place = find(path);
            Class<?> expected = errorOfOld(place);
            if (expected == null && !place.node().children.isEmpty()) {
                expected = DirectoryNotEmptyException.class;
            }
            if (answers(expected, "delete " + path, () -> store.delete(path))) {
                remove(place);
            }
        }

        private void rename() throws IOException {
            String from = path();
            String to = path();
            boolean replace = random.nextInt(3) != 0;
            Place source = find(from);
            Place target = find(to);
            Call call = () -> {
                if (replace) {
                    store.rename(from, to, REPLACE_EXISTING);
                } else {
                    store.rename(from, to);
                }
            };
            if (answers(errorOfRename(source, target, replace), "rename " + from + " " + to, call)
                    && source.node() != target.node()) {
                Node node = source.node();
                if (target.node() != null) {
                    remove(target);
                }
                remove(source);
                add(target, node);
            }
        }

        private Class<?> errorOfRename(Place source, Place target, boolean replace) {
            Class<?> expected = source.error() != null ? source.error() : target.error();
            if (expected != null) {
                return expected;
            }
            Node node = source.node();
            Node over = target.node();
            if (node == null) {
                return NoSuchFileException.class;
            }
            if (node == over) {
                return null;
            }
            if (over != null && !replace) {
                return FileAlreadyExistsException.class;
            }
            if (over != null && node.isDirectory() != over.isDirectory()) {
                return node.isDirectory() ? NotDirectoryException.class : FileSystemException.class;
            }
            if (isBelow(target.directory(), node)) {
                return FileSystemException.class;
            }
            return over != null && !over.children.isEmpty() ? DirectoryNotEmptyException.class : null;
        }

        private static boolean isBelow(Node at, Node node) {
            for (Node up = at; up != null; up = up.parent) {
                if (up == node) {
                    return true;
                }
            }
            return false;
        }

        private void exchange() throws IOException {
            String one = path();
            String other = path();
            Place a = find(one);
            Place b = find(other);
            Class<?> expected = a.error() != null ? a.error() : b.error();
            if (expected == null && (a.node() == null || b.node() == null)) {
                expected = NoSuchFileException.class;
            }
            if (expected == null
                    && a.node() != b.node()
                    && (isBelow(b.directory(), a.node()) || isBelow(a.directory(), b.node()))) {
                expected = FileSystemException.class;
            }
            if (answers(expected, "exchange " + one + " " + other, () -> store.exchange(one, other))) {
                Node was = a.node();
                Node now = b.node();
                remove(a);
                if (was != now) {
                    remove(b);
                    add(b, was);
                }
                add(a, now);
            }
        }

        private void setAttributes() throws IOException {
            String path = path();
            Place place = find(path);
            int mode = random.nextInt(010000);
            FileTime created = random.nextBoolean() ? FileTime.from(random.nextLong(), TimeUnit.NANOSECONDS) : null;
            AttributeChange change = AttributeChange.none().mode(mode);
            AttributeChange all = created == null ? change : change.created(created);
            if (answers(errorOfOld(place), "chmod " + path, () -> store.setAttributes(path, all, NOFOLLOW_LINKS))) {
                place.node().mode = mode;
                place.node().created = created == null ? place.node().created : created;
            }
        }

        private String attribute() {
            return random.nextInt(3) == 0 ? "n".repeat(255) : "user." + random.nextInt(3);
        }

        private void setAttribute() throws IOException {
            String path = path();
            Place place = find(path);
            String name = attribute();
            byte[] value = new byte[random.nextInt(3) == 0 ? random.nextInt(20_000) : random.nextInt(300)];
            random.nextBytes(value);
            AttributeOption option = random.nextInt(3) == 0 ? null : AttributeOption.values()[random.nextInt(2)];
            Class<?> expected = errorOfOld(place);
            if (expected == null && option != null) {
                boolean there = place.node().attributes.containsKey(name);
                if (there != (option == AttributeOption.REPLACE)) {
                    expected = there ? AttributeExistsException.class : NoSuchAttributeException.class;
                }
            }
            Call call = option == null
                    ? () -> store.setAttribute(path, name, value, NOFOLLOW_LINKS)
                    : () -> store.setAttribute(path, name, value, NOFOLLOW_LINKS, option);
            if (answers(expected, "setxattr " + path, call)) {
                place.node().attributes.put(name, value);
            }
        }

        private void removeAttribute() throws IOException {
            String path = path();
            Place place = find(path);
            String name = attribute();
            boolean[] was = new boolean[1];
            Call call = () -> was[0] = store.removeAttribute(path, name, NOFOLLOW_LINKS);
            if (answers(errorOfOld(place), "removexattr " + path, call)) {
                assertEquals(place.node().attributes.remove(name) != null, was[0], path);
            }
        }

        void reopen() throws IOException {
            store.close();
            store = pools.open("p");
        }

        void checkAll() throws IOException {
            check("/", root);
        }

        private void check(String path, Node node) throws IOException {
            FileInfo info = store.stat(path, NOFOLLOW_LINKS);
            assertEquals(node.type, info.type(), path);
            assertEquals(node.mode, info.mode(), path);
            if (node.created != null) {
                assertEquals(node.created, info.created(), path);
            }
            List<String> attributes = store.listAttributes(path, NOFOLLOW_LINKS);
            assertEquals(List.copyOf(node.attributes.keySet()), attributes, path);
            for (String name : attributes) {
                assertArrayEquals(node.attributes.get(name), store.getAttribute(path, name, NOFOLLOW_LINKS), path);
            }
            if (!node.isDirectory()) {
                assertEquals(node.size, info.size(), path);
                assertEquals(node.names, info.nlink(), path);
            }
            if (node.type == FileType.SYMLINK) {
                assertEquals(node.target, store.readSymbolicLink(path));
            }
            if (node.isDirectory()) {
                assertEquals(List.copyOf(node.children.keySet()), store.names(path), path);
                assertEquals(node.children.size(), info.size(), path);
                long inside = node.children.values().stream().filter(Node::isDirectory).count();
                assertEquals(2 + inside, info.nlink(), path);
                for (Map.Entry<String, Node> child : node.children.entrySet()) {
                    check((path.equals("/") ? "" : path) + "/" + child.getKey(), child.getValue());
                }
            }
        }
    }
}
