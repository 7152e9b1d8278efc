/* SPDX-License-Identifier: Apache-2.0 */
package org.example;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Map;
import org.jnova.MappedRegion;
import org.jnova.NovaFile;
import org.jnova.NovaStore;
import org.jnova.StoreOptions;

/**
 * A program that keeps numbered records in a store: {@code write POOL} appends and prints the number of each record
 * once its append has returned, until it is killed; {@code check POOL N} reopens and reads back at least N + 1 of them.
 */
public final class Consumer {
    private static final StoreOptions OPTIONS = StoreOptions.builder().emulated(true).build();
    private static final int RECORD = 100; // bytes

    private Consumer() {}

    /**
     * Runs one of the two.
     *
     * @param args command, pool file, and number of the last record known to be written
     * @throws IOException if the store fails
     */
    public static void main(String[] args) throws IOException {
        Path pool = Path.of(args[1]);
        switch (args[0]) {
            case "write" -> write(pool);
            case "check" -> check(pool, Long.parseLong(args[2]));
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static void write(Path pool) throws IOException {
        try (NovaStore store = NovaStore.create(pool, 256 << 20, OPTIONS);
                NovaFile file = store.open("records", StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            for (long n = 0; ; n++) {
                file.append(record(n));
                System.out.println(n);
            }
        }
    }

    private static void check(Path pool, long last) throws IOException {
        try (NovaStore store = NovaStore.open(pool, OPTIONS);
                NovaFile file = store.open("records", StandardOpenOption.READ)) {
            long found = file.size() / RECORD;
            if (file.size() % RECORD != 0 || found < last + 1) {
                throw new AssertionError(file.size() + " bytes found, " + (last + 1) + " records were reported");
            }
            ByteBuffer read = ByteBuffer.allocate(RECORD);
            for (long n = 0; n < found; n++) {
                file.read(n * RECORD, read.clear());
                if (!read.flip().equals(record(n))) {
                    throw new AssertionError("record " + n + " differs");
                }
            }
            checkMapped(file, found);
            System.out.println(found + " records read back, " + (last + 1) + " were reported");
        }
        checkFileSystem(pool);
        Files.delete(pool);
    }

    /** The service that the jar offers is found, on the class path and on the module path. */
    private static void checkFileSystem(Path pool) throws IOException {
        try (FileSystem fs = FileSystems.newFileSystem(pool, Map.of("emulated", true))) {
            byte[] all = Files.readAllBytes(fs.getPath("/records"));
            if (!ByteBuffer.wrap(all, 0, RECORD).equals(record(0))) {
                throw new AssertionError("the first record differs in the file system");
            }
        }
    }

    /** The same through memory; and that a newer JDK finds what the jar has for it. */
    private static void checkMapped(NovaFile file, long found) throws IOException {
        try (MappedRegion region = file.map(FileChannel.MapMode.READ_ONLY, 0, found * RECORD)) {
            for (long n = 0; n < found; n++) {
                if (!region.buffer(n * RECORD, RECORD).equals(record(n))) {
                    throw new AssertionError("record " + n + " differs in memory");
                }
            }
        }
        boolean segments = Arrays.stream(MappedRegion.class.getMethods()).anyMatch(m -> m.getName().equals("segment"));
        if (segments != Runtime.version().feature() >= 22) {
            throw new AssertionError("segments: " + segments);
        }
    }

    private static ByteBuffer record(long n) {
        ByteBuffer record = ByteBuffer.allocate(RECORD);
        while (record.hasRemaining()) {
            record.put((byte) (n * 31 + record.position() * 7));
        }
        return record.flip().putLong(0, n);
    }
}
