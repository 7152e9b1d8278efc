/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.InvalidPathException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NamesTest {
    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "a/b", "/", "a\0b", "\ud800", "x\udc00y"})
    void notNames(String name) {
        assertThrows(InvalidPathException.class, () -> Names.encode(name));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "...", ".hidden", "with space", "\u00e4", "\ud83d\ude00", "-", "\\", "new\nline"})
    void names(String name) {
        assertEquals(name, Names.decode(Names.encode(name)));
    }

    @Test
    void lengthIsInBytes() {
        assertEquals(255, Names.encode("x".repeat(255)).length);
        assertEquals(254, Names.encode("\u00e4".repeat(127)).length);
        assertThrows(InvalidPathException.class, () -> Names.encode("x".repeat(256)));
        assertThrows(InvalidPathException.class, () -> Names.encode("\u00e4".repeat(128)));
    }
}
