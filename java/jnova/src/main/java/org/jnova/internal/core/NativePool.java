/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.ClosedFileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import org.jnova.Durability;
import org.jnova.StoreInfo;
import org.jnova.StoreOptions;
import org.jnova.internal.lock.LockRank;
import org.jnova.internal.lock.LockWaits;
import org.jnova.internal.lock.RankedLock;

/**
 * An open pool of the core. Thread-safe: its lock keeps the handle alive while a call uses it. {@link NativeInode}s
 * are not covered by it; whoever closes the pool has closed them, or made sure that nobody uses them.
 */
public final class NativePool {
    private final Path path;
    private final String name;
    private final LockWaits lockWaits = new LockWaits(); // of all locks of the store
    private final RankedLock lock = new RankedLock(LockRank.POOL, this, lockWaits);
    private long handle; // guarded by lock; 0 = closed

    private NativePool(Path path, String name, long handle) {
        this.path = path;
        this.name = name;
        this.handle = handle;
    }

    /** Makes a pool file. Errors as {@link org.jnova.NovaStore#create}. */
    public static void create(Path path, long size, StoreOptions options) throws IOException {
        NativeMemory cPath = pathMemory(path);
        NativeMemory opt = optionsMemory(options, 0);
        Scratch scratch = Scratch.take();
        try {
            int status = NovaNative.nova_pool_create(cPath.address(), size, opt.address(), scratch.io.errorAddress());
            if (status != Abi.OK) {
                throw FailureMapper.map(scratch.failure(status), path.toString(), null);
            }
        } finally {
            scratch.put();
            keep(cPath, opt);
        }
    }

    /** Opens a pool, reporting the progress of its recovery. Errors as {@link org.jnova.NovaStore#open}. */
    public static NativePool open(Path path, StoreOptions options) throws IOException {
        NativeMemory cPath = pathMemory(path);
        if (Files.isDirectory(path)) {
            throw FailureMapper.map(new NativeFailure(Abi.EISDIR, 0, Abi.NO_OFF, ""), path.toString(), null);
        }
        Scratch scratch = Scratch.take();
        NativeMemory opt = null;
        try (RecoveryWatch watch = RecoveryWatch.start(options.progress())) {
            opt = optionsMemory(options, watch.address());
            int status = NovaNative.nova_pool_open(
                    cPath.address(), opt.address(), scratch.io.cellAddress(), scratch.io.errorAddress());
            if (status != Abi.OK) {
                throw FailureMapper.map(scratch.failure(status), path.toString(), null);
            }
            return new NativePool(path, path.toString(), scratch.io.cell());
        } finally {
            scratch.put();
            keep(cPath, opt);
        }
    }

    /** Makes a pool that is not open larger. Errors as {@link org.jnova.NovaStore#resize}. */
    public static void resize(Path path, long size, StoreOptions options) throws IOException {
        NativeMemory cPath = pathMemory(path);
        Scratch scratch = Scratch.take();
        NativeMemory opt = null;
        try (RecoveryWatch watch = RecoveryWatch.start(options.progress())) {
            opt = optionsMemory(options, watch.address());
            int status = NovaNative.nova_pool_resize(cPath.address(), size, opt.address(), scratch.io.errorAddress());
            if (status != Abi.OK) {
                throw FailureMapper.map(scratch.failure(status), path.toString(), null);
            }
        } finally {
            scratch.put();
            keep(cPath, opt);
        }
    }

    public Path path() {
        return path;
    }

    /** The pool's name in messages. */
    public String name() {
        return name;
    }

    /** Hears of who waits for the locks of this store. */
    public LockWaits lockWaits() {
        return lockWaits;
    }

    /** What was done since it was opened. */
    public PoolStats stats() throws IOException {
        Scratch scratch = Scratch.take();
        long stamp = lock.readLock();
        try {
            int status = NovaNative.nova_pool_stats(openHandle(), scratch.areaAddress());
            if (status != Abi.OK) {
                throw FailureMapper.map(new NativeFailure(status, 0, Abi.NO_OFF, ""), name, null);
            }
            return PoolStats.read(scratch.memory.bytes(), scratch.area());
        } finally {
            lock.unlockRead(stamp);
            scratch.put();
        }
    }

    /** Whether hardly more space is left than what is kept for removals. Takes as long as {@link #info}. */
    public boolean isNearlyFull() {
        try {
            StoreInfo now = info();
            return now.blocksFree() <= 2 * now.blocksReserve();
        } catch (IOException e) {
            return false; // it is being closed
        }
    }

    /** Facts of this moment. */
    public StoreInfo info() throws IOException {
        Scratch scratch = Scratch.take();
        long stamp = lock.readLock();
        try {
            int status = NovaNative.nova_pool_info(openHandle(), scratch.areaAddress());
            if (status != Abi.OK) {
                throw FailureMapper.map(new NativeFailure(status, 0, Abi.NO_OFF, ""), name, null);
            }
            return storeInfo(scratch.memory.bytes(), scratch.area());
        } finally {
            lock.unlockRead(stamp);
            scratch.put();
        }
    }

