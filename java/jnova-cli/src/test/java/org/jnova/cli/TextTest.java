/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class TextTest {
    @Test
    void writesByteCounts() {
        assertEquals("0 B", Text.bytes(0));
        assertEquals("1023 B", Text.bytes(1023));
        assertEquals("1.0 KiB", Text.bytes(1024));
        assertEquals("1.5 GiB", Text.bytes(3L << 29));
        assertEquals("8.0 EiB", Text.bytes(Long.MAX_VALUE));
    }

    @Test
    void writesTimes() {
        assertEquals("0.05 ms", Text.time(Duration.ofNanos(50_000)));
        assertEquals("12 ms", Text.time(Duration.ofMillis(12)));
        assertEquals("1.25 s", Text.time(Duration.ofMillis(1250)));
    }

    @Test
    void printableNamesAreOneLine() {
        assertEquals("plain näme", Text.printable("plain näme"));
        assertEquals("a\\nb\\tc\\r\\\\\\x1b\\x7f", Text.printable("a\nb\tc\r\\\u001b\u007f"));
    }

    @Test
    void errorsAreOneLine() {
        assertEquals("a b c", ErrorText.of(new CommandFailure("a\n  b\r\nc")));
    }
}
