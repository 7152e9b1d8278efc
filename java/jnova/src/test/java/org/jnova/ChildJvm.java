/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A JVM of its own, with the classes of this one, that runs a main class and talks through its standard output. */
public final class ChildJvm implements AutoCloseable {
    private final Process process;
    private final BufferedReader out;

    /** Of this JVM's own JDK. */
    public ChildJvm(Class<?> main, String... args) throws IOException {
        this(TestJdk.current(), main, args);
    }

    public ChildJvm(TestJdk jdk, Class<?> main, String... args) throws IOException {
        this(jdk, System.getProperty("java.class.path"), main, args);
    }

    /** With a class path of its own. */
    public ChildJvm(TestJdk jdk, String classPath, Class<?> main, String... args) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(jdk.home().resolve("bin/java").toString());
        command.add("-ea");
        command.add("-Xmx256m");
        command.add("-XX:TieredStopAtLevel=1");
        command.add("-XX:+UseSerialGC"); // starts soonest
        if (jdk.version() >= 22) {
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        System.getProperties().forEach((key, value) -> {
            if (key.toString().startsWith("jnova.")) {
                command.add("-D" + key + "=" + value);
            }
        });
        command.add("-cp");
        command.add(classPath);
        command.add(main.getName());
        command.addAll(List.of(args));
        process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        out = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    /** The next line of output, or null at the end. A line that the child did not finish counts as none. */
    public String line() throws IOException {
        return out.readLine();
    }

    /** SIGKILL; and what the child had said before, line by line. */
    public List<String> kill() throws IOException, InterruptedException {
        process.toHandle().destroyForcibly(); // Process.destroyForcibly would close the stream unread
        List<String> rest = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        for (int c = out.read(); c >= 0; c = out.read()) {
            if (c == '\n') {
                rest.add(text.toString());
                text.setLength(0);
            } else {
                text.append((char) c);
            }
        }
        process.waitFor();
        return rest;
    }

    /** Whether it ends by itself in that time. Its output must fit a pipe. */
    public boolean endsWithin(Duration time) throws InterruptedException {
        return process.waitFor(time.toMillis(), TimeUnit.MILLISECONDS);
    }

    public int exitCode() throws InterruptedException {
        return process.waitFor();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
