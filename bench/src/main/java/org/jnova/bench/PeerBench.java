/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
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

/**
 * The same writes with what a user has at hand instead, on the same file system. A peer's method names begin with its
 * own.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class PeerBench {
    /** A file of the working set behind a FileChannel. */
    @State(Scope.Thread)
    public static class ChannelState {
        FileChannel channel;
        private Path path;

        /** Makes and fills the file. */
        @Setup(Level.Trial)
        public void create(BenchState bench) throws IOException {
            path = bench.file("channel");
            channel = FileChannel.open(path, CREATE, READ, WRITE);
            channel.write(bench.content(), 0);
            channel.force(true);
        }

        /** Cuts off what was appended. */
        @Setup(Level.Iteration)
        public void rewind(BenchState bench) throws IOException {
            channel.truncate(bench.workingSet).position(bench.workingSet);
        }

        /** Deletes the file. */
        @TearDown(Level.Trial)
        public void delete() throws IOException {
            channel.close();
            Files.delete(path);
        }
    }

    /** Random 4 KiB overwrite and force: durable, not atomic. */
    @Benchmark
    public int channelOverwrite4k(BenchState bench, ChannelState file) throws IOException {
        int n = file.channel.write(bench.direct.clear(), bench.nextOffset());
        file.channel.force(false);
        return n;
    }

    /** 128-byte append and force. */
    @Benchmark
    public int channelAppend128(BenchState bench, ChannelState file) throws IOException {
        int n = file.channel.write(bench.record.clear());
        file.channel.force(false);
        return n;
    }
}
