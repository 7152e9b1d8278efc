/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;

/**
 * URIs of pools and of paths in them: {@code jnova:///dev/shm/orders.pool} and {@code
 * jnova:///dev/shm/orders.pool!/2026/11}. In the name of a pool, an exclamation mark is {@code %21}.
 *
 * @param pool the pool file, absolute
 * @param path the path in the pool, or null
 */
record PoolUri(Path pool, String path) {
    static final String SCHEME = "jnova";

    private static final String BETWEEN = "!/";

    /** @throws IllegalArgumentException if it is not such a URI */
    static PoolUri parse(URI uri) {
        String raw = uri.getRawPath();
        if (!SCHEME.equalsIgnoreCase(uri.getScheme())) {
            throw new IllegalArgumentException("not of scheme " + SCHEME + ": " + uri);
        }
        if (raw == null || raw.length() < 2 || !raw.startsWith("/")) {
            throw new IllegalArgumentException("names no pool: " + uri);
        }
        if (uri.getRawAuthority() != null || uri.getRawQuery() != null || uri.getRawFragment() != null) {
            throw new IllegalArgumentException("has an authority, query or fragment: " + uri);
        }
        int end = raw.indexOf(BETWEEN);
        return end < 0
                ? new PoolUri(Path.of(decode(raw)), null)
                : new PoolUri(Path.of(decode(raw.substring(0, end))), decode(raw.substring(end + 1)));
    }

    private static String decode(String raw) {
        return URI.create(raw.startsWith("//") ? "/" + raw.replaceAll("^/+", "") : raw)
                .getPath();
    }

    /** The URI of an absolute path in a pool. */
    static URI of(Path pool, String path) {
        return URI.create(SCHEME + "://" + encode(pool.toAbsolutePath().toString()).replace("!", "%21") + "!"
                + encode(path));
    }

    private static String encode(String path) {
        try {
            return new URI(null, null, path, null).getRawPath();
        } catch (URISyntaxException e) {
            throw new AssertionError("an absolute path is one of a URI: " + path, e);
        }
    }
}
