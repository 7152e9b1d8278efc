/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.List;

/** Extended attributes, under the names that the store has: no prefix is added. */
final class UserAttributes implements UserDefinedFileAttributeView {
    private final PathNode node;

    UserAttributes(PathNode node) {
        this.node = node;
    }

    @Override
    public String name() {
        return "user";
    }

    @Override
    public List<String> list() throws IOException {
        return node.store().listAttributes(node.path().inStore(), node.links());
    }

    /** The value of an attribute that must be there. */
    byte[] get(String name) throws IOException {
        byte[] value = node.store().getAttribute(node.path().inStore(), name, node.links());
        if (value == null) {
            throw missing(name);
        }
        return value;
    }

    private FileSystemException missing(String name) {
        return new FileSystemException(node.path().toString(), null, "no extended attribute '" + name + "'");
    }

    @Override
    public int size(String name) throws IOException {
        return get(name).length;
    }

    @Override
    public int read(String name, ByteBuffer dst) throws IOException {
        if (dst.isReadOnly()) {
            throw new IllegalArgumentException("Read-only buffer");
        }
        byte[] value = get(name);
        if (value.length > dst.remaining()) {
            throw new FileSystemException(
                    node.path().toString(),
                    null,
                    "extended attribute '" + name + "' has " + value.length + " bytes, and the buffer room for "
                            + dst.remaining());
        }
        dst.put(value);
        return value.length;
    }

    @Override
    public int write(String name, ByteBuffer src) throws IOException {
        byte[] value = new byte[src.remaining()];
        src.duplicate().get(value);
        try {
            node.store().setAttribute(node.path().inStore(), name, value, node.links());
        } catch (IllegalArgumentException e) { // the name or the value is too long
            throw (FileSystemException)
                    new FileSystemException(node.path().toString(), null, e.getMessage()).initCause(e);
        }
        src.position(src.limit());
        node.changed();
        return value.length;
    }

    @Override
    public void delete(String name) throws IOException {
        if (!node.store().removeAttribute(node.path().inStore(), name, node.links())) {
            throw missing(name);
        }
        node.changed();
    }
}
