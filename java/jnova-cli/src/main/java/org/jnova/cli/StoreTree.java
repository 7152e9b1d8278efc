/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.io.IOException;
import org.jnova.FileInfo;
import org.jnova.FileType;
import org.jnova.NovaStore;

/** Walks through a tree of a store. Symbolic links are not followed. */
final class StoreTree {
    private StoreTree() {}

    /** Hears of what is in a tree. */
    interface Visitor {
        /** Something, a directory before what is in it. */
        void enter(String path, FileInfo info) throws IOException;

        /** A directory, after what is in it. */
        default void leave(String path, FileInfo info) throws IOException {}
    }

    /** Walks through what a path names. */
    static void walk(NovaStore store, String path, Visitor visitor) throws IOException {
        walk(store, path, store.stat(path, NOFOLLOW_LINKS), visitor);
    }

    private static void walk(NovaStore store, String path, FileInfo info, Visitor visitor) throws IOException {
        visitor.enter(path, info);
        if (info.type() == FileType.DIRECTORY) {
            for (FileInfo inside : store.list(path)) {
                walk(store, join(path, inside.name()), inside, visitor);
            }
            visitor.leave(path, info);
        }
    }

    /** The path of a name in a directory. */
    static String join(String directory, String name) {
        return directory.endsWith("/") ? directory + name : directory + "/" + name;
    }

    /** A path below the root without the slash before it. */
    static String relative(String path) {
        return path.startsWith("/") ? path.substring(1) : path;
    }

    /** The last name of a path. */
    static String lastName(String path) {
        int end = path.length();
        while (end > 1 && path.charAt(end - 1) == '/') {
            end--;
        }
        return path.substring(path.lastIndexOf('/', end - 1) + 1, end);
    }
}
