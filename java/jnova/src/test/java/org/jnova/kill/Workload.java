/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.kill;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jnova.CheckReport;
import org.jnova.NovaStore;
import org.jnova.PoolInspector;
import org.jnova.TestPools;

/** The writers of one pool, and the check of it. */
final class Workload {
    static final int THREADS = 9;
    private static final int THREADS_SHARING = 3;
    private static final int THREADS_MAPPING = 2;

    private final SharedWriter[] shared;
    private final List<Writer> writers;

    Workload(long seed) {
        shared = IntStream.range(0, THREADS_SHARING)
                .mapToObj(i -> new SharedWriter(seed, i, i))
                .toArray(SharedWriter[]::new);
        Stream<Writer> others = Stream.of(
                new FilesWriter(seed, 3, 3, 5),
                new FilesWriter(seed, 4, 3, 5),
                new FilesWriter(seed, 5, 6, 60),
                new FilesWriter(seed, 6, 6, 60),
                new MappedWriter(seed, 7, 0, THREADS_MAPPING),
                new MappedWriter(seed, 8, 1, THREADS_MAPPING));
        writers = Stream.concat(Arrays.stream(shared), others).toList();
        assert writers.size() == THREADS;
    }

    /** Makes the pool, with what must be there at first. */
    static void createPool(Path pool) throws IOException {
        try (NovaStore store = NovaStore.create(pool, 64 * TestPools.MIB, TestPools.EMULATED)) {
            SharedWriter.createFiles(store, THREADS_SHARING);
            MappedWriter.createFile(store, THREADS_MAPPING);
        }
    }

    List<Writer> writers() {
        return writers;
    }

    /** What is known of a pool before it is opened. */
    enum Last {
        /** Nobody has it open, and it was closed in order. */
        CLOSED,
        /** A process that had it open was killed. */
        OPEN,
        /** One of these: a process was killed while it opened or closed it. */
        EITHER
    }

    /** The check that opens nothing. */
    static CheckReport inspect(Path pool, Last last) throws IOException {
        CheckReport report = PoolInspector.check(pool);
        boolean sound = last == Last.CLOSED ? report.clean() && report.findings().isEmpty() : report.ok();
        if (!sound || report.blocksUsed() + report.blocksFree() != report.blocksTotal()) {
            throw new AssertionError(last + ": " + report);
        }
        return report;
    }

    /**
     * Compares all that the pool holds with what it should: each thread's completed calls, maybe its next one, and
     * nothing else.
     *
     * @param inspected what {@link #inspect} found just before the store was opened
     * @param acknowledged calls that each thread had completed at least
     * @param exact whether no call was in flight
     */
    void check(NovaStore store, CheckReport inspected, Last last, long[] acknowledged, boolean exact)
            throws IOException {
        boolean recovered = store.info().recovered();
        if (last == Last.CLOSED && recovered || last == Last.OPEN && !recovered) {
            throw new AssertionError(last + ", but recovered: " + recovered);
        }
        long free = store.info().blocksFree();
        if (free != inspected.blocksFree()) {
            throw new AssertionError(free + " blocks free, but " + inspected.blocksFree() + " are in no log");
        }
        for (Writer writer : writers) {
            writer.check(store, acknowledged[writer.thread], exact);
        }
        SharedWriter.checkWhole(store, shared);
        Set<String> names = new TreeSet<>(SharedWriter.FILES);
        writers.forEach(writer -> names.addAll(writer.names()));
        if (!names.equals(new TreeSet<>(store.names()))) {
            throw new AssertionError("names " + store.names() + " should be " + names);
        }
    }

    /** Calls that each thread has completed. */
    long[] done() {
        return writers.stream().mapToLong(Writer::done).toArray();
    }
}
