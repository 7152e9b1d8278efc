/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.examples.orders;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jnova.NoSpaceException;

/**
 * Takes orders over HTTP and keeps them in an {@link OrderJournal}. The answer 201 to a POST means that the order is
 * durable: the service may be killed at any moment, and has each answered order when it is started again.
 *
 * <pre>
 * POST /orders      an order, of any text: 201, its number, and where it is
 * GET  /orders/7    the order of that number: 200, or 404
 * GET  /orders      how many there are: 200
 * </pre>
 */
public final class OrderService implements AutoCloseable {
    private static final String PATH = "/orders";
    private static final int THREADS = 16;
    private static final int ORDER_BYTES_MAX = 1 << 16;
    private static final byte[] NOTHING = {};

    static {
        // Or else an answer waits for the client's delayed acknowledgement of its first half: 40 ms.
        System.setProperty("sun.net.httpserver.nodelay", "true");
    }

    private final OrderJournal journal;
    private final HttpServer server;
    private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);

    private OrderService(OrderJournal journal, int port) throws IOException {
        this.journal = journal;
        this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server.createContext(PATH, this::handle);
        server.setExecutor(threads);
        server.start();
    }

    /**
     * Starts the service on this machine's own address.
     *
     * @param pool the pool file; it is made if it is not there
     * @param port a free port, or 0 for any
     * @return the running service
     * @throws IOException if the pool or the port cannot be opened
     */
    public static OrderService start(Path pool, int port) throws IOException {
        OrderJournal journal = OrderJournal.open(pool);
        try {
            return new OrderService(journal, port);
        } catch (IOException | RuntimeException e) {
            journal.close();
            throw e;
        }
    }

    /** {@return where orders go} */
    public String url() {
        return "http://localhost:" + server.getAddress().getPort() + PATH;
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String name = exchange.getRequestURI().getPath().substring(PATH.length());
            String request = exchange.getRequestMethod() + (name.isEmpty() ? "" : " one");
            switch (request) {
                case "POST" -> post(exchange);
                case "GET" -> answer(exchange, 200, Integer.toString(journal.size()));
                case "GET one" -> get(exchange, name);
                default -> answer(exchange, 405, NOTHING);
            }
        }
    }

    private void post(HttpExchange exchange) throws IOException {
        byte[] order = exchange.getRequestBody().readNBytes(ORDER_BYTES_MAX + 1);
        if (order.length > ORDER_BYTES_MAX) {
            answer(exchange, 413, NOTHING);
            return;
        }
        int number;
        try {
            number = journal.append(order); // durable from here on
        } catch (NoSpaceException e) {
            answer(exchange, 507, NOTHING);
            return;
        }
        exchange.getResponseHeaders().set("Location", PATH + "/" + number);
        answer(exchange, 201, Integer.toString(number));
    }

    private void get(HttpExchange exchange, String name) throws IOException {
        Optional<byte[]> order =
                name.matches("/[0-9]{1,9}") ? journal.get(Integer.parseInt(name.substring(1))) : Optional.empty();
        answer(exchange, order.isPresent() ? 200 : 404, order.orElse(NOTHING));
    }

    private static void answer(HttpExchange exchange, int status, String text) throws IOException {
        answer(exchange, status, text.getBytes(StandardCharsets.UTF_8));
    }

    private static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
    }

    /** Takes no more orders, and closes the pool. What runs meanwhile gets no answer. */
    @Override
    public void close() throws IOException {
        server.stop(0);
        threads.shutdown();
        journal.close();
    }

    private void closeQuietly() {
        try {
            close();
        } catch (IOException e) {
            System.err.println("The next start has to recover: " + e);
        }
    }

    /**
     * Runs the service until the process ends.
     *
     * @param args the pool file, and a port
     * @throws IOException if the pool or the port cannot be opened
     */
    public static void main(String[] args) throws IOException {
        if (args.length != 2) {
            System.err.println("Usage: OrderService POOL PORT");
            System.exit(2);
        }
        OrderService service = start(Path.of(args[0]), Integer.parseInt(args[1]));
        Runtime.getRuntime().addShutdownHook(new Thread(service::closeQuietly));
        System.out.println(service.url() + ": " + service.journal.size() + " orders, durability "
                + service.journal.durability());
    }
}
