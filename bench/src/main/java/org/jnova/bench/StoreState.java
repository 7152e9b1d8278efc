/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jnova.NovaFile;
import org.jnova.NovaStore;
import org.jnova.StoreOptions;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * A store with a file of the working set, filled, and an empty one to append to. Both are made anew for every
 * iteration, because the latter grows with every append; an iteration must be short enough for {@link #LOG_ROOM}.
 */
@State(Scope.Thread)
public class StoreState {
    private static final long LOG_ROOM = 1L << 30;

    NovaFile file;
    NovaFile log;
    private Path pool;
    private NovaStore store;

    /** Makes the pool. */
    @Setup(Level.Trial)
    public void create(BenchState bench) throws IOException {
        pool = bench.file("pool");
        Files.deleteIfExists(pool);
        StoreOptions options = StoreOptions.builder().emulated(true).build();
        store = NovaStore.create(pool, 2 * bench.workingSet + LOG_ROOM, options);
    }

    /** Makes the files. */
    @Setup(Level.Iteration)
    public void fill(BenchState bench) throws IOException {
        file = store.open("file", READ, WRITE, CREATE_NEW);
        file.write(0, bench.content());
        log = store.open("log", READ, WRITE, CREATE_NEW);
    }

    /** Deletes the files, and with them their logs. */
    @TearDown(Level.Iteration)
    public void empty() throws IOException {
        file.close();
        log.close();
        store.delete("file");
        store.delete("log");
    }

    /** Deletes the pool. */
    @TearDown(Level.Trial)
    public void delete() throws IOException {
        store.close();
        Files.delete(pool);
    }
}
