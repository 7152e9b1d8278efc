/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.eclipse.store.storage.embedded.types.EmbeddedStorage;
import org.eclipse.store.storage.embedded.types.EmbeddedStorageManager;
import org.eclipse.store.storage.types.Storage;
import org.eclipse.store.storage.types.StorageConfiguration;
import org.jnova.TestPools;
import org.jnova.TestReport;
import org.junit.jupiter.api.Test;

/**
 * EclipseStore keeps a graph of objects in a pool. Without its backup, which under a load like this loses count of files,
 * or hangs, on a plain disk, too. Seeds are printed.
 */
class EclipseStoreTest {
    private static final long SEED = Long.getLong("jnova.seed", System.nanoTime());
    private static final int ROUNDS = TestPools.FULL ? 40 : 4; // with a restart after each
    private static final int CHANGES = 300; // in a round

    /** The root, as the simplest program has it. */
    @Test
    void graphSurvivesRestart() throws Exception {
        try (NioPools pools = new NioPools()) {
            List<String> root = new ArrayList<>(List.of("one"));
            FileSystem fs = pools.create("objects", 64 * TestPools.MIB);
            try (EmbeddedStorageManager storage = EmbeddedStorage.start(root, fs.getPath("/objects"))) {
                root.add("two");
                storage.store(root);
            }
            pools.closeSound(fs, "objects");
            fs = pools.open("objects");
            try (EmbeddedStorageManager storage = EmbeddedStorage.start(fs.getPath("/objects"))) {
                assertEquals(List.of("one", "two"), storage.root());
            }
            pools.closeSound(fs, "objects");
        }
    }

    /** Small files, so that there are many, and that housekeeping has to rewrite and delete them. */
    private static StorageConfiguration.Builder<?> configuration(FileSystem fs) {
        return Storage.ConfigurationBuilder()
                .setStorageFileProvider(Storage.FileProvider(fs.getPath("/objects")))
                .setChannelCountProvider(Storage.ChannelCountProvider(2))
                .setDataFileEvaluator(Storage.DataFileEvaluator(4096, 32_768, 0.9))
                .setHousekeepingController(Storage.HousekeepingController(10, 5_000_000));
    }

    private static long bytes(Path directory) throws IOException {
        long sum = 0;
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : all.filter(Files::isRegularFile).toList()) {
                sum += Files.size(path);
            }
        }
        return sum;
    }

    /** The map that is the root. */
    @SuppressWarnings("unchecked")
    private static Map<Integer, StringBuilder> map(EmbeddedStorageManager storage) {
        return (Map<Integer, StringBuilder>) storage.root();
    }

    private static Map<Integer, String> contents(Map<Integer, StringBuilder> map) {
        Map<Integer, String> contents = new HashMap<>();
        map.forEach((key, value) -> contents.put(key, value.toString()));
        return contents;
    }

    @Test
    void housekeeping() throws Exception {
        System.out.println("EclipseStoreTest: seed " + SEED);
        SplittableRandom random = new SplittableRandom(SEED);
        Map<Integer, String> model = new HashMap<>();
        long stored = 0;
        try (NioPools pools = new NioPools()) {
            FileSystem fs = pools.create("objects", 128 * TestPools.MIB);
            EmbeddedStorage.start(new HashMap<Integer, StringBuilder>(), configuration(fs))
                    .shutdown();
            for (int round = 0; round < ROUNDS; round++) {
                try (EmbeddedStorageManager storage = EmbeddedStorage.start(configuration(fs))) {
                    Map<Integer, StringBuilder> map = map(storage);
                    assertEquals(model, contents(map), "seed " + SEED);
                    for (int i = 0; i < CHANGES; i++) {
                        int key = random.nextInt(100);
                        String value = Long.toString(random.nextLong()).repeat(random.nextInt(200));
                        model.put(key, value);
                        map.put(key, new StringBuilder(value));
                        storage.store(map);
                        stored += value.length();
                    }
                }
                if (round % 2 == 1) {
                    pools.closeSound(fs, "objects");
                    fs = pools.open("objects");
                }
            }
            try (EmbeddedStorageManager storage = EmbeddedStorage.start(configuration(fs))) {
                storage.issueFullGarbageCollection(); // of what no object here refers to: so after a restart
                storage.issueFullFileCheck();
            }
            long left = bytes(fs.getPath("/objects"));
            assertTrue(left < stored / 2, left + " bytes left of " + stored + ": housekeeping has done nothing");
            try (EmbeddedStorageManager storage = EmbeddedStorage.start(configuration(fs))) {
                assertEquals(model, contents(map(storage)), "seed " + SEED);
            }
            pools.closeSound(fs, "objects");
        }
        TestReport.line(
                "EclipseStore in a pool: %d stores, %d restarts, housekeeping", ROUNDS * CHANGES, ROUNDS);
    }
}
