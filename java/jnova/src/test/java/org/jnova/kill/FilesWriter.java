/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.kill;

import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.jnova.AttributeChange;
import org.jnova.NovaFile;
import org.jnova.NovaStore;

/** A thread with files of its own, with which it does all that one can do. */
final class FilesWriter extends Writer {
    private static final int SIZE_MAX = 400_000;
    private static final int PAGE = 4096;
    private static final int ATTRIBUTE_MAX = 20_000;
    private static final String[] ATTRIBUTES = {"x", "y", "a name of several lines".repeat(8)};

    private final int slots;
    private final int namesPercent;

    /**
     * Makes one.
     *
     * @param slots number of names it uses
     * @param namesPercent how many of its calls are about names and not about bytes
     */
    FilesWriter(long seed, int thread, int slots, int namesPercent) {
        super(seed, thread);
        this.slots = slots;
        this.namesPercent = namesPercent;
    }

    private String prefix() {
        return "t" + thread + " ";
    }

    private String name(int slot) {
        return prefix() + slot;
    }

    @Override
    Target.Call choose(SplittableRandom random) {
        String name = name(random.nextInt(slots));
        String other = name(random.nextInt(slots));
        if (!model.has(name)) {
            return model.has(other) && random.nextInt(3) == 0
                    ? own(target -> target.rename(other, name))
                    : own(target -> target.create(name));
        }
        if (random.nextInt(100) < namesPercent) {
            return other.equals(name) || random.nextBoolean()
                    ? own(target -> target.delete(name))
                    : own(target -> target.rename(name, other));
        }
        return random.nextInt(3) == 0 ? chooseOther(random, name, other) : chooseBytes(random, name);
    }

    private Target.Call chooseBytes(SplittableRandom random, String name) {
        int size = model.size(name);
        int kind = random.nextInt(10);
        if (kind < 2 || size == SIZE_MAX) {
            int newSize = random.nextInt(kind == 0 ? SIZE_MAX : size + 5000);
            return own(target -> target.setSize(name, Math.min(newSize, SIZE_MAX)));
        }
        if (kind < 4) {
            byte[] bytes = bytes(random, length(random, SIZE_MAX - size));
            return target -> target.append(name, bytes);
        }
        int at = random.nextInt(Math.min(size + 5000, SIZE_MAX));
        byte[] bytes = bytes(random, length(random, SIZE_MAX - at));
        return target -> target.write(name, at, bytes);
    }

    /** Of ranges, copies and attributes. */
    private Target.Call chooseOther(SplittableRandom random, String name, String other) {
        int size = model.size(name);
        int at = random.nextInt(Math.min(size + 5000, SIZE_MAX));
        int length = length(random, SIZE_MAX - at);
        int pages = Math.max(0, size - 1) / PAGE; // that lie before the last byte
        switch (random.nextInt(8)) {
            case 0 -> {
                if (pages > 0) {
                    int from = random.nextInt(pages);
                    int count = 1 + random.nextInt(Math.min(4, pages - from));
                    return own(target -> target.collapse(name, from * PAGE, count * PAGE));
                }
            }
            case 1 -> {
                int from = random.nextInt(pages + 1);
                int count = 1 + random.nextInt(4);
                if (size > 0 && size + count * PAGE <= SIZE_MAX) {
                    return own(target -> target.insert(name, from * PAGE, count * PAGE));
                }
            }
            case 2 -> {
                boolean keepSize = random.nextBoolean();
                return own(target -> target.allocate(name, at, length, keepSize));
            }
            case 3 -> {
                String source = model.has(other) ? other : name;
                int from = random.nextInt(model.size(source) + 100);
                return own(target -> target.copy(source, from, name, at, length));
            }
            case 4 -> {
                int mode = random.nextInt(010000);
                long uid = Integer.toUnsignedLong(random.nextInt());
                return own(target -> target.setOwner(name, mode, uid));
            }
            case 5 -> {
                List<String> there = model.attributes(name);
                if (!there.isEmpty() && random.nextBoolean()) {
                    String attribute = there.get(random.nextInt(there.size()));
                    return own(target -> target.removeAttribute(name, attribute));
                }
                String attribute = ATTRIBUTES[random.nextInt(ATTRIBUTES.length)];
                byte[] value = bytes(random, length(random, ATTRIBUTE_MAX));
                return own(target -> target.setAttribute(name, attribute, value));
            }
            case 6 -> {
                return own(target -> target.defragment(name));
            }
            default -> {
                // below
            }
        }
        return own(target -> target.punch(name, at, length));
    }

