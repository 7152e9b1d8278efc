/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.nio.file.FileSystemException;

/** A file, directory or symbolic link has no extended attribute of a name. */
public final class NoSuchAttributeException extends FileSystemException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes an exception about an extended attribute.
     *
     * @param file what was to have it
     * @param attribute its name
     */
    public NoSuchAttributeException(String file, String attribute) {
        super(file, null, "it has no extended attribute of this name: " + attribute);
    }
}
