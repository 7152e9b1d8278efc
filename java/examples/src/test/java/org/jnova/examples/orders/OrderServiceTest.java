/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.examples.orders;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OrderServiceTest {
    private static final int ROUNDS = Boolean.getBoolean("jnova.full") ? 40 : 4;
    private static final int CLIENTS = 4;
    private static final int ANSWERS = 200; // in a round, before the service is killed

    private final HttpClient client = HttpClient.newHttpClient();
    private Path folder;
    private Path pool;

    @BeforeEach
    void makeFolder() throws IOException {
        String prefix = "jnova-test-" + ProcessHandle.current().pid() + "-"; // ./jnova test removes what is left
        Path shm = Path.of("/dev/shm");
        folder = Files.isWritable(shm) ? Files.createTempDirectory(shm, prefix) : Files.createTempDirectory(prefix);
        pool = folder.resolve("orders.pool");
    }

    @AfterEach
    void deleteFolder() throws IOException {
        Files.deleteIfExists(pool);
        Files.delete(folder);
    }

    private HttpResponse<String> send(String method, String uri, String body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(uri))
                .method(method, BodyPublishers.ofString(body))
                .timeout(Duration.ofMinutes(2))
                .build();
        return client.send(request, BodyHandlers.ofString());
    }

    private String get(String uri) throws Exception {
        HttpResponse<String> response = send("GET", uri, "");
        assertEquals(200, response.statusCode(), uri);
        return response.body();
    }

    @Test
    void ordersAreThereAgain() throws Exception {
        try (OrderService service = OrderService.start(pool, 0)) {
            HttpResponse<String> first = send("POST", service.url(), "two apples");
            assertEquals(201, first.statusCode());
            assertEquals("/orders/0", first.headers().firstValue("Location").orElseThrow());
            assertEquals("1", send("POST", service.url(), "").body());
            assertEquals("2", send("POST", service.url(), "three pears").body());
        }
        try (OrderService service = OrderService.start(pool, 0)) {
            assertEquals("3", get(service.url()));
            assertEquals("two apples", get(service.url() + "/0"));
            assertEquals("", get(service.url() + "/1"));
            assertEquals("three pears", get(service.url() + "/2"));
            for (String missing : List.of("/3", "/", "/x", "/-1", "/99999999999", "/1/2")) {
                assertEquals(404, send("GET", service.url() + missing, "").statusCode(), missing);
            }
            assertEquals(405, send("DELETE", service.url() + "/0", "").statusCode());
            assertEquals(413, send("POST", service.url(), "x".repeat((1 << 16) + 1)).statusCode());
            assertEquals("3", get(service.url()));
        }
    }

    /** A service in a JVM of its own. */
    private record Running(Process process, String url) implements AutoCloseable {
        static Running start(Path pool) throws IOException {
            List<String> command = new ArrayList<>();
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            if (Runtime.version().feature() >= 22) {
                command.add("--enable-native-access=ALL-UNNAMED");
            }
            command.addAll(List.of("-cp", System.getProperty("java.class.path"), OrderService.class.getName()));
            command.addAll(List.of(pool.toString(), "0"));
            Process process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            BufferedReader out = process.inputReader();
            String line = out.readLine();
            if (line == null) {
                throw new IOException("the service has not started");
            }
            return new Running(process, line.substring(0, line.indexOf(": ")));
        }

        /** SIGKILL. */
        @Override
        public void close() {
            process.destroyForcibly().onExit().join();
        }
    }

    private String post(Running service, String order) throws Exception {
        HttpResponse<String> response = send("POST", service.url(), order);
        assertEquals(201, response.statusCode());
        return response.body();
    }

    /** Posts orders until the service is gone. */
    private void postAll(Running service, String prefix, Map<String, String> answered, Semaphore answers)
            throws Exception {
        for (int i = 0; ; i++) {
            String order = prefix + i + " " + "apples, ".repeat(i % 50);
            String number;
            try {
                number = post(service, order);
            } catch (IOException e) {
                return; // it was not answered, and may be there or not
            }
            assertNull(answered.put(number, order), "two orders are number " + number);
            answers.release();
        }
    }

    @Test
    void noAnsweredOrderIsLostWhenTheServiceIsKilled() throws Exception {
        Map<String, String> answered = new ConcurrentHashMap<>(); // orders by their numbers
        ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
        try {
            for (int round = 0; round < ROUNDS; round++) {
                Semaphore answers = new Semaphore(0);
                List<Future<?>> posting = new ArrayList<>();
                try (Running service = Running.start(pool)) {
                    check(service, answered, round);
                    for (int i = 0; i < CLIENTS; i++) {
                        String prefix = "order " + round + "." + i + ".";
                        posting.add(clients.submit(() -> {
                            postAll(service, prefix, answered, answers);
                            return null;
                        }));
                    }
                    assertTrue(answers.tryAcquire(ANSWERS, 2, TimeUnit.MINUTES), "orders are answered");
                }
                for (Future<?> each : posting) {
                    each.get();
                }
            }
            try (Running service = Running.start(pool)) {
                check(service, answered, ROUNDS);
            }
        } finally {
            clients.shutdownNow();
        }
    }

    /** Every answered order is there, and of the others those at most that were on their way at each kill, whole. */
    private void check(Running service, Map<String, String> answered, int kills) throws Exception {
        int count = Integer.parseInt(get(service.url()));
        int others = 0;
        for (int number = 0; number < count; number++) {
            String found = get(service.url() + "/" + number);
            String order = answered.get(Integer.toString(number));
            if (order == null) {
                assertTrue(found.matches("order [0-9]+\\.[0-9]+\\.[0-9]+ (apples, )*"), found);
                others++;
            } else {
                assertEquals(order, found, "order " + number);
            }
        }
        assertEquals(answered.size(), count - others);
        assertTrue(others <= kills * CLIENTS, others + " orders that nobody has sent");
    }
}
