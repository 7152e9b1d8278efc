/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import org.jnova.internal.store.StoreCore.Creation;

/** The meaning of a set of open options. */
record OpenMode(boolean read, boolean write, Creation creation, boolean truncate, boolean follow) {

    /** Sums options up, as a FileChannel does: creation and truncation count only for who may write. */
    static OpenMode of(OpenOption... options) {
        boolean read = false;
        boolean write = false;
        boolean truncate = false;
        boolean follow = true;
        Creation creation = Creation.NEVER;
        for (OpenOption option : options) {
            Objects.requireNonNull(option, "option");
            if (option == LinkOption.NOFOLLOW_LINKS) {
                follow = false;
                continue;
            }
            if (!(option instanceof StandardOpenOption standard)) {
                throw unsupported(option);
            }
            switch (standard) {
                case READ -> read = true;
                case WRITE -> write = true;
                case TRUNCATE_EXISTING -> truncate = true;
                case CREATE_NEW -> creation = Creation.ALWAYS;
                case CREATE -> creation = creation == Creation.ALWAYS ? creation : Creation.IF_MISSING;
                case SYNC, DSYNC, SPARSE -> {
                    // Every write is durable on return, and every file may be sparse.
                }
                default -> throw unsupported(option);
            }
        }
        return write
                ? new OpenMode(read, true, creation, truncate && creation != Creation.ALWAYS, follow)
                : new OpenMode(true, false, Creation.NEVER, false, follow);
    }

    private static UnsupportedOperationException unsupported(OpenOption option) {
        String hint = option == StandardOpenOption.APPEND ? "; open with WRITE and use NovaFile.append" : "";
        return new UnsupportedOperationException("open option " + option + hint);
    }
}
