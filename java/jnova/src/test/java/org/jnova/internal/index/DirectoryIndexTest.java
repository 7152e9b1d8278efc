/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.index;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class DirectoryIndexTest {
    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void addReplacesAndRemoveForgets() {
        DirectoryIndex index = new DirectoryIndex();
        index.add(bytes("a"), new Child(2, 1, 1));
        index.add(bytes("a"), new Child(3, 1, 1));
        assertEquals(new Child(3, 1, 1), index.find(bytes("a")));
        assertEquals(1, index.size());
        index.remove(bytes("a"));
        assertNull(index.find(bytes("a")));
        index.remove(bytes("a"));
        assertEquals(0, index.size());
    }

    @Test
    void sortsByUnsignedBytes() {
        DirectoryIndex index = new DirectoryIndex();
        // U+FF5E sorts before U+1F600 by bytes, and after it by UTF-16 units.
        List<String> sorted = List.of("B", "a", "aa", "\u00e9", "\uff5e", "\ud83d\ude00");
        for (int i = sorted.size() - 1; i >= 0; i--) {
            index.add(bytes(sorted.get(i)), new Child(i + 2, 1, 1));
        }
        assertEquals(
                sorted,
                DirectoryIndex.sort(index.snapshot()).stream()
                        .map(e -> new String(e.name(), StandardCharsets.UTF_8))
                        .toList());
    }

    @Test
    void namesWithEqualHashesAreDifferent() {
        DirectoryIndex index = new DirectoryIndex();
        byte[] one = {1, 31}; // 31 * (31 + 1) + 31 = 31 * (31 + 2) + 0
        byte[] two = {2, 0};
        index.add(one, new Child(2, 1, 1));
        assertNull(index.find(two));
        index.add(two, new Child(3, 1, 1));
        assertEquals(2, index.find(one).ino());
        assertEquals(3, index.find(two).ino());
    }
}
