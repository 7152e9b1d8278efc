/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jnova.NovaStore;
import org.jnova.StoreOptions;

/**
 * A process that works on a pool and ends without closing it, as if it had crashed: the next open recovers. Its
 * arguments are the pool, and what to do: "scatter PAGES OVERWRITES", "small FILES PER-DIRECTORY", or "open".
 */
final class ScaleChild {
    private static final int NATIVE_ACCESS_OPTION_SINCE = 22;

    private ScaleChild() {}

    /** Runs in the child. */
    public static void main(String[] args) throws IOException {
        NovaStore store = open(Path.of(args[0]));
        switch (args[1]) {
            case "scatter" -> {
                int pages = Integer.parseInt(args[2]);
                ScaleWorkloads.scatter(store, pages);
                ScaleWorkloads.overwrite(store, pages, Integer.parseInt(args[3]));
            }
            case "small" -> ScaleWorkloads.makeSmall(store, Integer.parseInt(args[2]), Integer.parseInt(args[3]));
            case "open" -> store.info();
            default -> throw new IllegalArgumentException(args[1]);
        }
        Runtime.getRuntime().halt(0);
    }

    static NovaStore open(Path pool) throws IOException {
        return NovaStore.open(pool, StoreOptions.builder().emulated(true).build());
    }

    static NovaStore create(Path pool, long size) throws IOException {
        return NovaStore.create(pool, size, StoreOptions.builder().emulated(true).build());
    }

    /** Runs a child, and waits for it. */
    static void run(Path pool, Object... what) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        if (Runtime.version().feature() >= NATIVE_ACCESS_OPTION_SINCE) {
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), ScaleChild.class.getName()));
        command.add(pool.toString());
        for (Object word : what) {
            command.add(word.toString());
        }
        int exitCode = new ProcessBuilder(command).inheritIO().start().waitFor();
        if (exitCode != 0) {
            throw new IOException("a child process ended with exit code " + exitCode + ": " + command);
        }
    }
}
