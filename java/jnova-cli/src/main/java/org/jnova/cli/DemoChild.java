/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A second JVM that runs {@code jnova import --verbose}, and its killing once it has reported enough bytes as written.
 */
final class DemoChild {
    private static final int KILLED_BY_SIGKILL = 128 + 9;
    private static final int NATIVE_ACCESS_OPTION_SINCE = 22;

    private final Map<String, String> namesByPrinted = new HashMap<>();
    private final Set<String> durable = new HashSet<>();
    private String writing;
    private long doneBytes;
    private long partBytes;

    /**
     * What became of the child.
     *
     * @param pid its process id
     * @param killed whether it ended by SIGKILL
     * @param exitCode as the operating system gave it
     * @param durable names of the files that it had reported as durable
     * @param bytes their size
     * @param writing name of the file of which it had reported a part last, or null
     */
    record Result(long pid, boolean killed, int exitCode, Set<String> durable, long bytes, String writing) {}

    private DemoChild(SourceTree tree) {
        tree.files().forEach(entry -> namesByPrinted.put(Text.printable(entry.name()), entry.name()));
    }

    static Result run(Path pool, SourceTree tree, boolean emulated, long killAtBytes, int pauseMs)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(javaCommand());
        command.addAll(List.of("import", "--verbose", "--quiet", "--pause-ms=" + pauseMs));
        if (emulated) {
            command.add("--emulated");
        }
        command.add(pool.toString());
        command.add(tree.root().toString());
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        ShutdownTask reaper = new ShutdownTask(process::destroyForcibly);
        try {
            DemoChild child = new DemoChild(tree);
            child.watch(process, killAtBytes);
            int exitCode = process.waitFor();
            boolean killed = exitCode == KILLED_BY_SIGKILL;
            return new Result(
                    process.pid(), killed, exitCode, Set.copyOf(child.durable), child.doneBytes, child.writing);
        } finally {
            reaper.finish();
        }
    }

    /** Reads what the child prints until it is dead; that includes what was in the pipe when it was killed. */
    private void watch(Process process, long killAtBytes) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        byte[] bytes = new byte[1 << 13];
        InputStream in = process.getInputStream();
        for (int n = in.read(bytes); n >= 0; n = in.read(bytes)) {
            for (int i = 0; i < n; i++) {
                if (bytes[i] != '\n') {
                    line.write(bytes[i]);
                    continue;
                }
                event(line.toString(StandardCharsets.UTF_8).split("\t", 3));
                line.reset();
                if (doneBytes + partBytes >= killAtBytes && !durable.isEmpty()) {
                    process.toHandle().destroyForcibly(); // unlike process.destroyForcibly(), leaves the pipe open
                }
            }
        }
    }

    private void event(String[] fields) throws IOException {
        String name = fields.length == 3 ? namesByPrinted.get(fields[2]) : null;
        if (name == null) {
            throw new IOException("the importing JVM printed what is no report: " + String.join(" ", fields));
        }
        long bytes = Long.parseLong(fields[1]);
        if (fields[0].equals(ImportCommand.WRITING)) {
            writing = name;
            partBytes = bytes;
        } else {
            durable.add(name);
            writing = null;
            partBytes = 0;
            doneBytes += bytes;
        }
    }

    /** The running JVM's own launcher and paths: the child is the same program. */
    private static List<String> javaCommand() {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        System.getProperties().stringPropertyNames().stream()
                .filter(key -> key.startsWith("org.jnova.") || key.startsWith("jnova."))
                .forEach(key -> command.add("-D" + key + "=" + System.getProperty(key)));
        boolean named = Main.class.getModule().isNamed();
        if (Runtime.version().feature() >= NATIVE_ACCESS_OPTION_SINCE) {
            command.add("--enable-native-access=" + (named ? "org.jnova" : "ALL-UNNAMED"));
        }
        if (named) {
            command.addAll(List.of("-p", System.getProperty("jdk.module.path"), "-m"));
            command.add(Main.class.getModule().getName() + "/" + Main.class.getName());
        } else {
            command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        }
        return command;
    }
}
