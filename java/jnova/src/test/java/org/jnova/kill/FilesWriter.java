/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.kill;

import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.jnova.NovaFile;
import org.jnova.NovaStore;

/** A thread with files of its own, which it writes, cuts, makes, deletes and renames. */
final class FilesWriter extends Writer {
    private static final int SIZE_MAX = 400_000;

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
                    ? target -> target.rename(other, name)
                    : target -> target.create(name);
        }
        if (random.nextInt(100) < namesPercent) {
            return other.equals(name) || random.nextBoolean()
                    ? target -> target.delete(name)
                    : target -> target.rename(name, other);
        }
        int size = model.size(name);
        int kind = random.nextInt(10);
        if (kind < 2 || size == SIZE_MAX) {
            int newSize = random.nextInt(kind == 0 ? SIZE_MAX : size + 5000);
            return target -> target.setSize(name, Math.min(newSize, SIZE_MAX));
        }
        if (kind < 4) {
            byte[] bytes = bytes(random, length(random, SIZE_MAX - size));
            return target -> target.append(name, bytes);
        }
        int at = random.nextInt(Math.min(size + 5000, SIZE_MAX));
        byte[] bytes = bytes(random, length(random, SIZE_MAX - at));
        return target -> target.write(name, at, bytes);
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
    private static final class Files implements Target {
        private final NovaStore store;
        private final Sources sources = new Sources();
        private final Map<String, NovaFile> open = new HashMap<>();
        private int deletes;

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
