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
     * The bytes of a name.
     *
     * @throws InvalidPathException if it is not a name
     */
    public static byte[] encode(String name) {
        byte[] bytes = utf8(name);
        if (bytes.length == 0) {
            throw new InvalidPathException(name, "a name must not be empty");
        }
        if (bytes.length > Abi.NAME_MAX) {
            throw new InvalidPathException(
                    name, "a name has at most " + Abi.NAME_MAX + " bytes in UTF-8, this one " + bytes.length);
        }
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] == '/' || bytes[i] == 0) {
                throw new InvalidPathException(name, "a name must not contain '/' or NUL", i);
            }
        }
        if (name.equals(".") || name.equals("..")) {
            throw new InvalidPathException(name, "\".\" and \"..\" are not names");
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
            throw new InvalidPathException(text, "a name must be valid Unicode (it has an unpaired surrogate)");
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
