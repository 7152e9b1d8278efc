/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * A temporary folder for pools: in shared memory where there is such a thing, because tests emulate persistent
 * memory.
 */
public final class TestPools implements AutoCloseable {
    /** Whether long runs are wanted. */
    public static final boolean FULL = Boolean.getBoolean("jnova.full");

    /** Emulated persistent memory. */
    public static final StoreOptions EMULATED = StoreOptions.builder().emulated(true).build();

    /** What the pools here must turn out to be: PMEM where a DAX file system is mounted (native/test/power). */
    public static final Durability DURABILITY =
            Durability.valueOf(System.getProperty("jnova.test.durability", "EMULATED"));

    public static final long MIB = 1L << 20;

    /** How names of temporary folders begin: by the process, {@code ./jnova test} knows those that are left. */
    static final String PREFIX = "jnova-test-" + ProcessHandle.current().pid() + "-";

    private final Path folder;

    public TestPools() {
        try {
            Path shm = Path.of("/dev/shm");
            folder = Files.isDirectory(shm) && Files.isWritable(shm)
                    ? Files.createTempDirectory(shm, PREFIX)
                    : Files.createTempDirectory(PREFIX);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Path folder() {
        return folder;
    }

    /** A path in the folder. */
    public Path path(String name) {
        return folder.resolve(name);
    }

    /** A new, empty, open store. */
    public NovaStore create(String name, long size) throws IOException {
        return expected(NovaStore.create(path(name), size, EMULATED));
    }

    public NovaStore open(String name) throws IOException {
        return expected(NovaStore.open(path(name), EMULATED));
    }

    private static NovaStore expected(NovaStore store) throws IOException {
        Durability is = store.info().durability();
        if (is != DURABILITY) {
            store.close();
            throw new AssertionError(is + " instead of " + DURABILITY);
        }
        return store;
    }

    /** Fails if the pool, which must be closed, is damaged; or is less than whole after a clean close. */
    public void assertSound(String name) throws IOException {
        CheckReport report = PoolInspector.check(path(name));
        if (!report.findings().isEmpty()) {
            throw new AssertionError(report.toString());
        }
        if (report.blocksUsed() + report.blocksFree() != report.blocksTotal()) {
            throw new AssertionError("used + free != total: " + report);
        }
    }

    @Override
    public void close() {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
