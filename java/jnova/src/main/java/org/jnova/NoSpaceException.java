/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.nio.file.FileSystemException;

/**
 * The pool has no free block or inode left (or, while a pool is made, the file system that is to hold it has no
 * room). The call changed nothing. Deleting and truncating work on a full pool.
 */
public final class NoSpaceException extends FileSystemException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes an exception about missing space.
     *
     * @param file the file that could not grow, or the pool
     * @param reason what did not fit, and the remedy
     */
    public NoSpaceException(String file, String reason) {
        super(file, null, reason);
    }
}
