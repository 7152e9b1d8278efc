/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Folders of a run. */
final class Scratch {
    private Scratch() {}

    /**
     * Deletes a folder at the latest when this JVM ends, also by SIGINT or SIGTERM. What a JVM of JMH's makes there later
     * stays, as all does after SIGKILL.
     */
    static void deleteAtExit(Path dir) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                delete(dir);
            } catch (IOException | UncheckedIOException e) {
                System.err.println("jnova bench: " + dir + " is left: " + e.getMessage());
            }
        }));
    }

    /** Deletes a folder and all in it, if it is there. */
    static void delete(Path dir) throws IOException {
        if (Files.exists(dir)) {
            List<Path> paths;
            try (Stream<Path> walk = Files.walk(dir)) {
                paths = walk.sorted(Comparator.reverseOrder()).toList();
            }
            for (Path path : paths) {
                Files.deleteIfExists(path);
            }
        }
    }
}
