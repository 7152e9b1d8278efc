/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.InvalidPathException;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.StringLength;
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

    @Property
    void whatIsANameComesBack(@ForAll @StringLength(min = 1, max = 80) String name) {
        byte[] bytes;
        try {
            bytes = Names.encode(name);
        } catch (InvalidPathException e) {
            Assume.that(false);
            return;
        }
        assertEquals(name, Names.decode(bytes));
    }
}
