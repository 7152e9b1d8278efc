/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.jnova.AccessTimes;
import org.jnova.NovaStore;
import org.jnova.StoreOptions;

/**
 * What the environment of a new file system says.
 *
 * @param create whether a pool is made if there is none
 * @param size of that, bytes
 * @param options for the store
 */
record PoolSettings(boolean create, long size, StoreOptions options) {
    private static final String UNITS = "KMGT";

    /** @throws IllegalArgumentException if a value is not one */
    static PoolSettings of(Map<String, ?> env) {
        boolean create = flag(env, "create");
        Object size = env.get("size");
        if (create && size == null) {
            throw new IllegalArgumentException("\"create\" wants \"size\", the size of the pool");
        }
        StoreOptions.Builder options = StoreOptions.builder();
        options.emulated(flag(env, "emulated"));
        options.prefault(flag(env, "prefault"));
        Object times = env.get("accessTimes");
        if (times != null) {
            options.accessTimes(AccessTimes.valueOf(times.toString().toUpperCase(Locale.ROOT)));
        }
        Object given = env.get("options");
        return new PoolSettings(
                create, size == null ? 0 : bytes(size), given == null ? options.build() : (StoreOptions) given);
    }

    private static boolean flag(Map<String, ?> env, String key) {
        Object value = env.get(key);
        return value != null && (value.equals(true) || value.toString().equalsIgnoreCase("true"));
    }

    private static long bytes(Object size) {
        if (size instanceof Number number) {
            return number.longValue();
        }
        String text = size.toString().toUpperCase(Locale.ROOT);
        int unit = text.isEmpty() ? -1 : UNITS.indexOf(text.charAt(text.length() - 1));
        try {
            long number = Long.parseLong(unit < 0 ? text : text.substring(0, text.length() - 1));
            return Math.multiplyExact(number, 1L << 10 * (unit + 1));
        } catch (ArithmeticException | NumberFormatException e) {
            throw new IllegalArgumentException("\"size\" is not a number of bytes, K, M, G or T: " + size, e);
        }
    }

    NovaStore open(Path pool) throws IOException {
        if (create && !Files.exists(pool)) {
            try {
                return NovaStore.create(pool, size, options);
            } catch (FileAlreadyExistsException e) {
                // made meanwhile
            }
        }
        return NovaStore.open(pool, options);
    }
}
