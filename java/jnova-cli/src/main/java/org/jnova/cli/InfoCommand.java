/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jnova.Durability;
import org.jnova.NovaStore;
import org.jnova.StoreInfo;
import org.jnova.StoreStats;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "info",
        header = "Tell facts about a pool",
        description = "Opens the pool, which recovers it if it was not closed in order, and tells its size, use and"
                + " durability; and what that open itself took. A pool is open in one process at a time: what a running"
                + " one does, it tells by 'jnova top', by NovaStore.stats(), and in recordings of the Java Flight"
                + " Recorder (jcmd PID JFR.start), events org.jnova.*.",
        footer = {
            "  jnova info /dev/shm/pool",
            "  jnova info /dev/shm/pool --json | jq .freeBytes",
        })
final class InfoCommand extends StoreCommand {
    @Mixin
    private PoolArguments pool;

    @Option(names = "--json", description = "Print JSON; sizes in bytes, times in nanoseconds.")
    private boolean json;

    @Override
    public Integer call() throws IOException, CommandFailure {
        StoreStats stats;
        try (NovaStore store = pool.open(streams())) {
            stats = store.stats();
        }
        if (json) {
            Map<String, Object> map = json(stats.info());
            Map<String, Object> figures = new LinkedHashMap<>(StatsFigures.state(stats));
            figures.putAll(StatsFigures.counters(stats));
            map.put("stats", figures);
            out().println(Json.of(map));
        } else {
            print(stats.info());
            print(stats);
        }
        return Main.OK;
    }

    private void print(StoreInfo info) {
        line("pool", info.pool().toString());
        line("size", Text.bytes(info.size()) + " (" + info.size() + " bytes)");
        line("grows to", Text.bytes(info.sizeMax()) + " at most, by jnova resize");
        line("durability", durability(info.durability()));
        line("files", info.files() + ", directories and symbolic links included");
        line("inodes", info.inodesUsed() + " of at most " + info.inodesMax() + ", the root directory included");
        line(
                "blocks",
                (info.blocksData() - info.blocksFree()) + " used, " + info.blocksFree() + " free of "
                        + info.blocksData() + ", of " + info.blockSize() + " bytes");
        line("used", Text.bytes(info.usedBytes()));
        line(
                "free",
                Text.bytes(info.freeBytes()) + ", longest run "
                        + Text.bytes(info.longestFreeExtent() * info.blockSize()) + "; besides "
                        + Text.bytes(info.blocksReserve() * info.blockSize()) + " kept for deleting on a full pool");
        line("last close", lastClose(info));
        line("made", info.created().toString());
        line("format", "version " + info.formatVersion() + ", uuid " + info.uuid());
    }

    private void print(StoreStats stats) {
        StoreStats.Logs logs = stats.logs();
        StoreStats.Faults faults = stats.faults();
        StoreStats.Locks locks = stats.locks();
        line(
                "this open",
                Text.count(logs.pagesAdded(), "log page", "log pages") + " added, " + logs.pagesFreed() + " freed, "
                        + Text.count(logs.transactionsEnded(), "transaction", "transactions") + " ended; "
                        + Text.count(faults.served(), "page fault", "page faults") + "; "
                        + (locks.directories().count() + locks.files().count() + locks.tables().count() + locks.logs())
                        + " times waited for a lock");
    }

    private void line(String label, String value) {
        out().printf(Locale.ROOT, "%-11s %s%n", label, value);
    }

    private static String lastClose(StoreInfo info) {
        if (!info.recovered()) {
            return "in order";
        }
        return "none: recovered in " + Text.time(info.recoveryTime()) + " from the logs of "
                + Text.count(info.recoveredInodes(), "inode", "inodes") + ", "
                + Text.count(info.recoveredOrphans(), "orphan", "orphans") + " released";
    }

    static String durability(Durability durability) {
        return switch (durability) {
            case PMEM -> "persistent memory: a call that returned survives power failure";
            case EMULATED ->
                "volatile memory: a call that returned survives a crash of the process, not of the machine";
            case MSYNC -> "msync: a call that returned survives power failure, slowly";
        };
    }

    private static Map<String, Object> json(StoreInfo info) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("pool", info.pool().toString());
        map.put("uuid", info.uuid().toString());
        map.put("formatVersion", info.formatVersion());
        map.put("created", info.created().toString());
        map.put("durability", info.durability().name());
        map.put("blockSize", info.blockSize());
        map.put("size", info.size());
        map.put("sizeMax", info.sizeMax());
        map.put("usedBytes", info.usedBytes());
        map.put("freeBytes", info.freeBytes());
        map.put("blocks", info.blocks());
        map.put("blocksData", info.blocksData());
        map.put("blocksFree", info.blocksFree());
        map.put("blocksReserve", info.blocksReserve());
        map.put("longestFreeExtent", info.longestFreeExtent());
        map.put("files", info.files());
        map.put("inodesUsed", info.inodesUsed());
        map.put("inodesMax", info.inodesMax());
        map.put("recovered", info.recovered());
        map.put("recoveryNanos", info.recoveryTime().toNanos());
        map.put("recoveredInodes", info.recoveredInodes());
        map.put("recoveredOrphans", info.recoveredOrphans());
        return map;
    }
}
