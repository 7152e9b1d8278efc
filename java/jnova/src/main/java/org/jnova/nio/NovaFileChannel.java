/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileLock;
import java.nio.channels.NonReadableChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.StandardWatchEventKinds;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import org.jnova.MappedRegion;
import org.jnova.NovaFile;

/**
 * A file as a channel. Every write, also a gathering one of up to 2<sup>31</sup> bytes, is one atomic step, durable on
 * return; writes of a channel opened to append go to the end of the file, wherever that is by then.
 *
 * <p>Calls that use the position wait for each other; all others run side by side. Interrupting a thread that is inside,
 * or enters, closes the channel, as the JDK's do.
 */
final class NovaFileChannel extends MappingChannel {
    private static final int TRANSFER_BYTES = 1 << 18;
    /** From JDK 21 on, a transfer to a position beyond the end makes the file longer; before, it does nothing. */
    private static final boolean TRANSFERS_BEYOND_END = Runtime.version().feature() >= 21;

    private final NovaPath path;
    private final NovaFile file;
    private final OpenRequest mode;
    private final MappedRegions regions = new MappedRegions();
    private final ReentrantLock positionLock = new ReentrantLock();
    private long position; // guarded by positionLock

    NovaFileChannel(NovaPath path, NovaFile file, OpenRequest mode) {
        this.path = path;
        this.file = file;
        this.mode = mode;
        fs().opened(this);
    }

    private NovaFileSystem fs() {
        return path.getFileSystem();
    }

    // ---- the frame of every call

    @FunctionalInterface
    interface Call<T> {
        T run() throws IOException;
    }

    /** Makes a call that another thread may cut short by closing the channel, or by interrupting this one. */
    private <T> T blocking(Call<T> call) throws IOException {
        boolean done = false;
        try {
            begin();
            T result = call.run();
            done = true;
            return result;
        } finally {
            end(done);
        }
    }

    private <T> T atPosition(Call<T> call) throws IOException {
        positionLock.lock();
        try {
            checkOpen();
            return blocking(call);
        } finally {
            positionLock.unlock();
        }
    }

    private void checkOpen() throws ClosedChannelException {
        if (!isOpen()) {
            throw new ClosedChannelException();
        }
    }

    private void checkReadable() throws ClosedChannelException {
        checkOpen();
        if (!mode.read()) {
            throw new NonReadableChannelException();
        }
    }

    private void checkWritable() throws ClosedChannelException {
        checkOpen();
        if (!mode.write()) {
            throw new NonWritableChannelException();
        }
    }

    private static void checkNotNegative(long number, String what) {
        if (number < 0) {
            throw new IllegalArgumentException("Negative " + what);
        }
    }

    private void changed() {
        fs().watches().signal(StandardWatchEventKinds.ENTRY_MODIFY, path);
    }

    // ---- reading

    @Override
    public int read(ByteBuffer dst) throws IOException {
        checkReadable();
        Objects.requireNonNull(dst);
        return atPosition(() -> {
            int n = file.read(position, dst);
            position += Math.max(n, 0);
            return n;
        });
    }

    @Override
    public int read(ByteBuffer dst, long from) throws IOException {
        Objects.requireNonNull(dst);
        checkNotNegative(from, "position");
        checkReadable();
        return blocking(() -> file.read(from, dst));
    }

