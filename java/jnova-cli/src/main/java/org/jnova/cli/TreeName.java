/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/**
 * The name under which a store, which has one flat directory, keeps a file of a tree, and the way back.
 *
 * <p>The name is the file's path relative to the tree, in UTF-8, with {@code %2F} for a slash, {@code %25} for a per
 * cent sign, and {@code %} and two digits for each byte that is not part of well-formed UTF-8. Paths are taken as the
 * bytes that the file system has, so that the result does not depend on the locale. Different paths give different
 * names, and each name gives its path back.
 */
final class TreeName {
    /** Bytes of UTF-8 that a name in a store may have. */
    static final int MAX_LEN = 255;

    private static final HexFormat HEX = HexFormat.of().withUpperCase();

    private TreeName() {}

    static boolean fits(String name) {
        return name.getBytes(StandardCharsets.UTF_8).length <= MAX_LEN;
    }

    /** What a user typed for a name: a path, since it has a slash, which no name has; else the name itself. */
    static String ofArgument(String argument) {
        return argument.indexOf('/') < 0 ? argument : encode(argument.getBytes(StandardCharsets.UTF_8));
    }

    static String encode(byte[] path) {
        CharsetDecoder utf8 = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        ByteBuffer in = ByteBuffer.wrap(path);
        CharBuffer chars = CharBuffer.allocate(path.length);
        StringBuilder name = new StringBuilder(path.length + 16);
        CoderResult result;
        do {
            result = utf8.decode(in, chars, true);
            appendEscaped(name, chars.flip());
            chars.clear();
            if (result.isError()) {
                for (int i = 0; i < result.length(); i++) {
                    appendByte(name, in.get());
                }
            }
        } while (result.isError());
        return name.toString();
    }

    private static void appendEscaped(StringBuilder name, CharBuffer chars) {
        for (int i = 0; i < chars.length(); i++) {
            char c = chars.charAt(i);
            if (c == '/' || c == '%') {
                appendByte(name, (byte) c);
            } else {
                name.append(c);
            }
        }
    }

    private static void appendByte(StringBuilder name, byte b) {
        name.append('%').append(HEX.toHexDigits(b));
    }

    /** The path, as bytes, that {@link #encode} made this name from; empty if it is not such a name. */
    static Optional<byte[]> decode(String name) {
        ByteArrayOutputStream path = new ByteArrayOutputStream(name.length());
        byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < utf8.length; i++) {
            if (utf8[i] != '%') {
                path.write(utf8[i]);
            } else if (i + 2 < utf8.length && HexFormat.isHexDigit(utf8[i + 1]) && HexFormat.isHexDigit(utf8[i + 2])) {
                path.write(HexFormat.fromHexDigit(utf8[i + 1]) << 4 | HexFormat.fromHexDigit(utf8[i + 2]));
                i += 2;
            } else {
                return Optional.empty();
            }
        }
        byte[] decoded = path.toByteArray();
        return encode(decoded).equals(name) ? Optional.of(decoded) : Optional.empty();
    }

    /** The path of a name in a tree: what it encodes, or, if it encodes nothing, the name itself. */
    static byte[] pathOf(String name) {
        return decode(name).orElseGet(() -> name.getBytes(StandardCharsets.UTF_8));
    }

    /** Whether a path stays inside the tree it is resolved against. */
    static boolean staysInside(byte[] path) {
        for (String part : new String(path, StandardCharsets.ISO_8859_1).split("/", -1)) {
            if (part.isEmpty() || part.equals(".") || part.equals("..") || part.indexOf('\0') >= 0) {
                return false;
            }
        }
        return true;
    }

    /**
     * The bytes of a path relative to a folder above it. URIs are the one place where Java shows a path's bytes: its
     * strings go through the locale.
     */
    static byte[] relativeBytes(Path folder, Path file) {
        byte[] above = uriBytes(folder);
        byte[] whole = uriBytes(file);
        int skip = above.length;
        while (skip > 0 && above[skip - 1] == '/') {
            skip--;
        }
        skip++;
        return Arrays.copyOfRange(whole, skip, whole.length);
    }

    /** The bytes of the last part of a path. */
    static byte[] lastPart(byte[] path) {
        int slash = path.length - 1;
        while (slash >= 0 && path[slash] != '/') {
            slash--;
        }
        return Arrays.copyOfRange(path, slash + 1, path.length);
    }

    private static byte[] uriBytes(Path path) {
        String raw = path.toAbsolutePath().toUri().getRawPath();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(raw.length());
        for (int i = 0; i < raw.length(); i++) {
            if (raw.charAt(i) == '%') {
                bytes.write(HexFormat.fromHexDigits(raw, i + 1, i + 3));
                i += 2;
            } else {
                bytes.write(raw.charAt(i));
            }
        }
        return bytes.toByteArray();
    }

    /** The file that has this path in a folder. */
    static Path resolve(Path folder, byte[] path) {
        StringBuilder uri = new StringBuilder("file://");
        String above = folder.toAbsolutePath().toUri().getRawPath();
        uri.append(above).append(above.endsWith("/") ? "" : "/");
        for (byte b : path) {
            if (b == '/') {
                uri.append('/');
            } else {
                appendByte(uri, b);
            }
        }
        return Path.of(URI.create(uri.toString()));
    }
}
