/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.InvalidPathException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StorePathTest {
    private static List<String> names(String path) {
        return StorePath.of(path).names().stream().map(Names::decode).toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a\0b", "\ud800", "x\udc00y"})
    void notPaths(String path) {
        assertThrows(InvalidPathException.class, () -> StorePath.of(path));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "a", "...", ".hidden", "with space", "\u00e4", "\ud83d\ude00", "-", "\\", "new\nline", ".", ".."
    })
    void whatIsAName(String name) {
        assertEquals(List.of(name), names(name));
    }

    @ParameterizedTest
    @CsvSource({"a/b,a|b", "/a/b/,a|b", "//a///b,a|b", "./../a,.|..|a"})
    void slashesSeparate(String path, String names) {
        assertEquals(List.of(names.split("\\|")), names(path));
    }

    @Test
    void theRootHasNoNames() {
        assertEquals(List.of(), names("/"));
        assertEquals(List.of(), names("//"));
    }

    @Test
    void lengthIsOfNamesAndInBytes() {
        assertEquals(1000, names("x".repeat(255).concat("/").repeat(1000)).size());
        assertEquals(1, names("\u00e4".repeat(127)).size());
        assertThrows(InvalidPathException.class, () -> StorePath.of("a/" + "x".repeat(256)));
        assertThrows(InvalidPathException.class, () -> StorePath.of("\u00e4".repeat(128)));
    }
}