    private static Target.Call own(Target.OwnCall call) {
        return call;
    }

    @Override
    Set<String> names() {
        return model.names();
    }

    @Override
    Model found(NovaStore store) throws IOException {
        Model found = new Model();
        for (String name : store.names()) {
            if (name.startsWith(prefix())) {
                try (NovaFile file = store.open(name)) {
                    found.put(name, Sources.readAll(file));
                    found.setOwner(name, file.info().mode(), file.info().uid());
                    for (String attribute : file.listAttributes()) {
                        found.setAttribute(name, attribute, file.getAttribute(attribute));
                    }
                }
            }
        }
        return found;
    }

    @Override
    Target files(NovaStore store) {
        return new Files(store);
    }

    /** Keeps the files open that it has used. */
    private static final class Files implements Target.Own {
        private final NovaStore store;
        private final Sources sources = new Sources();
        private final Map<String, NovaFile> open = new HashMap<>();
        private int deletes;
        private int punches;

        Files(NovaStore store) {
            this.store = store;
        }

        private NovaFile file(String name) throws IOException {
            NovaFile file = open.get(name);
            if (file == null) {
                file = store.open(name, READ, WRITE);
                open.put(name, file);
            }
            return file;
        }

        private void close(String name) throws IOException {
            NovaFile file = open.remove(name);
            if (file != null) {
                file.close();
            }
        }

        @Override
        public void create(String name) throws IOException {
            open.put(name, store.open(name, CREATE_NEW, READ, WRITE));
        }

        @Override
        public void write(String name, int at, byte[] bytes) throws IOException {
            sources.write(file(name), at, bytes);
        }

        @Override
        public void append(String name, byte[] bytes) throws IOException {
            sources.append(file(name), bytes);
        }

        @Override
        public void setSize(String name, int size) throws IOException {
            file(name).setSize(size);
        }

        /** By both names in turn. */
        @Override
        public void punch(String name, int at, int length) throws IOException {
            if ((punches++ & 1) == 0) {
                file(name).punchHole(at, length);
            } else {
                file(name).zeroRange(at, length);
            }
        }

        @Override
        public void collapse(String name, int at, int length) throws IOException {
            file(name).collapseRange(at, length);
        }

        @Override
        public void insert(String name, int at, int length) throws IOException {
            file(name).insertRange(at, length);
        }

        @Override
        public void allocate(String name, int at, int length, boolean keepSize) throws IOException {
            file(name).allocate(at, length, keepSize);
        }

        @Override
        public void defragment(String name) throws IOException {
            file(name).defragment();
        }

        @Override
        public void copy(String from, int at, String to, int toAt, int length) throws IOException {
            file(from).copyRange(at, file(to), toAt, length);
        }

        @Override
        public void setOwner(String name, int mode, long uid) throws IOException {
            store.setAttributes(name, AttributeChange.none().mode(mode).uid(uid));
        }

        @Override
        public void setAttribute(String name, String attribute, byte[] value) throws IOException {
            file(name).setAttribute(attribute, value);
        }

        @Override
        public void removeAttribute(String name, String attribute) throws IOException {
            if (!file(name).removeAttribute(attribute)) {
                throw new AssertionError("\"" + name + "\" has no attribute " + attribute);
            }
        }

        @Override
        public void rename(String from, String to) throws IOException {
            store.rename(from, to, StandardCopyOption.REPLACE_EXISTING);
            close(to);
            NovaFile file = open.remove(from);
            if (file != null) {
                open.put(to, file);
            }
        }

        /** In turn: of a file that is closed, of an open one, and of an open one that is written afterwards. */
        @Override
        public void delete(String name) throws IOException {
            int kind = deletes++ % 3;
            if (kind == 0) {
                close(name);
            } else {
                file(name);
            }
            store.delete(name);
            if (kind == 2) {
                sources.write(file(name), 100, new byte[10_000]);
            }
            close(name);
        }
    }
}
