/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostPathTest {
    @ParameterizedTest
    @ValueSource(strings = {"a", "with space", "100%", "%2F", "\u00e4", "\ud83d\ude00", "new\nline", "?#", "..."})
    void namesComeBack(String name, @TempDir Path dir) throws IOException {
        Path path = HostPath.child(dir, name);
        assertEquals(dir, path.getParent());
        assertEquals(Optional.of(name), HostPath.name(path));
        Files.createDirectory(path); // the URI of a directory ends with a slash
        assertEquals(Optional.of(name), HostPath.name(path));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "a/b", "../a", "../..", "/", "/a/\u00e4", ".", "tmp"})
    void pathsComeBack(String text) {
        assertEquals(Optional.of(text), HostPath.text(HostPath.of(text)));
    }

    @Test
    void whatIsNoUtf8HasNoName(@TempDir Path dir) {
        Path odd = Path.of(URI.create(dir.toUri() + "%C3%28"));
        assertEquals(Optional.empty(), HostPath.name(odd));
        assertEquals(Optional.empty(), HostPath.text(odd));
    }
}