    /** Reads buffer by buffer: all bytes of one are of one moment. */
    @Override
    public long read(ByteBuffer[] dsts, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, dsts.length);
        checkReadable();
        return atPosition(() -> {
            long total = 0;
            boolean full = false;
            for (int i = offset; i < offset + length && !full; i++) {
                int n = file.read(position, dsts[i]);
                if (n < 0) {
                    return total == 0 ? -1L : total;
                }
                position += n;
                total += n;
                full = dsts[i].hasRemaining(); // the end of the file is near
            }
            return total;
        });
    }

    // ---- writing

    @Override
    public int write(ByteBuffer src) throws IOException {
        checkWritable();
        Objects.requireNonNull(src);
        int written = atPosition(() -> {
            int n = src.remaining();
            if (mode.append()) {
                position = file.append(src) + n;
            } else {
                position += file.write(position, src);
            }
            return n;
        });
        changed();
        return written;
    }

    /** In a channel opened to append, this appends, too, as on Linux. */
    @Override
    public int write(ByteBuffer src, long to) throws IOException {
        Objects.requireNonNull(src);
        checkNotNegative(to, "position");
        checkWritable();
        int written = blocking(() -> {
            int n = src.remaining();
            if (mode.append()) {
                file.append(src);
            } else {
                file.write(to, src);
            }
            return n;
        });
        changed();
        return written;
    }

    @Override
    public long write(ByteBuffer[] srcs, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, srcs.length);
        checkWritable();
        int count = fitting(srcs, offset, length);
        long written = atPosition(() -> {
            long n = 0;
            for (int i = offset; i < offset + count; i++) {
                n += srcs[i].remaining();
            }
            if (mode.append()) {
                position = file.append(srcs, offset, count) + n;
            } else {
                position += file.write(position, srcs, offset, count);
            }
            return n;
        });
        changed();
        return written;
    }

    /** How many of the buffers one write takes. */
    private static int fitting(ByteBuffer[] srcs, int offset, int length) {
        long total = 0;
        for (int i = 0; i < length; i++) {
            total += srcs[offset + i].remaining();
            if (total > NovaFile.WRITE_MAX) {
                return i;
            }
        }
        return length;
    }

    // ---- position and size

    @Override
    public long position() throws IOException {
        checkOpen();
        return atPosition(() -> {
            position = mode.append() ? file.size() : position;
            return position;
        });
    }

    @Override
    public NovaFileChannel position(long newPosition) throws IOException {
        checkOpen();
        checkNotNegative(newPosition, "position");
        return atPosition(() -> {
            position = newPosition;
            return this;
        });
    }

    @Override
    public long size() throws IOException {
        checkOpen();
        return blocking(file::size);
    }

    @Override
    public NovaFileChannel truncate(long size) throws IOException {
        checkOpen();
        checkNotNegative(size, "size");
        checkWritable();
        atPosition(() -> {
            file.truncate(size);
            position = Math.min(position, size);
            return this;
        });
        changed();
        return this;
    }

    /** Every write was durable when it returned; what is left are stores to buffers, and to regions of this channel. */
    @Override
    public void force(boolean metaData) throws IOException {
        checkOpen();
        blocking(() -> {
            file.force();
            regions.force();
            return null;
        });
    }

    // ---- transfers

    @Override
    public long transferTo(long from, long count, WritableByteChannel target) throws IOException {
        checkOpen();
        if (!target.isOpen()) {
            throw new ClosedChannelException();
        }
        checkReadable();
        NovaFileChannel nova = target instanceof NovaFileChannel channel ? channel : null;
        if (nova != null) {
            nova.checkWritable();
        }
        checkNotNegative(from, "position");
        checkNotNegative(count, "count");
        if (nova != null && nova.fs() == fs() && !nova.mode.append()) {
            long moved = nova.atPosition(() -> {
                long n = blocking(() -> file.copyRange(from, nova.file, nova.position, capped(count)));
                nova.position += n;
                return n;
            });
            nova.changed();
            return moved;
        }
        return pump(from, Math.min(count, Math.max(0, size() - from)), target);
    }

    private long pump(long from, long count, WritableByteChannel target) throws IOException {
        ByteBuffer buffer = buffer(count);
        long moved = 0;
        while (moved < count) {
            buffer.clear().limit((int) Math.min(buffer.capacity(), count - moved));
            if (read(buffer, from + moved) <= 0) {
                break;
            }
            buffer.flip();
            int wanted = buffer.remaining();
            int n = target.write(buffer);
            moved += n;
            if (n < wanted) {
                break;
            }
        }
        return moved;
    }

    @Override
    public long transferFrom(ReadableByteChannel source, long to, long count) throws IOException {
        checkOpen();
        if (!source.isOpen()) {
            throw new ClosedChannelException();
        }
        checkWritable();
        checkNotNegative(to, "position");
        checkNotNegative(count, "count");
        if (!TRANSFERS_BEYOND_END && to > size()) {
            return 0;
        }
        NovaFileChannel nova = source instanceof NovaFileChannel channel ? channel : null;
        if (nova != null) {
            nova.checkReadable();
        }
        if (nova != null && nova.fs() == fs() && !mode.append()) {
            long moved = nova.atPosition(() -> {
                long n = blocking(() -> nova.file.copyRange(nova.position, file, to, capped(count)));
                nova.position += n;
                return n;
            });
            changed();
            return moved;
        }
        ByteBuffer buffer = buffer(count);
        long moved = 0;
        while (moved < count) {
            buffer.clear().limit((int) Math.min(buffer.capacity(), count - moved));
            if (source.read(buffer) <= 0) {
                break;
            }
            moved += write(buffer.flip(), to + moved);
        }
        return moved;
    }

    private static ByteBuffer buffer(long count) {
        return ByteBuffer.allocateDirect((int) Math.min(count, TRANSFER_BYTES));
    }

    private static long capped(long count) {
        return Math.min(count, Integer.MAX_VALUE);
    }

    // ---- locks

    /** Never waits: see {@link FileLocks}. */
    @Override
    public FileLock lock(long from, long size, boolean shared) throws IOException {
        return tryLock(from, size, shared);
    }

    @Override
    public FileLock tryLock(long from, long size, boolean shared) throws IOException {
        checkOpen();
        if (shared) {
            checkReadable();
        } else {
            checkWritable();
        }
        FileKey key = FileKey.of(fs(), file.info());
        return blocking(() -> fs().locks().acquire(this, key, from, size, shared));
    }

    // ---- mapping

    /** See {@link NovaFile#mapBuffer}. */
    @Override
    public MappedByteBuffer map(MapMode mapMode, long from, long size) throws IOException {
        if (size > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("Size exceeds Integer.MAX_VALUE");
        }
        Objects.requireNonNull(mapMode, "Mode is null");
        checkOpen();
        checkNotNegative(from, "position");
        checkNotNegative(size, "size");
        if (from > Long.MAX_VALUE - size) {
            throw new IllegalArgumentException("Position + size overflow");
        }
        return mapping(mapMode, () -> file.mapBuffer(mapMode, from, size));
    }

    @Override
    <T> T mapping(MapMode mapMode, Call<T> call) throws IOException {
        checkOpen();
        if (mapMode != MapMode.READ_ONLY) {
            checkWritable();
        }
        checkReadable();
        return blocking(call);
    }

    @Override
    NovaFile file() {
        return file;
    }

    @Override
    MappedRegion region(MapMode mapMode, long from, long size) throws IOException {
        MappedRegion region = file.map(mapMode, from, size);
        if (!region.isReadOnly()) {
            regions.add(region);
        }
        return region;
    }

    @Override
    protected void implCloseChannel() throws IOException {
        fs().closed(this);
        fs().locks().releaseAll(this);
        file.close();
    }

    @Override
    public String toString() {
        return "channel of " + file;
    }
}
