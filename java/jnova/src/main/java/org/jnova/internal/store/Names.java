/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import org.jnova.internal.core.Abi;

/** Names between Java and the media: strict UTF-8 out, so that two strings never share a name; lenient in. */
public final class Names {
    private Names() {}

    /**
     * The bytes of the name of an extended attribute.
     *
     * @throws IllegalArgumentException if it is not one
     */
    public static byte[] attribute(String name) {
        byte[] bytes = utf8(name);
        if (bytes.length == 0 || bytes.length > Abi.NAME_MAX || name.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(
                    "the name of an attribute has 1 to " + Abi.NAME_MAX + " bytes in UTF-8, and no NUL");
        }
        return bytes;
    }

    /**
     * The bytes of a text.
     *
     * @throws InvalidPathException if it is not Unicode
     */
    static byte[] utf8(String text) {
        try {
            ByteBuffer encoded = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            byte[] bytes = new byte[encoded.remaining()];
            encoded.get(bytes);
            return bytes;
        } catch (CharacterCodingException e) {
            throw new InvalidPathException(text, "a path must be valid Unicode (it has an unpaired surrogate)");
        }
    }

    /**
     * The bytes of a path, checked.
     *
     * @throws InvalidPathException if it is not a path
     */
    public static byte[] path(String path) {
        return utf8(StorePath.of(path).text());
    }

    /**
     * A name as a string. Bytes that are not UTF-8, which only a user of the C interface can have written, become
     * U+FFFD.
     */
    public static String decode(byte[] name) {
        return new String(name, StandardCharsets.UTF_8);
    }
}
