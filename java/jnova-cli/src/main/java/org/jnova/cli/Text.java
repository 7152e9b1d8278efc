/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.time.Duration;
import java.util.Locale;
import org.jnova.FileInfo;

/** How commands write numbers and names for people. */
final class Text {
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

    private Text() {}

    /** A byte count: {@code 17 B}, {@code 1.5 KiB}, {@code 64.0 MiB}. */
    static String bytes(long count) {
        double value = count;
        int unit = 0;
        while (value >= 1024 && unit < UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        return unit == 0 ? count + " B" : String.format(Locale.ROOT, "%.1f %s", value, UNITS[unit]);
    }

    /** A time of work: {@code 0.31 ms}, {@code 12 ms}, {@code 1.25 s}. */
    static String time(Duration time) {
        double ms = time.toNanos() / 1e6;
        if (ms >= 1000) {
            return String.format(Locale.ROOT, "%.2f s", ms / 1000);
        }
        return String.format(Locale.ROOT, ms >= 10 ? "%.0f ms" : "%.2f ms", ms);
    }

    /** Bytes per second. */
    static String rate(long bytes, Duration time) {
        return bytes((long) (bytes / Math.max(1e-9, time.toNanos() / 1e9))) + "/s";
    }

    /** {@code 1 file}, {@code 2 files}. */
    static String count(long count, String one, String many) {
        return count + " " + (count == 1 ? one : many);
    }

    static String files(long count) {
        return count(count, "file", "files");
    }

    /** Type and permissions as {@code ls} writes them: {@code -rwxr-x---}. */
    static String mode(FileInfo info) {
        int mode = info.mode();
        StringBuilder text = new StringBuilder(10);
        text.append(
                switch (info.type()) {
                    case DIRECTORY -> 'd';
                    case SYMLINK -> 'l';
                    case FILE -> '-';
                });
        for (int who = 0; who < 3; who++) {
            int bits = mode >> (6 - 3 * who) & 7;
            boolean special = (mode >> (11 - who) & 1) != 0; // setuid, setgid, sticky
            boolean runs = (bits & 1) != 0;
            char plain = runs ? 'x' : '-';
            char mark = who == 2 ? 't' : 's';
            text.append((bits & 4) != 0 ? 'r' : '-').append((bits & 2) != 0 ? 'w' : '-');
            text.append(special ? runs ? mark : Character.toUpperCase(mark) : plain);
        }
        return text.toString();
    }

    /** A name as one line that a terminal can show: control characters and backslashes are escaped as in C. */
    static String printable(String name) {
        StringBuilder out = null;
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            String escape = c == '\\' ? "\\\\" : Character.isISOControl(c) ? controlEscape(c) : null;
            if (escape != null && out == null) {
                out = new StringBuilder(name.length() + 8).append(name, 0, i);
            }
            if (escape != null) {
                out.append(escape);
            } else if (out != null) {
                out.append(c);
            }
        }
        return out == null ? name : out.toString();
    }

    private static String controlEscape(char c) {
        return switch (c) {
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            default -> String.format("\\x%02x", (int) c);
        };
    }
}
