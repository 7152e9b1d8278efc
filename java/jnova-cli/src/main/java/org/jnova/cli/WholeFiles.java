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
 * <p>A crash may leave the temporary name behind, in the root directory. No import takes a file of such a name; and as
 * a pool is open once at a time, whoever finds one at the start may delete it.
 */
final class WholeFiles {
    /** What temporary names, all in the root directory, begin with. */
    static final String PART_PREFIX = ".jnova-part-";

    /** Longest atomic write, and what one costs in memory. */
    static final int CHUNK_LEN = 4 << 20;

    private final NovaStore store;
    private final ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_LEN);
    private ByteBuffer other;
    private int parts;

    WholeFiles(NovaStore store) {
        this.store = store;
    }

    /** Whether a path is that of an unfinished file. */
    static boolean isUnfinished(String path) {
        int start = 0;
        while (start < path.length() && path.charAt(start) == '/') {
            start++;
        }
        return path.startsWith(PART_PREFIX, start) && path.indexOf('/', start) < 0;
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

    /** Makes something under a temporary name. */
    interface Making {
        void make(String part) throws IOException;
    }

    /** Makes something and gives it a name, replacing what had it. On failure the name is as it was. */
    void replace(String name, Making making) throws IOException {
        String part = PART_PREFIX + parts++;
        try {
            making.make(part);
            store.rename(part, name, REPLACE_EXISTING);
        } catch (Throwable e) {
            deleteQuietly(part, e);
            throw e;
        }
    }

    /** The same as the other form, with the attributes of a new file. */
    long put(String name, ReadableByteChannel source, LongConsumer progress) throws IOException {
        return put(name, source, part -> {}, progress);
    }

    /**
     * Stores all bytes of a source under a name, replacing what had it. On failure the name is as it was.
     *
     * @param attributes gives the file, under its temporary name, what it is to have
     * @param progress hears of the bytes written so far, after each full chunk
     * @return bytes stored
     */
    long put(String name, ReadableByteChannel source, Making attributes, LongConsumer progress)
            throws IOException {
        long[] size = new long[1];
        replace(name, part -> {
            size[0] = fillPart(part, source, progress);
            attributes.make(part);
        });
        return size[0];
    }

    private long fillPart(String part, ReadableByteChannel source, LongConsumer progress) throws IOException {
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
        return size;
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
