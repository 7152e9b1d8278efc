/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import static org.jnova.bench.Durability.NOVA;
import static org.jnova.bench.Durability.NOVA_EMULATED;
import static org.jnova.bench.Durability.PAGE_CACHE;
import static org.jnova.bench.Durability.PAGE_CACHE_UNORDERED;
import static org.jnova.bench.Durability.SYNCED;
import static org.jnova.bench.Workload.Call.APPEND;
import static org.jnova.bench.Workload.Call.CREATE;
import static org.jnova.bench.Workload.Call.MIXED;
import static org.jnova.bench.Workload.Call.OPEN;
import static org.jnova.bench.Workload.Call.READ;
import static org.jnova.bench.Workload.Call.RENAME;
import static org.jnova.bench.Workload.Call.WRITE;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jnova.bench.JNovaSubject.Source;
import org.jnova.bench.Subject.Conditions;

/** The systems that are measured. On each row JMH starts a JVM in which only one of them is loaded. */
enum Contender {
    JNOVA_DIRECT("jnova direct", NOVA, all(), c -> new JNovaSubject(c, Source.DIRECT, false)),
    JNOVA_HEAP("jnova heap", NOVA, content(), c -> new JNovaSubject(c, Source.HEAP, false)),
    JNOVA_ARRAY("jnova array", NOVA, content(), c -> new JNovaSubject(c, Source.ARRAY, false)),
    /** Elsewhere than on tmpfs, where all of them are emulated. */
    JNOVA_EMULATED("jnova emulated", NOVA_EMULATED, all(), c -> new JNovaSubject(c, Source.DIRECT, true)),
    CHANNEL("FileChannel", PAGE_CACHE, all(), c -> new ChannelSubject(c, false)),
    CHANNEL_FORCE("FileChannel+force", SYNCED, except(all(), READ, OPEN), c -> new ChannelSubject(c, true)),
    /** The limit of reads: a plain copy. */
    MAPPED("mapped", PAGE_CACHE, Set.of(WRITE, READ, MIXED), c -> new MappedSubject(c, false)),
    MAPPED_FORCE("mapped+force", SYNCED, Set.of(WRITE, MIXED), c -> new MappedSubject(c, true)),
    CHRONICLE("Chronicle", PAGE_CACHE, Set.of(APPEND), c -> new ChronicleSubject(c, false)),
    CHRONICLE_SYNC("Chronicle+sync", SYNCED, Set.of(APPEND), c -> new ChronicleSubject(c, true)),
    LMDB("LMDB nosync", PAGE_CACHE_UNORDERED, content(), c -> new LmdbSubject(c, false)),
    LMDB_SYNC("LMDB", SYNCED, except(content(), READ), c -> new LmdbSubject(c, true)),
    ROCKSDB("RocksDB", PAGE_CACHE, content(), c -> new RocksSubject(c, false)),
    ROCKSDB_SYNC("RocksDB+sync", SYNCED, except(content(), READ), c -> new RocksSubject(c, true)),
    /** Without sync, space of an old version may be written again before the new one has reached the device. */
    MVSTORE("MVStore", PAGE_CACHE_UNORDERED, content(), c -> new MvStoreSubject(c, false)),
    MVSTORE_SYNC("MVStore+sync", SYNCED, except(content(), READ), c -> new MvStoreSubject(c, true));

    private interface Factory {
        Subject open(Conditions conditions) throws Exception;
    }

    final String label;
    private final Durability durability;
    private final Set<Workload.Call> calls;
    private final Factory factory;

    Contender(String label, Durability durability, Set<Workload.Call> calls, Factory factory) {
        this.label = label;
        this.durability = durability;
        this.calls = calls;
        this.factory = factory;
    }

    private static Set<Workload.Call> all() {
        return Set.of(Workload.Call.values());
    }

    private static Set<Workload.Call> content() {
        return Set.of(WRITE, READ, APPEND, MIXED);
    }

    private static Set<Workload.Call> except(Set<Workload.Call> of, Workload.Call... calls) {
        return of.stream().filter(c -> !List.of(calls).contains(c)).collect(Collectors.toSet());
    }

    Subject open(Conditions conditions) throws Exception {
        return factory.open(conditions);
    }

    boolean knows(Workload workload) {
        return calls.contains(workload.call);
    }

    /** Whether two threads can have a file each. */
    boolean hasFiles() {
        return isJNova() || this == CHANNEL || this == CHANNEL_FORCE;
    }

    boolean isJNova() {
        return label.startsWith("jnova");
    }

    /** Of a workload's calls, in words. Renames are atomic everywhere; nobody makes and fills a file in one step. */
    String durability(Workload workload, FileSystemInfo fs) {
        return switch (workload.call) {
            case READ, OPEN -> Durability.NOTHING_WRITTEN;
            case RENAME -> durability.words(fs, true);
            case CREATE -> durability.words(fs, false);
            case WRITE, APPEND, MIXED -> durability.words(fs, !isPlainFile());
        };
    }

    /** Whether a crash may leave a part of one write. */
    private boolean isPlainFile() {
        return this == CHANNEL || this == CHANNEL_FORCE || this == MAPPED || this == MAPPED_FORCE;
    }

    /** What the system needs of the JVM beyond what all get. */
    List<String> jvmArgs() {
        return switch (this) {
                // It sets address and capacity of direct buffers, private fields in these packages.
            case LMDB, LMDB_SYNC -> List.of(
                    "--add-opens=java.base/java.nio=ALL-UNNAMED", "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED");
                // It maps through the JDK's internals, frees buffers by them, and would otherwise report its use to a
                // server. Of the longer list that its makers give, these are what a queue uses on JDK 17 and 25.
            case CHRONICLE, CHRONICLE_SYNC -> List.of(
                    "-Dchronicle.analytics.disable=true",
                    "-Dslf4j.internal.verbosity=ERROR", // else it says that it logs nowhere
                    "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
                    "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED",
                    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED");
            default -> List.of();
        };
    }
}
