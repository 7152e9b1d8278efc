/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads sizes such as {@code 4096}, {@code 64M}, {@code 1.5G}, {@code 2 GiB}; units are powers of 1024. */
final class SizeConverter implements ITypeConverter<Long> {
    private static final Pattern SIZE = Pattern.compile("(\\d{1,19})(\\.\\d{1,6})?\\s*([KMGT]?)(?:I?B)?");

    @Override
    public Long convert(String text) {
        Matcher m = SIZE.matcher(text.trim().toUpperCase(Locale.ROOT));
        if (!m.matches()) {
            throw new TypeConversionException("'" + text + "' is not a size; write 64M, 1G, 1.5G or a number of bytes");
        }
        int shift = m.group(3).isEmpty() ? 0 : 10 * (1 + "KMGT".indexOf(m.group(3)));
        try {
            long whole = Math.multiplyExact(Long.parseLong(m.group(1)), 1L << shift);
            long part = m.group(2) == null ? 0 : (long) (Double.parseDouble("0" + m.group(2)) * (1L << shift));
            return Math.addExact(whole, part);
        } catch (ArithmeticException | NumberFormatException e) {
            throw new TypeConversionException("'" + text + "' is larger than any pool");
        }
    }
}
