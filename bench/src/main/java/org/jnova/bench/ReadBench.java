/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Random 4 KiB reads from a store, beside plain copies of the same pages out of a mapped file. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class ReadBench {
    /** A file of the working set, mapped by the JDK. */
    @State(Scope.Thread)
    public static class MappedState {
        MappedByteBuffer mapped;
        private Path path;

        /** Makes, fills and maps the file. */
        @Setup(Level.Trial)
        public void map(BenchState bench) throws IOException {
            path = bench.file("mapped");
            try (FileChannel channel = FileChannel.open(path, CREATE, READ, WRITE)) {
                channel.write(bench.content());
                mapped = channel.map(FileChannel.MapMode.READ_WRITE, 0, bench.workingSet);
            }
            mapped.load();
        }

        /** Deletes the file; the mapping ends with the JVM. */
        @TearDown(Level.Trial)
        public void delete() throws IOException {
            Files.delete(path);
        }
    }

    /** From the store into a direct buffer. */
    @Benchmark
    public int read4kDirect(BenchState bench, StoreState store) throws IOException {
        return store.file.read(bench.nextOffset(), bench.direct.clear());
    }

    /** From the store into an array. */
    @Benchmark
    public int read4kArray(BenchState bench, StoreState store) throws IOException {
        return store.file.read(bench.nextOffset(), bench.array, 0, BenchState.PAGE_LEN);
    }

    /** The plain copy: from mapped memory into a direct buffer. */
    @Benchmark
    public ByteBuffer copy4kMapped(BenchState bench, MappedState file) {
        return bench.direct.put(0, file.mapped, (int) bench.nextOffset(), BenchState.PAGE_LEN);
    }
}
