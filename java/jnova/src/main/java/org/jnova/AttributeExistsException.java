/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.nio.file.FileSystemException;

/** A file, directory or symbolic link has an extended attribute of a name already. */
public final class AttributeExistsException extends FileSystemException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes an exception about an extended attribute.
     *
     * @param file what was to have it
     * @param attribute its name
     */
    public AttributeExistsException(String file, String attribute) {
        super(file, null, "it has an extended attribute of this name already: " + attribute);
    }
}
