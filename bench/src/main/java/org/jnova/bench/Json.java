/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The report as JSON: a head, and an object per row; null where there is no figure. */
final class Json {
    private Json() {}

    static String of(Map<String, String> head, List<Figures> rows) {
        StringBuilder out = new StringBuilder("{\n");
        head.forEach((key, value) ->
                out.append("  ").append(quote(key)).append(": ").append(quote(value)).append(",\n"));
        out.append("  \"rows\": [");
        String separator = "\n";
        for (Figures row : rows) {
            out.append(separator).append("    ").append(object(row));
            separator = ",\n";
        }
        return out.append("\n  ]\n}\n").toString();
    }

    private static String object(Figures row) {
        return "{\"workload\": " + quote(row.workload()) + ", \"system\": " + quote(row.system())
                + ", \"threads\": " + row.threadCount() + ", \"files\": " + quote(row.threads())
                + ", \"size\": " + row.size() + ", \"file_system\": " + quote(row.fileSystem())
                + ", \"durability\": " + quote(row.durability())
                + ", \"mean_ns\": " + number(row.mean())
                + ", \"p50_ns\": " + number(row.percentiles()[Figures.P50])
                + ", \"p99_ns\": " + number(row.percentiles()[Figures.P99])
                + ", \"p99_9_ns\": " + number(row.percentiles()[Figures.P999])
                + ", \"ops_per_s\": " + number(row.opsPerSecond())
                + ", \"bytes_per_op\": " + number(row.bytesPerOp())
                + ", \"ratio_to_limit\": " + number(row.ratio())
                + ", \"failure\": " + (row.failure() == null ? "null" : quote(row.failure())) + "}";
    }

    private static String number(double value) {
        return Double.isNaN(value) || Double.isInfinite(value) ? "null" : String.format(Locale.ROOT, "%.3f", value);
    }

    static String quote(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }
}
