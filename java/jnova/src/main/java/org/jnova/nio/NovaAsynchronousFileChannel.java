/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.CompletionHandler;
import java.nio.channels.FileLock;
import java.nio.channels.NonReadableChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.StandardWatchEventKinds;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.jnova.NovaFile;

/** A file whose reads and writes other threads make. Writes are atomic and durable when they complete. */
final class NovaAsynchronousFileChannel extends AsynchronousFileChannel {
    private final NovaPath path;
    private final NovaFile file;
    private final OpenRequest mode;
    private final Executor executor;
    private final AtomicBoolean open = new AtomicBoolean(true);

    /** Threads for channels that were given none: as many as there is to do, and daemons. */
    private static final class Threads {
        static final AtomicInteger COUNT = new AtomicInteger();
        static final Executor POOL = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "jnova-channel-" + COUNT.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
    }

    /** @param executor who makes the calls, or null for threads of the provider's own */
    NovaAsynchronousFileChannel(NovaPath path, NovaFile file, OpenRequest mode, Executor executor) {
        this.path = path;
        this.file = file;
        this.mode = mode;
        this.executor = executor == null ? Threads.POOL : executor;
        fs().opened(this);
    }

    private NovaFileSystem fs() {
        return path.getFileSystem();
    }

    @FunctionalInterface
    private interface Call<T> {
        T run() throws IOException;
    }

    private void checkOpen() throws ClosedChannelException {
        if (!isOpen()) {
            throw new ClosedChannelException();
        }
    }

    /** Has a call made, and tells what came of it. */
    private <T> void start(Call<T> call, BiConsumer<T, Throwable> end) {
        boolean wasOpen = isOpen();
        executor.execute(() -> {
            T result;
            try {
                checkOpen();
                result = call.run();
            } catch (ClosedChannelException e) {
                end.accept(null, wasOpen ? new AsynchronousCloseException() : e);
                return;
            } catch (IOException | RuntimeException | Error e) {
                end.accept(null, e);
                return;
            }
            end.accept(result, null);
        });
    }

    private <T> Future<T> future(Call<T> call) {
        CompletableFuture<T> future = new CompletableFuture<>();
        start(call, (result, failure) -> {
            if (failure == null) {
                future.complete(result);
            } else {
                future.completeExceptionally(failure);
            }
        });
        return future;
    }

    private <T, A> void handled(Call<T> call, A attachment, CompletionHandler<T, ? super A> handler) {
        Objects.requireNonNull(handler, "'handler' is null");
        start(call, (result, failure) -> {
            if (failure == null) {
                handler.completed(result, attachment);
            } else {
                handler.failed(failure, attachment);
            }
        });
    }

    private Call<Integer> reading(ByteBuffer dst, long position) {
        if (position < 0) {
            throw new IllegalArgumentException("Negative position");
        }
        if (dst.isReadOnly()) {
            throw new IllegalArgumentException("Read-only buffer");
        }
        if (!mode.read()) {
            throw new NonReadableChannelException();
        }
        return () -> file.read(position, dst);
    }

    private Call<Integer> writing(ByteBuffer src, long position) {
        Objects.requireNonNull(src);
        if (position < 0) {
            throw new IllegalArgumentException("Negative position");
        }
        if (!mode.write()) {
            throw new NonWritableChannelException();
        }
        return () -> {
            int n = file.write(position, src);
            changed();
            return n;
        };
    }

    private Call<FileLock> locking(long position, long size, boolean shared) {
        if (shared && !mode.read()) {
            throw new NonReadableChannelException();
        }
        if (!shared && !mode.write()) {
            throw new NonWritableChannelException();
        }
        return () -> fs().locks().acquire(this, FileKey.of(fs(), file.info()), position, size, shared);
    }

    private void changed() {
        fs().watches().signal(StandardWatchEventKinds.ENTRY_MODIFY, path);
    }

    @Override
    public <A> void read(ByteBuffer dst, long position, A attachment, CompletionHandler<Integer, ? super A> handler) {
        handled(reading(dst, position), attachment, handler);
    }

    @Override
    public Future<Integer> read(ByteBuffer dst, long position) {
        return future(reading(dst, position));
    }

    @Override
    public <A> void write(ByteBuffer src, long position, A attachment, CompletionHandler<Integer, ? super A> handler) {
        handled(writing(src, position), attachment, handler);
    }

    @Override
    public Future<Integer> write(ByteBuffer src, long position) {
        return future(writing(src, position));
    }

    /** Taken, or refused, before this returns: see {@link FileLocks}. */
    @Override
    public <A> void lock(
            long position, long size, boolean shared, A attachment, CompletionHandler<FileLock, ? super A> handler) {
        Call<FileLock> call = locking(position, size, shared);
        Objects.requireNonNull(handler, "'handler' is null");
        handled(taken(call), attachment, handler);
    }

    @Override
    public Future<FileLock> lock(long position, long size, boolean shared) {
        return future(taken(locking(position, size, shared)));
    }

    /** Makes a call now, and has its outcome told as that of one that was made by another thread. */
    private static <T> Call<T> taken(Call<T> call) {
        try {
            T result = call.run();
            return () -> result;
        } catch (IOException e) {
            return () -> {
                throw e;
            };
        }
    }

    @Override
    public FileLock tryLock(long position, long size, boolean shared) throws IOException {
        checkOpen();
        return locking(position, size, shared).run();
    }

    @Override
    public long size() throws IOException {
        checkOpen();
        return file.size();
    }

    @Override
    public AsynchronousFileChannel truncate(long size) throws IOException {
        checkOpen();
        if (size < 0) {
            throw new IllegalArgumentException("Negative size");
        }
        if (!mode.write()) {
            throw new NonWritableChannelException();
        }
        file.truncate(size);
        changed();
        return this;
    }

    @Override
    public void force(boolean metaData) throws IOException {
        checkOpen();
        file.force();
    }

    @Override
    public boolean isOpen() {
        return open.get();
    }

    @Override
    public void close() throws IOException {
        if (open.compareAndSet(true, false)) {
            fs().closed(this);
            fs().locks().releaseAll(this);
            file.close();
        }
    }
}