    private StoreInfo storeInfo(ByteBuffer in, int at) {
        return new StoreInfo(
                path,
                uuid(in, at + Abi.INFO_UUID),
                in.getInt(at + Abi.INFO_VERSION),
                Instant.EPOCH.plusNanos(in.getLong(at + Abi.INFO_CREATED)),
                durability(in.getInt(at + Abi.INFO_DURABILITY)),
                Abi.BLOCK_SIZE,
                in.getLong(at + Abi.INFO_POOL_SIZE),
                in.getLong(at + Abi.INFO_SIZE_MAX),
                in.getLong(at + Abi.INFO_BLOCKS),
                in.getLong(at + Abi.INFO_BLOCKS_DATA),
                in.getLong(at + Abi.INFO_BLOCKS_FREE),
                in.getLong(at + Abi.INFO_BLOCKS_RESERVE),
                in.getLong(at + Abi.INFO_LONGEST_FREE),
                in.getLong(at + Abi.INFO_INODES_USED),
                in.getLong(at + Abi.INFO_INODES_MAX),
                in.getInt(at + Abi.INFO_LANES),
                in.getInt(at + Abi.INFO_RECOVERED) != 0,
                Duration.ofNanos(in.getLong(at + Abi.INFO_RECOVERY_NS)),
                in.getLong(at + Abi.INFO_RECOVERED_INODES),
                in.getLong(at + Abi.INFO_ORPHANS));
    }

    /**
     * Gives replaced blocks back: the first n extents of the block's list. Returns a status; the block has the error.
     */
    public int free(IoBlock io, int n) {
        long stamp = lock.readLock();
        try {
            return NovaNative.nova_free(openHandle(), io.freesAddress(), n, io.errorAddress());
        } finally {
            lock.unlockRead(stamp);
        }
    }

    /** Opens an inode. The caller sees to it that it is open once. */
    public NativeInode openInode(int ino, int gen, String label) throws IOException {
        Scratch scratch = Scratch.take();
        long stamp = lock.readLock();
        try {
            int status = NovaNative.nova_inode_open(
                    openHandle(), ino, gen, scratch.io.cellAddress(), scratch.io.errorAddress());
            if (status != Abi.OK) {
                throw FailureMapper.map(scratch.failure(status), name, label);
            }
            return new NativeInode(this, scratch.io.cell(), label);
        } finally {
            lock.unlockRead(stamp);
            scratch.put();
        }
    }

    /** Gives back the space of an inode without a name, now or when it is closed. */
    public void releaseInode(int ino, int gen, String label) throws IOException {
        Scratch scratch = Scratch.take();
        long stamp = lock.readLock();
        try {
            int status = NovaNative.nova_inode_release(openHandle(), ino, gen, scratch.io.errorAddress());
            if (status != Abi.OK) {
                throw FailureMapper.map(scratch.failure(status), name, label);
            }
        } finally {
            lock.unlockRead(stamp);
            scratch.put();
        }
    }

    /** Closes the pool; once. */
    public void close() throws IOException {
        Scratch scratch = Scratch.take();
        long stamp = lock.writeLock();
        try {
            long open = openHandle();
            handle = 0;
            int status = NovaNative.nova_pool_close(open, scratch.io.errorAddress());
            if (status != Abi.OK) {
                throw FailureMapper.map(scratch.failure(status), name, null);
            }
        } finally {
            lock.unlockWrite(stamp);
            scratch.put();
        }
    }

    @Override
    public String toString() {
        return "pool " + name;
    }

    private long openHandle() {
        if (handle == 0) {
            throw new ClosedFileSystemException();
        }
        return handle;
    }

    /** A path as the C library wants it. Only paths of the default provider have a file. */
    static NativeMemory pathMemory(Path path) {
        byte[] chars = path.toFile().getAbsolutePath().getBytes(PATH_CHARSET);
        NativeMemory memory = NativeMemory.allocate(chars.length + 1);
        memory.bytes().put(0, chars);
        return memory;
    }

    /** How the JDK turns paths into bytes; UTF-8 unless the locale says otherwise. */
    private static final Charset PATH_CHARSET = pathCharset();

    private static Charset pathCharset() {
        try {
            return Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));
        } catch (IllegalArgumentException e) {
            return StandardCharsets.UTF_8;
        }
    }

    private static NativeMemory optionsMemory(StoreOptions options, long progress) {
        NativeMemory memory = NativeMemory.allocate(Abi.OPTIONS_SIZE);
        ByteBuffer bytes = memory.bytes();
        bytes.putInt(Abi.OPTIONS_FLAGS, (options.emulated() ? Abi.OPT_EMULATED : 0) | (options.prefault() ? Abi.OPT_PREFAULT : 0));
        bytes.putInt(Abi.OPTIONS_LANES, options.lanes());
        bytes.putInt(Abi.OPTIONS_RECOVERY_THREADS, options.recoveryThreads());
        bytes.putLong(Abi.OPTIONS_PROGRESS, progress);
        return memory;
    }

    /** Keeps memory alive up to here. */
    private static void keep(Object a, Object b) {
        java.lang.ref.Reference.reachabilityFence(a);
        java.lang.ref.Reference.reachabilityFence(b);
    }

    private static UUID uuid(ByteBuffer in, int at) {
        byte[] raw = new byte[16];
        in.get(at, raw);
        ByteBuffer words = ByteBuffer.wrap(raw); // big-endian, as a UUID is written
        return new UUID(words.getLong(0), words.getLong(8));
    }

    private static Durability durability(int value) {
        return switch (value) {
            case Abi.DURABLE_PMEM -> Durability.PMEM;
            case Abi.DURABLE_EMULATED -> Durability.EMULATED;
            default -> Durability.MSYNC;
        };
    }
}
