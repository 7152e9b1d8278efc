/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jnova.NovaFile;
import org.jnova.NovaStore;
import org.jnova.StoreStats;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code top} sees of stores in another JVM. */
class TopTest {
    private static final int PAGE = 4096;
    private static final String ON = "-Djnova.management=true";

    @TempDir(factory = SharedMemoryDir.class)
    Path dir;

    private Child child;

    @AfterEach
    void end() throws Exception {
        if (child != null) {
            child.close();
        }
    }

    private Path pool(String name) {
        return dir.resolve(name);
    }

    // ---- the other JVM

    /** A JVM that does what its standard input says, and answers each line by one. */
    private static final class Child {
        final Process process;
        private final BufferedReader out;

        Child(String... options) throws IOException {
            List<String> command = new ArrayList<>();
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            if (Runtime.version().feature() >= 22) {
                command.add("--enable-native-access=ALL-UNNAMED");
            }
            command.addAll(List.of("-ea", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
            command.addAll(List.of(options));
            command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
            process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            out = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
            assertEquals("ready", out.readLine());
        }

        void does(String verb, Object... arguments) throws IOException {
            StringBuilder line = new StringBuilder(verb);
            for (Object argument : arguments) {
                line.append(' ').append(argument);
            }
            process.getOutputStream().write(line.append('\n').toString().getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().flush();
            assertEquals("done", out.readLine());
        }

        String pid() {
            return Long.toString(process.pid());
        }

        /** Its stores are closed if its input ends. */
        public void close() throws IOException, InterruptedException {
            process.getOutputStream().close();
            process.waitFor();
        }

        void kill() throws InterruptedException {
            process.destroyForcibly().waitFor();
        }

        static final class Main {
            private Main() {}

            public static void main(String[] args) throws IOException {
                BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
                Map<String, NovaStore> stores = new HashMap<>();
                System.out.println("ready");
                for (String line = in.readLine(); line != null; line = in.readLine()) {
                    String[] words = line.split(" ");
                    switch (words[0]) {
                        case "create" -> stores.put(words[1], NovaStore.create(Path.of(words[1]), 16 << 20));
                        case "open" -> stores.put(words[1], NovaStore.open(Path.of(words[1])));
                        case "write" -> write(stores.get(words[1]), Integer.parseInt(words[2]));
                        case "read" -> Files.newInputStream(Path.of(words[1])); // and keeps it open
                        case "close" -> stores.remove(words[1]).close();
                        default -> throw new IllegalArgumentException(line);
                    }
                    System.out.println("done");
                }
                for (NovaStore store : stores.values()) {
                    store.close();
                }
            }

            private static void write(NovaStore store, int count) throws IOException {
                try (NovaFile file = store.open("f", CREATE, WRITE)) {
                    for (int i = 0; i < count; i++) {
                        file.write((long) i % 2 * PAGE, new byte[PAGE], 0, PAGE);
                    }
                }
            }
        }
    }

    private static void noProblem(String text) {
        throw new AssertionError(text);
    }

    // ---- what it shows

    @Test
    void figuresMoveWithWhatTheStoreDoes() throws Exception {
        child = new Child(ON);
        child.does("create", pool("p"));
        child.does("write", pool("p"), 100);
        try (RemoteStores stores = RemoteStores.of(child.pid())) {
            Map<String, StoreStats> before = stores.read(TopTest::noProblem);
            assertEquals(Set.of(pool("p").toString()), before.keySet());
            child.does("write", pool("p"), 3000);
            StoreStats now = stores.read(TopTest::noProblem).get(pool("p").toString());
            StatsInterval done = new StatsInterval(before.get(pool("p").toString()), now);
            assertEquals(3000, done.counts().get("writes"));
            assertEquals(3000L * PAGE, done.counts().get("bytesWritten"));
            assertTrue(done.counts().get("entriesAppended") >= 3000);
            assertTrue(done.counts().get("cleaningPagesFreed") > 0);
            assertEquals(3000, Math.round(done.perSecond("writes") * done.length().toNanos() / 1e9));
            assertTrue(done.share("cleaningNanos") > 0 && done.share("cleaningNanos") < 1);
            assertEquals(now.info().size(), 16 << 20);
            assertEquals(pool("p"), now.info().pool());
        }
    }

    @Test
    void anIntervalOfAStoreThatWasOpenedInIt() throws Exception {
        child = new Child(ON);
        child.does("create", pool("p"));
        child.does("write", pool("p"), 10);
        try (RemoteStores stores = RemoteStores.of(child.pid())) {
            StoreStats first = stores.read(TopTest::noProblem).get(pool("p").toString());
            assertEquals(10, new StatsInterval(null, first).counts().get("writes"));
            assertEquals(first.uptime(), new StatsInterval(null, first).length());
            child.does("close", pool("p"));
            assertEquals(Map.of(), stores.read(TopTest::noProblem));
            child.does("open", pool("p"));
            child.does("write", pool("p"), 5);
            StoreStats second;
            do { // the second time it is open longer than it was when it was asked the first time
                second = stores.read(TopTest::noProblem).get(pool("p").toString());
            } while (second.uptime().compareTo(first.uptime()) <= 0);
            StatsInterval done = new StatsInterval(first, second);
            assertEquals(5, done.counts().get("writes"));
            assertEquals(second.uptime(), done.length());
        }
    }

    @Test
    void json() throws Exception {
        child = new Child(ON);
        child.does("create", pool("p"));
        child.does("write", pool("p"), 3);
        child.does("create", pool("q"));
        String out = Cli.ok("top", child.pid(), "--interval", "0.05", "--count", "2", "--json");
        List<JsonNode> objects = new ObjectMapper()
                .readerFor(JsonNode.class)
                .<JsonNode>readValues(out)
                .readAll();
        assertEquals(4, objects.size(), out);
        for (int i = 0; i < objects.size(); i++) {
            JsonNode object = objects.get(i);
            assertEquals(child.process.pid(), object.get("pid").longValue());
            assertEquals(pool(i % 2 == 0 ? "p" : "q").toString(), object.get("pool").textValue());
            assertEquals(0, object.get("writes").intValue());
            assertEquals(i % 2 == 0 ? 1 : 0, object.get("files").intValue());
            assertTrue(object.get("freeBytes").longValue() > 8 << 20);
            assertTrue(object.get("intervalNanos").longValue() > 0);
            assertTrue(object.get("uptimeNanos").longValue() > object.get("intervalNanos").longValue());
        }
    }

    @Test
    void aPoolByAnyOfItsNames() throws Exception {
        child = new Child(ON);
        child.does("create", pool("p"));
        child.does("create", pool("q"));
        Path link = Files.createSymbolicLink(pool("link"), pool("p"));
        for (Path name : List.of(pool("p"), link)) {
            List<String> lines = Cli.ok("top", name.toString(), "--interval", "0.01", "--count", "25")
                    .lines()
                    .toList();
            assertEquals(27, lines.size());
            assertTrue(lines.get(0).contains("writes/s") && lines.get(21).contains("writes/s"));
            assertTrue(lines.get(1).endsWith("  " + pool("p")), lines.get(1));
        }
    }

    // ---- what it cannot show

    private static String refused(String target) {
        return Cli.failed(Main.FAILED, "top", target, "--interval", "0.01", "--count", "1");
    }

    @Test
    void aJvmWithoutTheSwitchIsLeftAlone() throws Exception {
        child = new Child();
        child.does("create", pool("p"));
        for (String target : List.of(child.pid(), pool("p").toString())) {
            String err = refused(target);
            assertTrue(err.contains("process " + child.pid()) && err.contains(ON), err);
        }
        child.does("write", pool("p"), 1);
    }

    @Test
    void aJvmWithoutAStore() throws Exception {
        child = new Child(ON);
        assertTrue(refused(child.pid()).contains("no store is open there"));
    }

    @Test
    void aPoolThatNoJvmHas() throws Exception {
        child = new Child(ON);
        child.does("create", pool("p"));
        child.does("close", pool("p"));
        assertTrue(refused(pool("p").toString()).contains(pool("p") + ": no JVM has it open"));
        String missing = refused(pool("missing").toString());
        assertTrue(missing.contains(pool("missing") + ": no such file"), missing);
    }

    @Test
    void aPoolThatHasLostItsName() throws Exception {
        child = new Child(ON);
        child.does("create", pool("p"));
        Files.move(pool("p"), pool("moved"));
        String err = refused(pool("moved").toString());
        assertTrue(err.contains("process " + child.pid() + ": no store is open there on this pool"), err);
    }

    @Test
    void processesThatAreNoJvm() throws Exception {
        Process cat = new ProcessBuilder("cat").start();
        try {
            String pid = Long.toString(cat.pid());
            assertTrue(refused(pid).contains("process " + pid + ": no JVM runs there"));
            assertTrue(cat.isAlive(), "it got no signal");
        } finally {
            cat.destroyForcibly().waitFor();
        }
        String pid = Long.toString(cat.pid());
        assertTrue(refused(pid).contains("process " + pid + ": no such process"));
        for (String none : List.of("0", "99999999999999999999")) {
            assertTrue(refused(none).contains("process " + none + ": no such process"), none);
        }
        String own = Long.toString(ProcessHandle.current().pid());
        assertTrue(refused(own).contains("the command itself"));
    }

    /** Its main thread's number is its own; asked by another one's, it would print what all its threads do. */
    @Test
    void aThread() throws Exception {
        child = new Child(ON);
        String thread;
        try (Stream<Path> tasks = Files.list(Path.of("/proc", child.pid(), "task"))) {
            thread = tasks.map(task -> task.getFileName().toString())
                    .filter(id -> !id.equals(child.pid()))
                    .findFirst()
                    .orElseThrow();
        }
        assertTrue(refused(thread).contains("it is a thread of process " + child.pid()));
        child.does("create", pool("p"));
    }

    /** A JVM that has it open is asked nothing. */
    @Test
    void filesThatAreNoPool() throws Exception {
        Files.writeString(pool("file"), "not a pool");
        for (String file : List.of(pool("file").toString(), dir.toString(), "/dev/null")) {
            assertTrue(refused(file).contains("it is no pool"), file);
        }
    }

    @Test
    void aJvmThatOnlyReadsThePool() throws Exception {
        NovaStore.create(pool("p"), 16 << 20).close();
        child = new Child(ON);
        child.does("read", pool("p"));
        assertTrue(refused(pool("p").toString()).contains("no JVM has it open"));
    }

    @Test
    void aJvmThatTakesNoRequests() throws Exception {
        child = new Child(ON, "-Xrs");
        assertTrue(refused(child.pid()).contains("takes no requests"));
        child.close();
        child = new Child(ON, "-XX:+DisableAttachMechanism");
        assertTrue(refused(child.pid()).contains("takes no requests"));
    }

    @Test
    void aJvmThatIsStopped() throws Exception {
        child = new Child(ON);
        signal("STOP");
        try {
            while (!new HostProcess(child.process.pid()).isStopped()) {
                Thread.onSpinWait();
            }
            assertTrue(refused(child.pid()).contains("it is stopped"));
        } finally {
            signal("CONT");
        }
    }

    private void signal(String name) throws Exception {
        assertEquals(0, new ProcessBuilder("kill", "-" + name, child.pid()).start().waitFor());
    }

    @Test
    void aProcessThatEnds() throws Exception {
        child = new Child(ON);
        child.does("create", pool("p"));
        try (RemoteStores stores = RemoteStores.of(pool("p").toString())) {
            assertFalse(stores.read(TopTest::noProblem).isEmpty());
            child.kill();
            CommandFailure failure = assertThrows(CommandFailure.class, () -> stores.read(TopTest::noProblem));
            assertEquals("process " + child.pid() + ": it has ended", failure.getMessage());
        }
    }

    @Test
    void wrongArguments() {
        for (List<String> wrong : List.of(
                List.of("top"),
                List.of("top", "1", "--count", "0"),
                List.of("top", "1", "--interval", "0"),
                List.of("top", "1", "--interval", "NaN"),
                List.of("top", "1", "--interval", "1e9"))) {
            Cli.failed(Main.USAGE, wrong.toArray(String[]::new));
        }
    }

    @Test
    void infoTellsTheSameFigures() throws Exception {
        NovaStore.create(pool("p"), 16 << 20).close();
        JsonNode stats =
                new ObjectMapper().readTree(Cli.ok("info", pool("p").toString(), "--json")).get("stats");
        assertEquals(0, stats.get("writes").intValue());
        assertTrue(stats.get("uptimeNanos").longValue() > 0);
    }
}
