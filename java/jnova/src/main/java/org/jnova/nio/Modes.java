/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;

/** Permission bits, and the attributes that a file can be made with. */
final class Modes {
    static final int PERMISSION_BITS = 0777;
    static final int EXECUTE_BITS = 0111;
    /** rw-r--r-- */
    static final int FILE = 0644;
    /** rwxr-xr-x */
    static final int DIRECTORY = 0755;

    private static final PosixFilePermission[] ALL = PosixFilePermission.values(); // rwx of owner, group, others

    private Modes() {}

    private static int bit(PosixFilePermission permission) {
        return 0400 >> permission.ordinal();
    }

    static Set<PosixFilePermission> permissions(int mode) {
        Set<PosixFilePermission> set = EnumSet.noneOf(PosixFilePermission.class);
        for (PosixFilePermission permission : ALL) {
            if ((mode & bit(permission)) != 0) {
                set.add(permission);
            }
        }
        return set;
    }

    /** Of a set of {@link PosixFilePermission}; anything else in it is a {@link ClassCastException}. */
    static int of(Set<?> permissions) {
        int mode = 0;
        for (Object permission : permissions) {
            mode |= bit((PosixFilePermission) Objects.requireNonNull(permission));
        }
        return mode;
    }

    /**
     * The mode that initial attributes ask for.
     *
     * @param otherwise what it is if they do not
     * @throws UnsupportedOperationException if they ask for something else
     */
    static int initial(int otherwise, FileAttribute<?>... attributes) {
        int mode = otherwise;
        for (FileAttribute<?> attribute : attributes) {
            String name = Objects.requireNonNull(attribute).name();
            mode = switch (name) {
                case "posix:permissions" -> of((Set<?>) attribute.value());
                case "unix:mode" -> (Integer) attribute.value() & 07777;
                default -> throw new UnsupportedOperationException("'" + name + "' not supported as initial attribute");
            };
        }
        return mode;
    }
}
