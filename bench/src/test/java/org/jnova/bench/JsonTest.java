/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JsonTest {
    private static final Figures ROW = new Figures(
            "append128", "jnova direct", "2 same file", 2, 1 << 26, "tmpfs", "process-crash safe", 500, new double[] {
                1, 2, 3, 4.5
            }, Double.NaN, Double.NaN, null);

    @Test
    void writesHeadAndRows() {
        String row = "{\"workload\": \"append128\", \"system\": \"jnova direct\", \"threads\": 2, \"files\": \"2 same file\","
                + " \"size\": 67108864, \"file_system\": \"tmpfs\", \"durability\": \"process-crash safe\","
                + " \"mean_ns\": 500.000, \"p50_ns\": 1.000, \"p99_ns\": 3.000, \"p99_9_ns\": 4.500,"
                + " \"ops_per_s\": 4000000.000, \"bytes_per_op\": null, \"ratio_to_limit\": ";
        String end = ", \"failure\": null}";
        assertEquals(
                "{\n  \"machine\": \"a \\\"b\\\"\",\n  \"rows\": [\n    " + row + "null" + end + ",\n    " + row + "2.000"
                        + end + "\n  ]\n}\n",
                Json.of(Map.of("machine", "a \"b\""), List.of(ROW, ROW.withLimit(250))));
    }

    @Test
    void writesNoRows() {
        assertEquals("{\n  \"rows\": [\n  ]\n}\n", Json.of(Map.of(), List.of()));
    }

    @Test
    void quotes() {
        assertEquals("\"a\\\\b\\u000aä\"", Json.quote("a\\b\nä"));
    }
}
