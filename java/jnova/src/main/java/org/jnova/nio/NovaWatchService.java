/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.TimeUnit;

/** Watches directories: told of each change by the call that made it, so there is no thread and no polling. */
final class NovaWatchService implements WatchService {
    private static final int EVENTS_MAX = 512;
    private static final Set<WatchEvent.Kind<?>> KINDS = Set.of(
            StandardWatchEventKinds.ENTRY_CREATE,
            StandardWatchEventKinds.ENTRY_DELETE,
            StandardWatchEventKinds.ENTRY_MODIFY);

    private final NovaFileSystem fs;
    private final LinkedBlockingDeque<Key> signalled = new LinkedBlockingDeque<>();
    private final Map<FileKey, Key> keys = new HashMap<>(); // guarded by this
    private final Key closing = new Key(null, null); // wakes who waits
    private volatile boolean closed;

    NovaWatchService(NovaFileSystem fs) {
        this.fs = fs;
        fs.opened(this);
    }

    /** What happened to one name, once or several times in a row. */
    private record Event<T>(WatchEvent.Kind<T> kind, T context, int count) implements WatchEvent<T> {
        boolean isSame(WatchEvent.Kind<?> otherKind, Object otherContext) {
            return kind == otherKind && Objects.equals(context, otherContext);
        }

        Event<T> again() {
            return new Event<>(kind, context, count + 1);
        }
    }

    /** A directory that is watched. */
    final class Key implements WatchKey {
        private final NovaPath path;
        private final FileKey directory;
        private final List<Event<?>> events = new ArrayList<>(); // guarded by this, as all below
        private Set<WatchEvent.Kind<?>> kinds = Set.of();
        private boolean waiting; // signalled, and not reset since
        private volatile boolean valid = true;

        private Key(NovaPath path, FileKey directory) {
            this.path = path;
            this.directory = directory;
        }

        FileKey directory() {
            return directory;
        }

        private synchronized void watch(Set<WatchEvent.Kind<?>> wanted) {
            kinds = wanted;
        }

        synchronized void signal(WatchEvent.Kind<Path> kind, Path name) {
            if (!valid || !kinds.contains(kind)) {
                return;
            }
            int last = events.size() - 1;
            if (last >= 0 && events.get(last).isSame(kind, name)) {
                events.set(last, events.get(last).again());
            } else if (last >= 0 && events.get(last).kind() == StandardWatchEventKinds.OVERFLOW) {
                events.set(last, events.get(last).again());
            } else if (events.size() >= EVENTS_MAX) {
                events.clear();
                events.add(new Event<>(StandardWatchEventKinds.OVERFLOW, null, 1));
            } else {
                events.add(new Event<>(kind, name, 1));
            }
            enqueue();
        }

        private void enqueue() {
            if (!waiting) {
                waiting = true;
                signalled.add(this);
            }
        }

        void directoryIsGone() {
            cancel();
            synchronized (this) {
                enqueue();
            }
        }

        @Override
        public boolean isValid() {
            return valid;
        }

        @Override
        public synchronized List<WatchEvent<?>> pollEvents() {
            List<WatchEvent<?>> all = List.copyOf(events);
            events.clear();
            return all;
        }

        @Override
        public synchronized boolean reset() {
            if (waiting && valid) {
                waiting = false;
                if (!events.isEmpty()) {
                    enqueue();
                }
            }
            return valid;
        }

        @Override
        public void cancel() {
            synchronized (NovaWatchService.this) {
                if (keys.remove(directory, this)) {
                    fs.watches().remove(this);
                }
                valid = false;
            }
        }

        @Override
        public Path watchable() {
            return path;
        }
    }

    WatchKey register(NovaPath path, WatchEvent.Kind<?>[] events, WatchEvent.Modifier... modifiers)
            throws IOException {
        Set<WatchEvent.Kind<?>> kinds = wanted(events);
        for (WatchEvent.Modifier modifier : modifiers) {
            if (!Objects.requireNonNull(modifier).getClass().getName().endsWith("SensitivityWatchEventModifier")) {
                throw new UnsupportedOperationException("Modifier not supported");
            }
        }
        checkOpen();
        if (path.getFileSystem() != fs) {
            throw new ProviderMismatchException();
        }
        NovaAttributes attributes = fs.attributes(path, true);
        if (!attributes.isDirectory()) {
            throw new NotDirectoryException(path.toString());
        }
        synchronized (this) {
            checkOpen();
            Key key = keys.get(attributes.fileKey());
            boolean isNew = key == null;
            if (isNew) {
                key = new Key(path, attributes.fileKey());
                keys.put(attributes.fileKey(), key);
            }
            key.watch(kinds);
            if (isNew) {
                fs.watches().add(key);
            }
            return key;
        }
    }

    private static Set<WatchEvent.Kind<?>> wanted(WatchEvent.Kind<?>... events) {
        Set<WatchEvent.Kind<?>> kinds = new HashSet<>();
        for (WatchEvent.Kind<?> kind : events) {
            if (KINDS.contains(Objects.requireNonNull(kind))) {
                kinds.add(kind);
            } else if (kind != StandardWatchEventKinds.OVERFLOW) {
                throw new UnsupportedOperationException(kind.name());
            }
        }
        if (kinds.isEmpty()) {
            throw new IllegalArgumentException("No events to register");
        }
        return kinds;
    }

    private void checkOpen() {
        if (closed) {
            throw new ClosedWatchServiceException();
        }
    }

    /** What was taken, unless it is what wakes all when the service closes: that stays for the others. */
    private WatchKey taken(Key key) {
        if (key == closing) {
            signalled.add(closing);
        }
        checkOpen();
        return key;
    }

    @Override
    public WatchKey poll() {
        checkOpen();
        return taken(signalled.poll());
    }

    @Override
    public WatchKey poll(long timeout, TimeUnit unit) throws InterruptedException {
        checkOpen();
        return taken(signalled.poll(timeout, unit));
    }

    @Override
    public WatchKey take() throws InterruptedException {
        checkOpen();
        return taken(signalled.take());
    }

    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            for (Key key : List.copyOf(keys.values())) {
                key.cancel();
            }
        }
        signalled.clear();
        signalled.add(closing);
        fs.closed(this);
    }
}
