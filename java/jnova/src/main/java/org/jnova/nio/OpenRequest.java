/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * What a set of open options asks for.
 *
 * @param read whether the channel reads
 * @param write whether it writes
 * @param append whether it writes at the end
 * @param deleteOnClose whether the file loses its name
 * @param follow whether a symbolic link at the end is followed
 * @param forStore what the store is to be told
 */
record OpenRequest(
        boolean read, boolean write, boolean append, boolean deleteOnClose, boolean follow, OpenOption[] forStore) {

    /**
     * Checks options as the default provider does.
     *
     * @throws IllegalArgumentException if they exclude each other
     * @throws UnsupportedOperationException if one is of a kind that is not known
     */
    static OpenRequest of(Set<? extends OpenOption> options) {
        List<OpenOption> forStore = new ArrayList<>();
        for (OpenOption option : options) {
            Objects.requireNonNull(option);
            if (!(option instanceof StandardOpenOption) && option != LinkOption.NOFOLLOW_LINKS) {
                throw new UnsupportedOperationException(option + " not supported");
            }
            if (option != StandardOpenOption.APPEND && option != StandardOpenOption.DELETE_ON_CLOSE) {
                forStore.add(option);
            }
        }
        boolean append = options.contains(StandardOpenOption.APPEND);
        boolean write = append || options.contains(StandardOpenOption.WRITE);
        boolean read = options.contains(StandardOpenOption.READ) || !write;
        if (append && read) {
            throw new IllegalArgumentException("READ + APPEND not allowed");
        }
        if (append && options.contains(StandardOpenOption.TRUNCATE_EXISTING)) {
            throw new IllegalArgumentException("APPEND + TRUNCATE_EXISTING not allowed");
        }
        if (append) {
            forStore.add(StandardOpenOption.WRITE);
        }
        if (options.contains(StandardOpenOption.DELETE_ON_CLOSE) && !options.contains(StandardOpenOption.CREATE_NEW)) {
            forStore.add(LinkOption.NOFOLLOW_LINKS); // it is the name that goes: not of a link, but of what is open
        }
        return new OpenRequest(
                read,
                write,
                append,
                options.contains(StandardOpenOption.DELETE_ON_CLOSE),
                !forStore.contains(LinkOption.NOFOLLOW_LINKS),
                forStore.toArray(new OpenOption[0]));
    }
}
