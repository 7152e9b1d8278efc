/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TreeNameTest {
    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @CsvSource({
        "plain,plain",
        "lib/server/libjvm.so,lib%2Fserver%2Flibjvm.so",
        "100%,100%25",
        "%2F,%252F",
        "größe/日本.txt,größe%2F日本.txt",
        "a b,a b"
    })
    void encodesPaths(String path, String name) {
        assertEquals(name, TreeName.encode(utf8(path)));
        assertArrayEquals(utf8(path), TreeName.decode(name).orElseThrow());
    }

    @Test
    void encodesBytesThatAreNotUtf8() {
        byte[] path = HexFormat.of().parseHex("61ff2fc3622fe282"); // a, stray, /, cut short, b, /, cut short at the end
        String name = TreeName.encode(path);
        assertEquals("a%FF%2F%C3b%2F%E2%82", name);
        assertArrayEquals(path, TreeName.decode(name).orElseThrow());
    }

    @ParameterizedTest
    @ValueSource(strings = {"100%", "%", "%2", "%2f", "%41", "%zz", "%part-0", "a%C3%A4"})
    void namesThatEncodeNothingAreTakenAsTheyAre(String name) {
        assertTrue(TreeName.decode(name).isEmpty());
        assertArrayEquals(utf8(name), TreeName.pathOf(name));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"..%2Fescape", "%2Fetc%2Fpasswd", "a%2F..%2F..%2Fb", "a%2F%2Fb", "a%2F", "a%2F.", "x%2Fa\0b"})
    void namesThatLeadOutOfTheTreeAreKnown(String name) {
        assertFalse(TreeName.staysInside(TreeName.pathOf(name)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "..a", "a..", "...", "a%2F..b", "%2E%2E"})
    void otherNamesStayInside(String name) {
        assertTrue(TreeName.staysInside(TreeName.pathOf(name)));
    }

    @Test
    void noEncodingIsATemporaryName() {
        assertFalse(WholeFiles.isUnfinished(TreeName.encode(utf8("%part-0"))));
    }

    @Test
    void lengthIsCountedInBytes() {
        assertTrue(TreeName.fits("ä".repeat(127) + "x"));
        assertFalse(TreeName.fits("ä".repeat(128)));
    }

    @Property
    void everyPathComesBack(@ForAll("paths") byte[] path) {
        assertArrayEquals(path, TreeName.decode(TreeName.encode(path)).orElseThrow());
    }

    @Property
    void differentPathsHaveDifferentNames(@ForAll("paths") byte[] one, @ForAll("paths") byte[] two) {
        if (!Arrays.equals(one, two)) {
            assertNotEquals(TreeName.encode(one), TreeName.encode(two));
        }
    }

    @Property
    void aNameWithoutSlashIsALegalNameForAStore(@ForAll("paths") byte[] path) {
        String name = TreeName.encode(path);
        assertEquals(-1, name.indexOf('/'));
        assertEquals(name, new String(utf8(name), StandardCharsets.UTF_8), "well-formed");
    }

    @Property
    void pathsOfTheFileSystemKeepTheirBytes(@ForAll("paths") byte[] path) {
        if (TreeName.staysInside(path)) {
            Path folder = Path.of("/some/folder");
            Path file = TreeName.resolve(folder, path);
            assertArrayEquals(path, TreeName.relativeBytes(folder, file));
            assertTrue(file.startsWith(folder));
        }
    }

    /** Bytes likely to meet every rule: separators, escapes, hex digits, ASCII, parts of longer characters. */
    @Provide
    Arbitrary<byte[]> paths() {
        int[] likely = {
            '/', '%', '2', '5', 'F', 'f', '.', 'a', '\n', 0xC3, 0xA4, 0xE2, 0x82, 0xAC, 0xF0, 0x9F, 0xED, 0xFF
        };
        Arbitrary<byte[]> raw = Arbitraries.integers()
                .between(0, likely.length - 1)
                .map(i -> likely[i])
                .list()
                .ofMaxSize(40)
                .map(bytes -> {
                    byte[] array = new byte[bytes.size()];
                    for (int i = 0; i < array.length; i++) {
                        array[i] = (byte) bytes.get(i).intValue();
                    }
                    return array;
                });
        Arbitrary<byte[]> text = Arbitraries.strings().ofMaxLength(30).map(TreeNameTest::utf8);
        return Arbitraries.oneOf(raw, text);
    }
}
