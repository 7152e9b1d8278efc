/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** What a report has to say of where and how it was made. */
final class Machine {
    private static final Path CPUS = Path.of("/proc/cpuinfo");
    private static final Path MEMORY = Path.of("/proc/meminfo");
    private static final int KIB_PER_GIB = 1 << 20;
    private static final Set<String> FILES = Set.of("--json", "--plot", "--markdown"); // options that name one

    private Machine() {}

    static Map<String, String> head(String[] args) throws IOException {
        Map<String, String> head = new LinkedHashMap<>();
        head.put(
                "machine",
                value(CPUS, "model name") + ", " + Runtime.getRuntime().availableProcessors() + " CPUs, "
                        + Math.round(Double.parseDouble(value(MEMORY, "MemTotal").split(" ")[0]) / KIB_PER_GIB)
                        + " GiB, Linux " + System.getProperty("os.version"));
        head.put("jdk", System.getProperty("java.vm.name") + " " + Runtime.version());
        head.put("date", LocalDate.now().toString());
        StringBuilder command = new StringBuilder("./jnova bench");
        String before = "";
        for (String arg : args) { // as one can give it to a shell; where a file of figures lies is of no interest
            String shown = FILES.contains(before) ? Objects.toString(Path.of(arg).getFileName(), arg) : arg;
            command.append(' ').append(shown.matches("[\\w./:=-]+") ? shown : "'" + shown.replace("'", "'\\''") + "'");
            before = arg;
        }
        head.put("command", command.toString());
        return head;
    }

    private static String value(Path file, String key) throws IOException {
        return Files.readAllLines(file).stream()
                .filter(line -> line.startsWith(key))
                .map(line -> line.substring(line.indexOf(':') + 1).trim())
                .findFirst()
                .orElse("0 unknown");
    }
}
