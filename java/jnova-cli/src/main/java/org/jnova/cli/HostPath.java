/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/**
 * Names of files of the host as the bytes that its file system has, taken as UTF-8, so that what a store calls them
 * does not depend on the locale. URIs are the one place where Java shows a path's bytes: its strings go through the
 * locale.
 */
final class HostPath {
    private HostPath() {}

    /** The last name of a path; empty if it is not UTF-8. */
    static Optional<String> name(Path path) {
        byte[] bytes = uriBytes(path);
        int slash = bytes.length - 1;
        while (slash >= 0 && bytes[slash] != '/') {
            slash--;
        }
        return utf8(Arrays.copyOfRange(bytes, slash + 1, bytes.length));
    }

    /** A relative or absolute path, as text; empty if it is not UTF-8. */
    static Optional<String> text(Path path) {
        byte[] bytes = uriBytes(Path.of("/").resolve(path));
        return utf8(path.isAbsolute() ? bytes : Arrays.copyOfRange(bytes, 1, bytes.length));
    }

    /** The path that has a name in a folder. */
    static Path child(Path folder, String name) {
        StringBuilder uri = new StringBuilder("file://");
        String above = folder.toAbsolutePath().toUri().getRawPath();
        uri.append(above).append(above.endsWith("/") ? "" : "/");
        appendEscaped(uri, name);
        return Path.of(URI.create(uri.toString()));
    }

    /** The path that a text is, as {@link #text} gives it. */
    static Path of(String text) {
        StringBuilder uri = new StringBuilder(text.startsWith("/") ? "file://" : "file:///");
        appendEscaped(uri, text);
        Path absolute = Path.of(URI.create(uri.toString()));
        return text.startsWith("/") ? absolute : absolute.subpath(0, absolute.getNameCount());
    }

    private static void appendEscaped(StringBuilder uri, String text) {
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            if (b == '/') {
                uri.append('/');
            } else {
                uri.append('%').append(HexFormat.of().toHexDigits(b));
            }
        }
    }

    private static Optional<String> utf8(byte[] bytes) {
        try {
            return Optional.of(
                    StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
        } catch (CharacterCodingException e) {
            return Optional.empty();
        }
    }

    /** Without the slash that the URI of a directory ends with. */
    private static byte[] uriBytes(Path path) {
        String raw = path.toAbsolutePath().toUri().getRawPath();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(raw.length());
        int end = raw.length() > 1 && raw.endsWith("/") ? raw.length() - 1 : raw.length();
        for (int i = 0; i < end; i++) {
            if (raw.charAt(i) == '%') {
                bytes.write(HexFormat.fromHexDigits(raw, i + 1, i + 3));
                i += 2;
            } else {
                bytes.write(raw.charAt(i));
            }
        }
        return bytes.toByteArray();
    }
}
