/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.jnova.NovaStore;

/**
 * Extended attributes between the host and a store: the host's of the namespace {@code user}, which the store has
 * without that prefix. Those of files and directories: Linux allows none on symbolic links. Where the host's file
 * system knows none, there are none, and none are set.
 */
final class ExtendedAttributes {
    /** The longest value that a store takes; the host's are no longer. */
    private static final int VALUE_MAX = 1 << 16;

    private ExtendedAttributes() {}

    /** The host's, by name. */
    static Map<String, byte[]> ofHost(Path path) throws IOException {
        Map<String, byte[]> all = new TreeMap<>();
        UserDefinedFileAttributeView view = view(path);
        if (view == null) {
            return all;
        }
        try {
            for (String name : view.list()) {
                ByteBuffer value = ByteBuffer.allocate(Math.min(VALUE_MAX, view.size(name)));
                view.read(name, value);
                all.put(name, Arrays.copyOf(value.array(), value.position()));
            }
        } catch (IOException e) {
            if (isSupported(path)) {
                throw e;
            }
        }
        return all;
    }

    private static boolean isSupported(Path path) throws IOException {
        return Files.getFileStore(path).supportsFileAttributeView(UserDefinedFileAttributeView.class);
    }

    private static UserDefinedFileAttributeView view(Path path) {
        return Files.isSymbolicLink(path)
                ? null
                : Files.getFileAttributeView(path, UserDefinedFileAttributeView.class, NOFOLLOW_LINKS);
    }

    /** The store's, by name. */
    static Map<String, byte[]> ofStore(NovaStore store, String path) throws IOException {
        Map<String, byte[]> all = new TreeMap<>();
        for (String name : store.listAttributes(path, NOFOLLOW_LINKS)) {
            byte[] value = store.getAttribute(path, name, NOFOLLOW_LINKS);
            if (value != null) {
                all.put(name, value);
            }
        }
        return all;
    }

    static boolean same(Map<String, byte[]> one, Map<String, byte[]> other) {
        return one.keySet().equals(other.keySet())
                && one.entrySet().stream().allMatch(e -> Arrays.equals(e.getValue(), other.get(e.getKey())));
    }

    /**
     * Gives what is in the store the attributes of the host's file, and takes away those that it lacks.
     *
     * @return whether anything changed
     */
    static boolean store(Path from, NovaStore store, String path) throws IOException {
        Map<String, byte[]> wanted = ofHost(from);
        Map<String, byte[]> there = ofStore(store, path);
        if (same(wanted, there)) {
            return false;
        }
        for (Map.Entry<String, byte[]> each : wanted.entrySet()) {
            if (!Arrays.equals(each.getValue(), there.get(each.getKey()))) {
                store.setAttribute(path, each.getKey(), each.getValue(), NOFOLLOW_LINKS);
            }
        }
        for (String name : there.keySet()) {
            if (!wanted.containsKey(name)) {
                store.removeAttribute(path, name, NOFOLLOW_LINKS);
            }
        }
        return true;
    }

    /** Gives a file of the host the attributes of what is in the store, as far as its file system takes them. */
    static void restore(NovaStore store, String path, Path target) throws IOException {
        UserDefinedFileAttributeView view = view(target);
        Map<String, byte[]> wanted = ofStore(store, path);
        if (view == null) {
            return;
        }
        Map<String, byte[]> there = ofHost(target);
        try {
            for (Map.Entry<String, byte[]> each : wanted.entrySet()) {
                if (!Arrays.equals(each.getValue(), there.get(each.getKey()))) {
                    view.write(each.getKey(), ByteBuffer.wrap(each.getValue()));
                }
            }
            for (String name : there.keySet()) {
                if (!wanted.containsKey(name)) {
                    view.delete(name);
                }
            }
        } catch (IOException e) {
            if (isSupported(target)) {
                throw e;
            }
        }
    }
}
