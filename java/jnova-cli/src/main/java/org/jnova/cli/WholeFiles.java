/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.function.LongConsumer;
import org.jnova.NovaFile;
import org.jnova.NovaStore;

/**
 * Moves whole files into and out of a store. A file goes in under a temporary name, in one atomic write or, if it is
 * long, in several; then it is renamed over its name. So a name in the store is at every moment, and after any crash, a
 * whole file, old or new.
 *
 * <p>A crash may leave the temporary name behind. It is no encoding of a path, so no import needs it for a file; and as
 * a pool is open once at a time, whoever finds one at the start may delete it.
 */
final class WholeFiles {
    /** What temporary names begin with. */
    static final String PART_PREFIX = "%part-";

    /** Longest atomic write, and what one costs in memory. */
    static final int CHUNK_LEN = 4 << 20;

    private final NovaStore store;
    private final ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_LEN);
    private ByteBuffer other;
    private int parts;

    WholeFiles(NovaStore store) {
        this.store = store;
    }

    static boolean isUnfinished(String name) {
        return name.startsWith(PART_PREFIX);
    }

    /** Deletes what interrupted imports left. Returns how many. */
    int deleteUnfinished() throws IOException {
        int count = 0;
        for (String name : store.names()) {
            if (isUnfinished(name)) {
                store.delete(name);
                count++;
            }
        }
        return count;
    }

    /**
     * Stores all bytes of a source under a name, replacing what had it. On failure the name is as it was.
     *
     * @param progress hears of the bytes written so far, after each full chunk
     * @return bytes stored
     */
    long put(String name, ReadableByteChannel source, LongConsumer progress) throws IOException {
        String part = PART_PREFIX + parts++;
        try {
            long size = 0;
            try (NovaFile file = store.open(part, WRITE, CREATE, TRUNCATE_EXISTING)) {
                boolean more = fill(chunk, source);
                while (chunk.hasRemaining()) {
                    size += file.write(size, chunk);
                    if (more) {
                        progress.accept(size);
                        more = fill(chunk, source);
                    }
                }
            }
            store.rename(part, name, REPLACE_EXISTING);
            return size;
        } catch (Throwable e) {
            deleteQuietly(part, e);
            throw e;
        }
    }

    private void deleteQuietly(String part, Throwable cause) {
        try {
            store.deleteIfExists(part);
        } catch (IOException | RuntimeException e) {
            cause.addSuppressed(e);
        }
    }

    /** Writes all bytes of a file of the store to a target. Returns how many. */
    long get(String name, WritableByteChannel target, LongConsumer progress) throws IOException {
        try (NovaFile file = store.open(name, READ)) {
            long position = 0;
            while (file.read(position, chunk.clear()) > 0) {
                position += chunk.position();
                chunk.flip();
                while (chunk.hasRemaining()) {
                    target.write(chunk);
                }
                progress.accept(position);
            }
            return position;
        }
    }

    /** Whether a file of the store holds exactly the bytes of a source. */
    boolean isSame(String name, ReadableByteChannel source) throws IOException {
        if (other == null) {
            other = ByteBuffer.allocateDirect(CHUNK_LEN);
        }
        try (NovaFile file = store.open(name, READ)) {
            long position = 0;
            boolean more;
            do {
                more = fill(other, source);
                file.read(position, chunk.clear().limit(other.limit()));
                if (!chunk.flip().equals(other)) {
                    return false;
                }
                position += other.limit();
            } while (more);
            return file.size() == position;
        }
    }

    /** Fills a buffer from a source as far as it goes, ready to be read. Returns whether there may be more. */
    private static boolean fill(ByteBuffer buffer, ReadableByteChannel source) throws IOException {
        buffer.clear();
        int n = 0;
        while (buffer.hasRemaining() && n >= 0) {
            n = source.read(buffer);
        }
        buffer.flip();
        return n >= 0;
    }
}
