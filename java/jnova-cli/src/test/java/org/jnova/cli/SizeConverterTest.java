/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class SizeConverterTest {
    @ParameterizedTest
    @CsvSource({
        "0,0",
        "4096,4096",
        "4096B,4096",
        "1K,1024",
        "64M,67108864",
        "64m,67108864",
        "1G,1073741824",
        "1GiB,1073741824",
        "1 GB,1073741824",
        "1.5G,1610612736",
        "2T,2199023255552",
        "' 1G ',1073741824"
    })
    void readsSizes(String text, long bytes) {
        assertEquals(bytes, new SizeConverter().convert(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "G", "-1G", "1X", "1,5G", "1..5G", "0x10", "1Gi B", "9999999999G", "99999999999999999999"})
    void refusesWhatIsNone(String text) {
        assertThrows(TypeConversionException.class, () -> new SizeConverter().convert(text));
    }
}
