/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.Objects;
import org.jnova.NovaDirectory;

/**
 * A directory opened for reading, as software does that wants its names to be durable, by {@link #force}: which they
 * are in any case. All that would read or write fails.
 */
final class DirectoryChannel extends FileChannel {
    private final NovaFileSystem fs;
    private final NovaDirectory directory;

    DirectoryChannel(NovaFileSystem fs, NovaDirectory directory) {
        this.fs = fs;
        this.directory = directory;
        fs.opened(this);
    }

    private void checkOpen() throws ClosedChannelException {
        if (!isOpen()) {
            throw new ClosedChannelException();
        }
    }

    private IOException isDirectory() throws ClosedChannelException {
        checkOpen();
        return new IOException("Is a directory");
    }

    private NonWritableChannelException notWritable() throws ClosedChannelException {
        checkOpen();
        return new NonWritableChannelException();
    }

    @Override
    public void force(boolean metaData) throws IOException {
        checkOpen();
    }

    @Override
    public long position() throws IOException {
        checkOpen();
        return 0;
    }

    @Override
    public FileChannel position(long newPosition) throws IOException {
        throw isDirectory();
    }

    @Override
    public long size() throws IOException {
        checkOpen();
        return directory.stat(".").size();
    }

    @Override
    public int read(ByteBuffer dst) throws IOException {
        Objects.requireNonNull(dst);
        throw isDirectory();
    }

    @Override
    public long read(ByteBuffer[] dsts, int offset, int length) throws IOException {
        throw isDirectory();
    }

    @Override
    public int read(ByteBuffer dst, long position) throws IOException {
        throw isDirectory();
    }

    @Override
    public long transferTo(long position, long count, WritableByteChannel target) throws IOException {
        throw isDirectory();
    }

    @Override
    public int write(ByteBuffer src) throws IOException {
        throw notWritable();
    }

    @Override
    public long write(ByteBuffer[] srcs, int offset, int length) throws IOException {
        throw notWritable();
    }

    @Override
    public int write(ByteBuffer src, long position) throws IOException {
        throw notWritable();
    }

    @Override
    public FileChannel truncate(long size) throws IOException {
        throw notWritable();
    }

    @Override
    public long transferFrom(ReadableByteChannel src, long position, long count) throws IOException {
        throw notWritable();
    }

    @Override
    public MappedByteBuffer map(MapMode mode, long position, long size) throws IOException {
        throw isDirectory();
    }

    @Override
    public FileLock lock(long position, long size, boolean shared) throws IOException {
        return tryLock(position, size, shared);
    }

    @Override
    public FileLock tryLock(long position, long size, boolean shared) throws IOException {
        if (!shared) {
            throw notWritable();
        }
        throw isDirectory();
    }

    @Override
    protected void implCloseChannel() {
        fs.closed(this);
    }
}
