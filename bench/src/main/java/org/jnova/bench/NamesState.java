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
 * A store with a directory, and in it a file that is open and one that is not. They are made anew for every iteration,
 * because their logs grow with every change; an iteration must be short enough for {@link #POOL_SIZE}: a call and what
 * makes up for it log less than 1 KiB, so half a second at a microsecond a call fits twice.
 */
@State(Scope.Thread)
public class NamesState {
    /** The open file. */
    static final String FILE = "dir/file";

    /** What a benchmark makes. */
    static final String NEW = "dir/new";

    /** What is made for a benchmark. */
    static final String MADE = "dir/made";

    private static final long POOL_SIZE = 1L << 30;

    /** Names of the closed file, in turn. */
    private static final String[] CLOSED = {"dir/one", "dir/two"};

    NovaStore store;
    NovaFile file;
    private int at;
    private Path pool;

    /** Makes the pool. */
    @Setup(Level.Trial)
    public void create(BenchState bench) throws IOException {
        pool = bench.file("names-pool");
        Files.deleteIfExists(pool);
        store = NovaStore.create(
                pool, POOL_SIZE, StoreOptions.builder().emulated(true).prefault(true).build());
    }

    /** Makes the directory and the files. */
    @Setup(Level.Iteration)
    public void fill() throws IOException {
        store.createDirectory("dir");
        file = store.open(FILE, READ, WRITE, CREATE_NEW);
        store.open(closed(), WRITE, CREATE_NEW).close();
    }

    /** The name that the closed file has. */
    String closed() {
        return CLOSED[at];
    }

    /** The name that it gets next. */
    String otherName() {
        return CLOSED[1 - at];
    }

    /** It has got its other name. */
    void turn() {
        at = 1 - at;
    }

    /** Deletes them, and with them their logs. */
    @TearDown(Level.Iteration)
    public void empty() throws IOException {
        file.close();
        for (String name : store.names("dir")) {
            store.delete("dir/" + name);
        }
        store.delete("dir");
    }

    /** Deletes the pool. */
    @TearDown(Level.Trial)
    public void delete() throws IOException {
        store.close();
        Files.delete(pool);
    }
}
