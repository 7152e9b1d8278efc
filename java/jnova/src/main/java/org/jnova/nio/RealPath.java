/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jnova.FileType;
import org.jnova.NovaStore;

/** Finds the real path of something that is there. Not of one moment, as with the default provider. */
final class RealPath {
    private static final int LINKS_MAX = 40;

    private RealPath() {}

    static NovaPath of(NovaPath path, boolean follow) throws IOException {
        NovaStore store = path.getFileSystem().store();
        store.stat(path.inStore(), NovaFileSystemProvider.links(follow)); // it must be there
        return walk(store, path.toAbsolutePath(), follow);
    }

    /** Without following, "name/.." stays if the name is that of a link, since the two may lead anywhere. */
    private static NovaPath walk(NovaStore store, NovaPath path, boolean follow) throws IOException {
        Deque<NovaPath> todo = new ArrayDeque<>();
        path.forEach(name -> todo.add((NovaPath) name));
        NovaPath at = path.getRoot();
        int links = 0;
        while (!todo.isEmpty()) {
            NovaPath name = todo.pop();
            NovaPath next = at.resolve(name);
            switch (name.toString()) {
                case "", "." -> {
                    // stays there
                }
                case ".." -> at = follow || !endsInLink(store, at) ? parent(at) : next;
                default -> {
                    if (follow && isLink(store, next)) {
                        if (++links > LINKS_MAX) {
                            throw new FileSystemLoopException(path.toString());
                        }
                        Path target = next.getFileSystem().getPath(store.readSymbolicLink(next.inStore()));
                        for (int i = target.getNameCount() - 1; i >= 0; i--) {
                            todo.push((NovaPath) target.getName(i));
                        }
                        at = target.isAbsolute() ? at.getRoot() : at;
                    } else {
                        at = next;
                    }
                }
            }
        }
        return at;
    }

    private static NovaPath parent(NovaPath path) {
        NovaPath parent = path.getParent();
        return parent == null ? path : parent;
    }

    private static boolean endsInLink(NovaStore store, NovaPath path) throws IOException {
        NovaPath name = path.getFileName();
        return name != null && (name.toString().equals("..") || isLink(store, path));
    }

    private static boolean isLink(NovaStore store, NovaPath path) throws IOException {
        return store.stat(path.inStore(), LinkOption.NOFOLLOW_LINKS).type() == FileType.SYMLINK;
    }
}
