/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.Map;
import org.jnova.TestPools;

/** File systems over temporary pools; closed, checked and deleted at the end. */
final class NioPools implements AutoCloseable {
    private final TestPools pools = new TestPools();

    URI uri(String name) {
        return URI.create("jnova://" + pools.path(name).toUri().getRawPath());
    }

    Path file(String name) {
        return pools.path(name);
    }

    /** A new pool as a file system. */
    FileSystem create(String name, long size) throws IOException {
        return FileSystems.newFileSystem(uri(name), Map.of("create", true, "size", size, "emulated", true));
    }

    FileSystem open(String name) throws IOException {
        return FileSystems.newFileSystem(uri(name), Map.of("emulated", true));
    }

    /** Closes a file system, and checks its pool. */
    void closeSound(FileSystem fs, String name) throws IOException {
        fs.close();
        pools.assertSound(name);
    }

    @Override
    public void close() {
        pools.close();
    }
}
