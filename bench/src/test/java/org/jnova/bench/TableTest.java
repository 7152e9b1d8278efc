/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TableTest {
    @Test
    void replacesWhatStandsBetweenTheMarkers() {
        String before = "# Title\n" + Table.BEGIN + "\nold\nfigures\n" + Table.END + "\nend\n";
        String after = "# Title\n" + Table.BEGIN + "\nnew\n" + Table.END + "\nend\n";
        assertEquals(after, Table.replace(before, "new\n"));
        assertEquals(after, Table.replace(after, "new\n"));
    }

    @Test
    void needsBothMarkersInOrder() {
        for (String text : List.of("", Table.BEGIN + "\n", Table.END + "\n" + Table.BEGIN + "\n")) {
            String message = assertThrows(IllegalArgumentException.class, () -> Table.replace(text, "new\n"))
                    .getMessage();
            assertTrue(message.contains("--markdown") && message.contains(Table.END), message);
        }
    }

    @Test
    void markdownHasHeadAndRows() {
        Figures row = new Figures(
                "read4k", "mapped", "1", 1, 1L << 32, "ext4", "-", 100.4, new double[] {90, 100, 110, 200}, 0.04, 50,
                null);
        String text = Table.markdown(Map.of("date", "2026-01-02"), List.of(row));
        assertTrue(text.startsWith("date: 2026-01-02  \n"), text);
        assertTrue(
                text.endsWith("|\n| read4k | mapped | 1 | 4G | ext4 | 100 | 90 | 110 | 200 | 9960159 | 0.0 | 2.01 | - |\n"),
                text);
    }

    @Test
    void aRowThatFailedSaysWhy() {
        double[] none = {Double.NaN, Double.NaN, Double.NaN, Double.NaN};
        Figures row = new Figures(
                "read4k", "LMDB", "1", 1, 1 << 26, "tmpfs", "-", Double.NaN, none, Double.NaN, Double.NaN, "no a|b here");
        assertTrue(Table.markdown(Map.of(), List.of(row))
                .endsWith("|\n| read4k | LMDB | 1 | 64M | tmpfs | - | - | - | - | - | - | - | not measured: no a/b here |\n"));
        assertTrue(Json.of(Map.of(), List.of(row)).contains("\"mean_ns\": null"));
        assertTrue(Json.of(Map.of(), List.of(row)).contains("\"failure\": \"no a|b here\""));
    }
}
