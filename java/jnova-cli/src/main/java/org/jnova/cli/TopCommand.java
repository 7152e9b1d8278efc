/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jnova.StoreInfo;
import org.jnova.StoreStats;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

@Command(
        name = "top",
        header = "Show what a running process does with its stores",
        description = {
            "Looks into a JVM of the same user that has stores open, and prints a line for each store in each interval,"
                    + " until it is interrupted. The JVM must have been started with -D" + RemoteStores.SWITCH
                    + "=true;"
                    + " its JDK's management agent is started, for this machine alone, and stays.",
            "",
            "writes/s, bytes/s  calls that wrote to files, and their bytes",
            "entries/s          log entries appended, for most changes",
            "copied/s           entries that cleaning has appended again",
            "freed/s            log pages that cleaning has freed",
            "clean%%             time of cleaning, in percent of one thread",
            "faults/s           page faults of mapped files",
            "waits/s            how often threads found a lock taken",
            "wait%%              time that they waited, but for the core's locks of logs, in percent of one thread",
            "free               space that is free for files",
        },
        footer = {
            "  jnova top /dev/shm/pool",
            "  jnova top 4711 --count 6 --json | jq '{pool, writes, intervalNanos}'",
        })
final class TopCommand extends StoreCommand {
    private static final int ROWS_PER_HEADER = 20;
    private static final double INTERVAL_MIN = 0.01;
    private static final double INTERVAL_MAX = 86_400;

    private static final String[] WAITS = {"directoriesWaits", "filesWaits", "tablesWaits", "logsWaits"};
    private static final String[] WAIT_TIMES = {"directoriesWaitNanos", "filesWaitNanos", "tablesWaitNanos"};

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @Parameters(
            index = "0",
            paramLabel = "PID|POOL",
            description = "A process, whose stores are shown; or a pool file, whose process is looked for. Digits alone"
                    + " are a process: write ./1 for a pool of that name.")
    private String target;

    @Option(
            names = "--interval",
            paramLabel = "SECONDS",
            defaultValue = "1",
            description = "Length of an interval, 0.01 to 86400. Default: ${DEFAULT-VALUE}")
    private double interval;

    @Option(names = "--count", paramLabel = "N", description = "End after so many intervals.")
    private Long count;

    @Option(
            names = "--json",
            description = "Print JSON: an object for each store in each interval, one after the other. What has been"
                    + " counted is what the interval, of intervalNanos, has added; times are in nanoseconds.")
    private boolean json;

    private int rows;

    @Override
    public Integer call() throws IOException, CommandFailure, InterruptedException {
        if (!(interval >= INTERVAL_MIN && interval <= INTERVAL_MAX)) {
            throw new ParameterException(
                    spec.commandLine(), "--interval: " + interval + " is not in 0.01..86400 seconds");
        }
        if (count != null && count < 1) {
            throw new ParameterException(spec.commandLine(), "--count: " + count + " is not 1 or more");
        }
        try (RemoteStores stores = RemoteStores.of(target)) {
            watch(stores);
        }
        return result();
    }

    private void watch(RemoteStores stores) throws IOException, CommandFailure, InterruptedException {
        long length = (long) (interval * 1e9);
        long next = System.nanoTime();
        Map<String, StoreStats> before = stores.read(this::problem);
        for (long i = 0; (count == null || i < count) && !out().checkError(); i++) {
            next += length;
            long left = next - System.nanoTime();
            if (left < 0) { // the JVM had stopped to answer: intervals that were missed are not made up for
                left = length;
                next = System.nanoTime() + length;
            }
            Thread.sleep(left / 1_000_000, (int) (left % 1_000_000));
            Map<String, StoreStats> now = stores.read(this::problem);
            for (Map.Entry<String, StoreStats> store : now.entrySet()) {
                print(stores.pid(), store.getKey(), new StatsInterval(before.get(store.getKey()), store.getValue()));
            }
            out().flush();
            before.putAll(now); // of a store that could not be read, the reading before stays
        }
    }

    private void print(long pid, String pool, StatsInterval done) {
        if (json) {
            out().println(Json.of(json(pid, pool, done)));
            return;
        }
        if (rows++ % ROWS_PER_HEADER == 0) {
            out().printf(
                            Locale.ROOT,
                            "%9s %10s %9s %9s %8s %6s %8s %8s %6s %10s  %s%n",
                            "writes/s",
                            "bytes/s",
                            "entries/s",
                            "copied/s",
                            "freed/s",
                            "clean%",
                            "faults/s",
                            "waits/s",
                            "wait%",
                            "free",
                            "pool");
        }
        out().printf(
                        Locale.ROOT,
                        "%9.0f %10s %9.0f %9.0f %8.0f %6.1f %8.0f %8.0f %6.1f %10s  %s%n",
                        done.perSecond("writes"),
                        Text.bytes((long) done.perSecond("bytesWritten")),
                        done.perSecond("entriesAppended"),
                        done.perSecond("cleaningCopied"),
                        done.perSecond("cleaningPagesFreed"),
                        100 * done.share("cleaningNanos"),
                        done.perSecond("faults"),
                        done.perSecond(WAITS),
                        100 * done.share(WAIT_TIMES),
                        Text.bytes(done.now().info().freeBytes()),
                        Text.printable(pool));
    }

    private static Map<String, Object> json(long pid, String pool, StatsInterval done) {
        StoreInfo info = done.now().info();
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("time", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
        map.put("pid", pid);
        map.put("pool", pool);
        map.put("usedBytes", info.usedBytes());
        map.put("freeBytes", info.freeBytes());
        map.put("files", info.files());
        map.putAll(StatsFigures.state(done.now()));
        map.put("intervalNanos", done.length().toNanos());
        map.putAll(done.counts());
        return map;
    }
}
