/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.nio.file.ClosedFileSystemException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jnova.FileInfo;
import org.jnova.StoreInfo;
import org.jnova.StoreOptions;
import org.jnova.internal.core.Abi;
import org.jnova.internal.core.NativePool;
import org.jnova.internal.index.DirectoryIndex;
import org.jnova.internal.index.DirectoryIndex.Child;
import org.jnova.internal.lock.LockRank;
import org.jnova.internal.lock.RankedLock;

/**
 * An open store: names, under the namespace lock, and the open inodes. Whoever holds the namespace lock in either
 * mode and found the store open knows that it stays so.
 */
public final class StoreCore {
    private final NativePool pool;
    private final InodeTable table;
    private final RootDirectory root;
    private final RankedLock namespace = new RankedLock(LockRank.NAMESPACE, this);
    private volatile boolean closed; // set under the namespace lock

    private StoreCore(NativePool pool, InodeTable table, RootDirectory root) {
        this.pool = pool;
        this.table = table;
        this.root = root;
    }

    /** Opens a pool. */
    public static StoreCore open(Path path, StoreOptions options) throws IOException {
        NativePool pool = NativePool.open(path, options);
        RootDirectory root = null;
        try {
            PoolWindows windows = PoolWindows.map(path, pool.info().size());
            InodeTable table = new InodeTable(pool, windows);
            root = RootDirectory.open(pool, table.ioPool());
            return new StoreCore(pool, table, root);
        } catch (IOException | RuntimeException | Error e) {
            Failures failures = new Failures();
            failures.collect(() -> {
                throw e;
            });
            failures.collect(pool::close);
            failures.throwFirst();
            throw e;
        }
    }

    public Path path() {
        return pool.path();
    }

    public boolean isOpen() {
        return !closed;
    }

    // ---- names

    /** How a file is to be opened. */
    public enum Creation {
        /** It must be there. */
        NEVER,
        /** It is made if it is not there. */
        IF_MISSING,
        /** It must not be there. */
        ALWAYS
    }

    /**
     * Opens a file.
     *
     * @return its state, replayed; to be given back by {@link #release}
     */
    public InodeState open(String name, Creation creation) throws IOException {
        byte[] bytes = Names.encode(name);
        InodeState state = creation == Creation.ALWAYS ? null : acquire(name, bytes);
        if (state == null) {
            if (creation == Creation.NEVER) {
                throw new NoSuchFileException(name);
            }
            state = acquireOrCreate(name, bytes, creation == Creation.ALWAYS);
        }
        boolean good = false;
        try {
            state.replay();
            good = true;
            return state;
        } finally {
            if (!good) {
                table.release(state);
            }
        }
    }

    /** Gives a state back that {@link #open} returned. */
    public void release(InodeState state) throws IOException {
        table.release(state);
    }

    /** A file that is there, or null. */
    private InodeState acquire(String name, byte[] bytes) throws IOException {
        long stamp = lockShared();
        try {
            Child child = root.find(bytes);
            return child == null ? null : acquireChild(name, child);
        } finally {
            namespace.unlockRead(stamp);
        }
    }

    private InodeState acquireOrCreate(String name, byte[] bytes, boolean mustBeNew) throws IOException {
        long stamp = lockExclusive();
        try {
            Child child = root.find(bytes);
            if (child == null) {
                int status = root.createFile(bytes);
                if (status == Abi.ENOSPC) {
                    table.releaseQueuedBlocks();
                    status = root.createFile(bytes);
                }
                check(status, name);
                child = root.find(bytes);
            } else if (mustBeNew) {
                throw new FileAlreadyExistsException(name);
            }
            return acquireChild(name, child);
        } finally {
            namespace.unlockWrite(stamp);
        }
    }

    private InodeState acquireChild(String name, Child child) throws IOException {
        if (child.type() != Abi.FILE) {
            throw new FileSystemException(name, null, "it is not a regular file");
        }
        return table.acquire(child.ino(), child.gen(), name);
    }

    /** Whether there is such a name. */
    public boolean exists(byte[] name) {
        long stamp = lockSharedUnchecked();
        try {
            return root.find(name) != null;
        } finally {
            namespace.unlockRead(stamp);
        }
    }

    /** All names, sorted by bytes. */
    public List<String> names() {
        List<String> names = new ArrayList<>();
        for (DirectoryIndex.Entry entry : snapshot()) {
            names.add(Names.decode(entry.name()));
        }
        return names;
    }

    private List<DirectoryIndex.Entry> snapshot() {
        long stamp = lockSharedUnchecked();
        try {
            return root.sorted();
        } finally {
            namespace.unlockRead(stamp);
        }
    }

