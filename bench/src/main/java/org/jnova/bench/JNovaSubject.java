/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jnova.NovaFile;
import org.jnova.NovaStore;
import org.jnova.StoreOptions;

/**
 * JNova itself, its pool touched ahead, as the limit's memory is. The pool has room for the files, for what one iteration
 * makes, and for logs.
 */
final class JNovaSubject implements Subject {
    /** From where the caller's bytes come. */
    enum Source {
        DIRECT,
        HEAP,
        ARRAY
    }

    /** For logs. */
    private static final long ROOM = 256L << 20;

    /** For two sessions' appends, until they cut the file, and for their log. */
    private static final long APPEND_ROOM = 768L << 20;

    /** For the small files of an iteration, two blocks each. */
    private static final long SMALL_FILES_ROOM = 3L << 30;

    /** Bytes that a session appends until it cuts its file, a few times in an iteration. */
    private static final long APPENDED_MAX = 128L << 20;

    private static final int FILL_LEN = 1 << 20;
    private static final String SMALL = "small";

    private final Conditions conditions;
    private final Source source;
    private final NovaStore store;
    private final List<NovaFile> files = new ArrayList<>();

    JNovaSubject(Conditions conditions, Source source, boolean emulated) throws IOException {
        this.conditions = conditions;
        this.source = source;
        long filled = conditions.appends() || conditions.workload().onNames() ? 0 : conditions.size();
        store = NovaStore.create(
                conditions.dir().resolve("pool"),
                filled * conditions.files() + filled / 8 + room(),
                StoreOptions.builder().emulated(emulated).prefault(true).build());
        ByteBuffer content = ByteBuffer.allocateDirect(FILL_LEN);
        for (int i = 0; i < conditions.files(); i++) {
            NovaFile file = store.open("file" + i, READ, WRITE, CREATE_NEW);
            for (long at = 0; at < filled; at += FILL_LEN) {
                file.write(at, content.clear());
            }
            files.add(file);
        }
        store.open("closed", WRITE, CREATE_NEW).close();
        store.createDirectory(SMALL);
    }

    private long room() {
        return makes() ? SMALL_FILES_ROOM : conditions.appends() ? APPEND_ROOM : ROOM;
    }

    private boolean makes() {
        return conditions.workload().call == Workload.Call.CREATE;
    }

    @Override
    public Session session(int thread) {
        NovaFile file = files.get(thread % files.size());
        return switch (source) {
            case DIRECT -> new BufferSession(store, file, conditions.direct());
            case HEAP -> new BufferSession(store, file, ByteBuffer.wrap(conditions.array()));
            case ARRAY -> new ArraySession(file, conditions.array());
        };
    }

    @Override
    public void reset() throws IOException {
        if (conditions.appends()) {
            for (NovaFile file : files) {
                file.truncate(0);
            }
        }
        if (makes()) {
            for (String name : store.names(SMALL)) {
                store.delete(SMALL + '/' + name);
            }
        }
    }

    @Override
    public void close() throws IOException {
        for (NovaFile file : files) {
            file.close();
        }
        store.close();
    }

    private static final class BufferSession extends Session {
        private final NovaStore store;
        private final NovaFile file;
        private final ByteBuffer buffer;
        private boolean renamed;
        private long appended;

        BufferSession(NovaStore store, NovaFile file, ByteBuffer buffer) {
            this.store = store;
            this.file = file;
            this.buffer = buffer;
        }

        @Override
        long write(long offset) throws IOException {
            return file.write(offset, buffer.clear());
        }

        @Override
        long read(long offset) throws IOException {
            return file.read(offset, buffer.clear());
        }

        @Override
        long append() throws IOException {
            if ((appended += buffer.capacity()) > APPENDED_MAX) {
                file.truncate(0);
                appended = 0;
            }
            return file.append(buffer.clear());
        }

        @Override
        void create(long number) throws IOException {
            try (NovaFile small = store.open(SMALL + '/' + number, WRITE, CREATE)) {
                small.write(0, buffer.clear());
            }
        }

        @Override
        void rename() throws IOException {
            store.rename(renamed ? "renamed" : "closed", renamed ? "closed" : "renamed");
            renamed = !renamed;
        }

        @Override
        void open() throws IOException {
            store.open("closed", READ).close();
        }
    }

    private static final class ArraySession extends Session {
        private final NovaFile file;
        private final byte[] array;
        private long appended;

        ArraySession(NovaFile file, byte[] array) {
            this.file = file;
            this.array = array;
        }

        @Override
        long write(long offset) throws IOException {
            return file.write(offset, array, 0, array.length);
        }

        @Override
        long read(long offset) throws IOException {
            return file.read(offset, array, 0, array.length);
        }

        @Override
        long append() throws IOException {
            if ((appended += array.length) > APPENDED_MAX) {
                file.truncate(0);
                appended = 0;
            }
            return file.append(array, 0, array.length);
        }
    }
}
