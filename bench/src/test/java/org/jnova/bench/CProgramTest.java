/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CProgramTest {
    private final CProgram program = new CProgram(Path.of("bench_core"), Path.of("."), 1 << 26, 3);

    private static String line(String operation, double mean, int p50) {
        return "{\"op\":\"" + operation + "\",\"ns\":" + mean + ",\"min_ns\":1.0,\"max_ns\":2.0,\"p50_ns\":" + p50
                + ",\"p90_ns\":20,\"p99_ns\":30,\"p99_9_ns\":40,\"rounds\":3,\"ops\":100000,\"working_set\":67108864}\n";
    }

    @Test
    void takesTheMedianOfItsRuns() throws IOException {
        program.parse(line("write4k", 700.5, 10) + line("read4k", 90, 11));
        program.parse(line("write4k", 900, 14));
        assertEquals(800.25, program.mean("write4k"));
        assertArrayEquals(new double[] {12, 20, 30, 40}, program.percentiles("write4k"));
        program.parse(line("write4k", 2000, 14));
        assertEquals(900, program.mean("write4k"));
        assertEquals(90, program.mean("read4k"));
        assertEquals(Set.of("write4k", "read4k"), program.operations());
    }

    @Test
    void whatWasNotTimedHasNoFigure() {
        assertEquals(Double.NaN, program.mean("write1m"));
    }

    @Test
    void refusesOtherLines() {
        assertThrows(IOException.class, () -> program.parse(line("write4k", 1, 1) + "bench_core: something else\n"));
        assertThrows(IOException.class, () -> program.parse("{\"op\":\"write4k\",\"ns\":1.0}\n"));
    }
}