    /** All files with attributes, sorted by the bytes of their names. */
    public List<FileInfo> list() throws IOException {
        List<FileInfo> list = new ArrayList<>();
        for (DirectoryIndex.Entry entry : snapshot()) {
            InodeState state = acquireEntry(entry);
            if (state != null) {
                list.add(infoAndRelease(Names.decode(entry.name()), state));
            }
        }
        return list;
    }

    /** The file of an entry, or null if the name is gone or names another one now. */
    private InodeState acquireEntry(DirectoryIndex.Entry entry) throws IOException {
        long stamp = lockShared();
        try {
            Child child = root.find(entry.name());
            return entry.child().equals(child) ? acquireChild(Names.decode(entry.name()), child) : null;
        } finally {
            namespace.unlockRead(stamp);
        }
    }

    /** A file's attributes. */
    public FileInfo stat(String name) throws IOException {
        InodeState state = acquire(name, Names.encode(name));
        if (state == null) {
            throw new NoSuchFileException(name);
        }
        return infoAndRelease(name, state);
    }

    private FileInfo infoAndRelease(String name, InodeState state) throws IOException {
        try {
            state.replay();
            return FileInfos.of(name, state);
        } finally {
            table.release(state);
        }
    }

    /** Deletes a file; false if there is none. */
    public boolean delete(String name) throws IOException {
        byte[] bytes = Names.encode(name);
        long stamp = lockExclusive();
        try {
            Child child = root.find(bytes);
            if (child == null) {
                return false;
            }
            int status = root.unlink(bytes, child);
            if (status == Abi.ENOSPC) {
                table.releaseQueuedBlocks();
                status = root.unlink(bytes, child);
            }
            check(status, name);
            // Its space is given back before anybody closes the store, but need not keep others from looking names up.
            stamp = namespace.downgrade(stamp);
            pool.releaseInode(child.ino(), child.gen(), name);
            return true;
        } finally {
            namespace.unlock(stamp);
        }
    }

    /** Renames a file. */
    public void rename(String from, String to, boolean replace) throws IOException {
        byte[] fromBytes = Names.encode(from);
        byte[] toBytes = Names.encode(to);
        long stamp = lockExclusive();
        try {
            Child child = root.find(fromBytes);
            if (child == null) {
                throw new NoSuchFileException(from);
            }
            if (from.equals(to)) {
                return;
            }
            Child replaced = root.find(toBytes);
            if (replaced != null && !replace) {
                throw new FileAlreadyExistsException(to);
            }
            int status = root.rename(fromBytes, toBytes, child);
            if (status == Abi.ENOSPC) {
                table.releaseQueuedBlocks();
                status = root.rename(fromBytes, toBytes, child);
            }
            check(status, to);
            if (replaced != null) {
                stamp = namespace.downgrade(stamp);
                pool.releaseInode(replaced.ino(), replaced.gen(), to);
            }
        } finally {
            namespace.unlock(stamp);
        }
    }

    private void check(int status, String name) throws IOException {
        if (status != Abi.OK) {
            throw root.failure(status, name);
        }
    }

    // ---- the store

    /** Facts of this moment; blocks that wait in queues are given back first, so that they count as free. */
    public StoreInfo info() throws IOException {
        long stamp = lockShared();
        try {
            table.releaseQueuedBlocks();
            return pool.info();
        } finally {
            namespace.unlockRead(stamp);
        }
    }

    /** Closes the store: takes every lock there is, in order, and closes what it guards. */
    public void close() throws IOException {
        long stamp = namespace.writeLock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            Failures failures = new Failures();
            table.closeAll(failures);
            failures.collect(root::close);
            failures.collect(pool::close);
            failures.throwFirst();
        } finally {
            namespace.unlockWrite(stamp);
        }
    }

    @Override
    public String toString() {
        return "store " + pool.name();
    }

    // ---- the namespace lock

    private long lockExclusive() throws IOException {
        long stamp = namespace.writeLock();
        boolean good = false;
        try {
            checkOpen();
            root.catchUp();
            good = true;
            return stamp;
        } finally {
            if (!good) {
                namespace.unlockWrite(stamp);
            }
        }
    }

    /** Shared, with the index up to date. */
    private long lockShared() throws IOException {
        while (true) {
            long stamp = lockSharedUnchecked();
            if (!root.behind()) {
                return stamp;
            }
            namespace.unlockRead(stamp);
            namespace.unlockWrite(lockExclusive()); // catches up, or throws
        }
    }

    /** Shared; the index may lack a change that failed half-way, for lack of memory. */
    private long lockSharedUnchecked() {
        long stamp = namespace.readLock();
        boolean good = false;
        try {
            checkOpen();
            good = true;
            return stamp;
        } finally {
            if (!good) {
                namespace.unlockRead(stamp);
            }
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new ClosedFileSystemException();
        }
    }
}
