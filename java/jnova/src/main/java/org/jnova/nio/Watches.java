/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.WatchEvent;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jnova.NovaDirectory;

/**
 * Who watches which directories. Every call of the provider that has changed something says so here, after the change;
 * it costs one look at an empty map while nobody watches. Changes past the provider, by a {@link org.jnova.NovaStore} or
 * a mapped region, are not seen.
 */
final class Watches {
    private final NovaFileSystem fs;
    private final Map<FileKey, List<NovaWatchService.Key>> watched = new ConcurrentHashMap<>();

    Watches(NovaFileSystem fs) {
        this.fs = fs;
    }

    void add(NovaWatchService.Key key) {
        watched.compute(key.directory(), (directory, before) -> {
            List<NovaWatchService.Key> keys = before == null ? new CopyOnWriteArrayList<>() : before;
            keys.add(key);
            return keys;
        });
    }

    void remove(NovaWatchService.Key key) {
        watched.computeIfPresent(key.directory(), (directory, keys) -> {
            keys.remove(key);
            return keys.isEmpty() ? null : keys;
        });
    }

    /** Whether nobody watches anything. */
    boolean isIdle() {
        return watched.isEmpty();
    }

    /** Something has happened to what a path names. */
    void signal(WatchEvent.Kind<Path> kind, NovaPath path) {
        signal(kind, fs.top(), path);
    }

    /** The same, of a path that starts from a directory. */
    void signal(WatchEvent.Kind<Path> kind, NovaDirectory start, NovaPath path) {
        NovaPath name = path.getFileName();
        if (isIdle() || name == null || name.isEmpty()) {
            return;
        }
        NovaPath parent = path.getParent();
        try {
            FileKey directory = FileKey.of(fs, start.stat(parent == null ? "." : parent.inStore()));
            for (NovaWatchService.Key key : watched.getOrDefault(directory, List.of())) {
                key.signal(kind, name);
            }
        } catch (IOException e) {
            // the directory is gone by now, and whoever watched it has been told
        }
    }

    /** A directory has been deleted. */
    void gone(FileKey directory) {
        watched.getOrDefault(directory, List.of()).forEach(NovaWatchService.Key::directoryIsGone);
    }
}
