/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;

/** Atomic durable writes to a store, one thread. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class WriteBench {
    /** Random 4 KiB overwrite from a direct buffer. */
    @Benchmark
    public int overwrite4kDirect(BenchState bench, StoreState store) throws IOException {
        return store.file.write(bench.nextOffset(), bench.direct.clear());
    }

    /** Random 4 KiB overwrite from a heap buffer. */
    @Benchmark
    public int overwrite4kHeap(BenchState bench, StoreState store) throws IOException {
        return store.file.write(bench.nextOffset(), bench.heap.clear());
    }

    /** Random 4 KiB overwrite from an array. */
    @Benchmark
    public int overwrite4kArray(BenchState bench, StoreState store) throws IOException {
        return store.file.write(bench.nextOffset(), bench.array, 0, BenchState.PAGE_LEN);
    }

    /** 128-byte append from a direct buffer. */
    @Benchmark
    public long append128(BenchState bench, StoreState store) throws IOException {
        return store.log.append(bench.record.clear());
    }
}
