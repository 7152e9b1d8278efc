/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.channels.Channel;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The locks of all files. A pool is open in one process at a time, so all that could want a region of a file is in this
 * JVM, where overlapping locks are an {@link OverlappingFileLockException}, be they shared or not, of one channel or of
 * several: nobody ever waits for a lock. A lock is the file's, not the name's. Advisory: reads and writes do not look.
 */
final class FileLocks {
    private final Map<FileKey, List<Lock>> held = new HashMap<>(); // guarded by this

    private final class Lock extends FileLock {
        private final FileKey file;
        private boolean released; // guarded by the table

        Lock(FileChannel channel, FileKey file, long position, long size, boolean shared) {
            super(channel, position, size, shared);
            this.file = file;
        }

        Lock(AsynchronousFileChannel channel, FileKey file, long position, long size, boolean shared) {
            super(channel, position, size, shared);
            this.file = file;
        }

        @Override
        public boolean isValid() {
            synchronized (FileLocks.this) {
                return !released;
            }
        }

        @Override
        public void release() throws IOException {
            synchronized (FileLocks.this) {
                if (!acquiredBy().isOpen()) {
                    throw new ClosedChannelException();
                }
                drop(this);
            }
        }
    }

    FileLock acquire(FileChannel channel, FileKey file, long position, long size, boolean shared) throws IOException {
        return acquire(new Lock(channel, file, position, toEnd(position, size), shared));
    }

    FileLock acquire(AsynchronousFileChannel channel, FileKey file, long position, long size, boolean shared)
            throws IOException {
        return acquire(new Lock(channel, file, position, toEnd(position, size), shared));
    }

    /** A size of 0 means all that follows. */
    private static long toEnd(long position, long size) {
        return size == 0 && position >= 0 ? Long.MAX_VALUE - position : size;
    }

    /** A channel that closes is no longer open when it gives its locks back: so it leaves none behind. */
    private synchronized FileLock acquire(Lock lock) throws ClosedChannelException {
        if (!lock.acquiredBy().isOpen()) {
            throw new ClosedChannelException();
        }
        List<Lock> others = held.computeIfAbsent(lock.file, file -> new ArrayList<>());
        for (Lock other : others) {
            if (other.overlaps(lock.position(), lock.size())) {
                throw new OverlappingFileLockException();
            }
        }
        others.add(lock);
        return lock;
    }

    private void drop(Lock lock) {
        lock.released = true;
        List<Lock> others = held.get(lock.file);
        if (others != null && others.remove(lock) && others.isEmpty()) {
            held.remove(lock.file);
        }
    }

    /** Gives back the locks of a channel that is being closed. */
    synchronized void releaseAll(Channel channel) {
        held.values().removeIf(locks -> {
            locks.removeIf(lock -> {
                boolean its = lock.acquiredBy() == channel;
                lock.released |= its;
                return its;
            });
            return locks.isEmpty();
        });
    }
}
