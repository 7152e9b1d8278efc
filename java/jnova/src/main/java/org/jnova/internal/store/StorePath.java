/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.nio.file.InvalidPathException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jnova.internal.core.Abi;

/**
 * A path in a store: names between slashes. Where slashes stand side by side, at the start or at the end there is no
 * name. May have "." and ".." among its names, which walking it resolves.
 *
 * @param text as its user wrote it
 * @param start the directory that it starts from, or null for the root
 * @param names the bytes of its names, in order; not to be changed
 */
record StorePath(String text, DirectoryState start, List<byte[]> names) {

    /**
     * Takes a path apart that starts from the root, whether it begins with a slash or not.
     *
     * @throws InvalidPathException if it is none
     */
    static StorePath of(String text) {
        return of(null, text);
    }

    /**
     * Takes a path apart that starts from a directory; but from the root if it begins with a slash.
     *
     * @throws InvalidPathException if it is none
     */
    static StorePath of(DirectoryState start, String text) {
        if (text.isEmpty()) {
            throw new InvalidPathException(text, "a path must not be empty; the root directory is \"/\"");
        }
        byte[] bytes = Names.utf8(text);
        for (byte b : bytes) {
            if (b == 0) {
                throw new InvalidPathException(text, "a path must not contain NUL");
            }
        }
        List<byte[]> names = split(bytes);
        for (byte[] name : names) {
            if (name.length > Abi.NAME_MAX) {
                throw new InvalidPathException(
                        text,
                        "a name has at most " + Abi.NAME_MAX + " bytes in UTF-8; one in this path has " + name.length);
            }
        }
        return new StorePath(text, text.charAt(0) == '/' ? null : start, names);
    }

    /** The names in a path that is known to be one, or that somebody stored in a symbolic link. */
    static List<byte[]> split(byte[] path) {
        List<byte[]> names = new ArrayList<>();
        int start = 0;
        for (int i = 0; i <= path.length; i++) {
            if (i == path.length || path[i] == '/') {
                if (i > start) {
                    names.add(Arrays.copyOfRange(path, start, i));
                }
                start = i + 1;
            }
        }
        return names;
    }

    static boolean isSelf(byte[] name) {
        return name.length == 1 && name[0] == '.';
    }

    static boolean isParent(byte[] name) {
        return name.length == 2 && name[0] == '.' && name[1] == '.';
    }
}
