/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.io.IOException;
import java.nio.file.CopyOption;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Objects;
import org.jnova.internal.core.NativePool;
import org.jnova.internal.store.InodeState;
import org.jnova.internal.store.Names;
import org.jnova.internal.store.StoreCore;

/**
 * A log-structured file store on persistent memory, in one pool file.
 *
 * <p>Files have names in one flat directory. Every call that changes something is atomic and durable when it returns:
 * it survives what {@link StoreInfo#durability()} says; a call cut short by a crash happened wholly or not at all.
 *
 * <p><b>Names</b> are 1 to 255 bytes of UTF-8 without {@code '/'} and NUL, and not {@code "."} or {@code ".."};
 * another one is an {@link java.nio.file.InvalidPathException}. They are compared byte by byte, without regard to any
 * locale.
 *
 * <p><b>Threads.</b> All methods may be called from any number of threads. Operations on names wait for each other;
 * reads and writes of files do not wait for them. No method responds to interruption, and none clears the interrupt
 * status.
 *
 * <p><b>Closing.</b> A pool is open once at a time, and stays locked until {@link #close} or the end of the process.
 * A store that is never closed loses nothing, but the next open has to recover. After close, methods of the store
 * throw {@link java.nio.file.ClosedFileSystemException}, methods of its files {@link
 * java.nio.channels.ClosedChannelException}.
 *
 * <p><b>Memory of callers.</b> Native code reads direct buffers in place, but not those over mapped files or over
 * memory of an arena, which Java copies first: a mapped file that another process cuts short fails the call and not
 * the process. Before JDK 22 a buffer over memory of an arena (a preview or incubating feature there) is not
 * recognised: its arena must not be closed during the call.
 */
public final class NovaStore implements AutoCloseable {
    /** Smallest pool, bytes. */
    public static final long SIZE_MIN = 1L << 20;

    /** Largest pool, bytes. */
    public static final long SIZE_MAX = 1L << 43;

    private final StoreCore core;

    private NovaStore(StoreCore core) {
        this.core = core;
    }

    /**
     * Makes a pool file and opens it, with default options.
     *
     * @param pool the file to make; nothing may be there
     * @param size bytes, {@link #SIZE_MIN} to {@link #SIZE_MAX}, rounded down to a whole block of 4 KiB
     * @return the open store, empty
     * @throws NativeLoadException if the native library cannot be loaded; an {@link Error}
     * @throws IOException as {@link #create(Path, long, StoreOptions)}
     */
    public static NovaStore create(Path pool, long size) throws IOException {
        return create(pool, size, StoreOptions.defaults());
    }

    /**
     * Makes a pool file and opens it. All its blocks are allocated from the file system that holds it, so that a full
     * one shows here and never later. A call that fails leaves no file behind, except one that somebody else opened as
     * soon as it was there.
     *
     * @param pool the file to make; nothing may be there
     * @param size bytes, {@link #SIZE_MIN} to {@link #SIZE_MAX}, rounded down to a whole block of 4 KiB
     * @param options how to
     * @return the open store, empty
     * @throws IllegalArgumentException if the size is out of range
     * @throws java.nio.file.FileAlreadyExistsException if there is such a file
     * @throws java.nio.file.NoSuchFileException if its folder does not exist
     * @throws java.nio.file.AccessDeniedException if there is no permission
     * @throws NoSpaceException if the file system has no room for it
     * @throws PoolInUseException if somebody else opened it as soon as it was there
     * @throws UnsupportedOperationException if the path is not of the default file system provider
     * @throws NativeLoadException if the native library cannot be loaded; an {@link Error}
     * @throws IOException if the operating system refuses otherwise
     */
    public static NovaStore create(Path pool, long size, StoreOptions options) throws IOException {
        Objects.requireNonNull(options, "options");
        if (size < SIZE_MIN || size > SIZE_MAX) {
            throw new IllegalArgumentException(
                    "pool size " + size + " is not in " + SIZE_MIN + ".." + SIZE_MAX + " bytes");
        }
        NativePool.create(pool, size, options);
        return openNew(pool, () -> open(pool, options));
    }

    /** Opens a pool. */
    @FunctionalInterface
    interface Opening {
        NovaStore open() throws IOException;
    }

    /** Opens a pool that this call has just made. If that fails the file goes, unless it is somebody else's by now. */
    static NovaStore openNew(Path pool, Opening opening) throws IOException {
        try {
            return opening.open();
        } catch (PoolInUseException e) {
            throw e;
        } catch (IOException | RuntimeException | Error e) {
            try {
                Files.deleteIfExists(pool);
            } catch (IOException | RuntimeException notDeleted) {
                e.addSuppressed(notDeleted);
            }
            throw e;
        }
    }

    /**
     * Opens a pool, with default options.
     *
     * @param pool the pool file
     * @return the open store
     * @throws NativeLoadException if the native library cannot be loaded; an {@link Error}
     * @throws IOException as {@link #open(Path, StoreOptions)}
     */
    public static NovaStore open(Path pool) throws IOException {
        return open(pool, StoreOptions.defaults());
    }

    /**
     * Opens a pool, recovering it if it was not closed in order.
     *
     * @param pool the pool file
     * @param options how to
     * @return the open store
     * @throws java.nio.file.NoSuchFileException if there is no such file
     * @throws java.nio.file.AccessDeniedException if there is no permission to read and write it
     * @throws PoolInUseException if it is open, in this process or another
     * @throws NotAPoolException if it is something else, or a directory
     * @throws PoolVersionException if this release does not know its format
     * @throws PoolTruncatedException if its length is not what its superblock says
     * @throws CorruptPoolException if a structure needed to open it is damaged
     * @throws NoSpaceException if the pool file is sparse, as a copy may be, and its file system has no room for what
     *     it lacks
     * @throws UnsupportedOperationException if the path is not of the default file system provider
     * @throws NativeLoadException if the native library cannot be loaded; an {@link Error}
     * @throws IOException if the operating system refuses otherwise
     */
    public static NovaStore open(Path pool, StoreOptions options) throws IOException {
        return new NovaStore(StoreCore.open(pool, Objects.requireNonNull(options, "options")));
    }

    /**
     * Opens a file. Options are those of {@link java.nio.file.StandardOpenOption}, with the meaning they have for a
     * {@link java.nio.channels.FileChannel}:
     * <ul>
     * <li>none: {@code READ}. {@code WRITE} alone does not allow reading.
     * <li>{@code CREATE}, {@code CREATE_NEW}, {@code TRUNCATE_EXISTING} count only together with {@code WRITE}.
     * <li>{@code SYNC}, {@code DSYNC}: accepted; every write is durable anyway. {@code SPARSE}: accepted; every file
     * may be.
     * <li>{@code APPEND}, {@code DELETE_ON_CLOSE} and options of others: not supported. To append, use {@link
     * NovaFile#append}.
     * </ul> The same file may be open many times. A file that is deleted while open can be used until the last of its
     * handles is closed. The creation is atomic; the truncation is a second atomic step.
     *
     * @param name the file
     * @param options how to
     * @return a handle, to be closed
     * @throws java.nio.file.InvalidPathException if the name is not a name
     * @throws UnsupportedOperationException if an option is not supported
     * @throws java.nio.file.NoSuchFileException if there is no such file and it is not to be created
     * @throws java.nio.file.FileAlreadyExistsException if it is to be new and is not
     * @throws NoSpaceException if there is no room for a new file
     * @throws CorruptPoolException if the file's log is damaged
     * @throws java.nio.file.ClosedFileSystemException if the store is closed
     * @throws IOException if something else goes wrong
     */
    public NovaFile open(String name, OpenOption... options) throws IOException {
        OpenMode mode = OpenMode.of(options);
        InodeState state = core.open(name, mode.creation());
        NovaFile file = new NovaFile(core, state, name, mode.read(), mode.write());
        if (mode.truncate()) {
            boolean good = false;
            try {
                file.setSize(0);
                good = true;
            } finally {
                if (!good) {
                    file.close();
                }
            }
        }
        return file;
    }

    /**
     * Tells whether a name exists.
     *
     * @param name the file
     * @return whether there is such a file; false also for what is not a name
     * @throws java.nio.file.ClosedFileSystemException if the store is closed
     */
    public boolean exists(String name) {
        byte[] bytes;
        try {
            bytes = Names.encode(name);
        } catch (InvalidPathException e) {
            return false;
        }
        return core.exists(bytes);
    }

    /**
     * Lists the names there are at one moment.
     *
     * @return all names, sorted by their bytes in UTF-8 (the order of code points)
     * @throws java.nio.file.ClosedFileSystemException if the store is closed
     */
    public List<String> names() {
        return core.names();
    }

    /**
     * Lists all files with their attributes. The names are those of one moment, each file's attributes those of a later
     * one; files deleted in between are left out. Reads the log of every file that is not open.
     *
     * @return all files, sorted by the bytes of their names in UTF-8 (the order of code points)
     * @throws CorruptPoolException if a file's log is damaged
     * @throws java.nio.file.ClosedFileSystemException if the store is closed
     * @throws IOException if something else goes wrong
     */
    public List<FileInfo> list() throws IOException {
        return core.list();
    }

    /**
     * Reads a file's attributes.
     *
     * @param name the file
     * @return its attributes at one moment of the call
     * @throws java.nio.file.InvalidPathException if the name is not a name
     * @throws java.nio.file.NoSuchFileException if there is no such file
     * @throws CorruptPoolException if the file's log is damaged
     * @throws java.nio.file.ClosedFileSystemException if the store is closed
     * @throws IOException if something else goes wrong
     */
    public FileInfo stat(String name) throws IOException {
        return core.stat(name);
    }

    /**
     * Deletes a file. Atomic, durable on return; works on a full pool. Open handles stay usable, and the space is
     * free once the last of them is closed. If damage is found while the space is given back, the name is gone
     * nevertheless.
     *
     * @param name the file
     * @throws java.nio.file.InvalidPathException if the name is not a name
     * @throws java.nio.file.NoSuchFileException if there is no such file
     * @throws java.nio.file.ClosedFileSystemException if the store is closed
     * @throws IOException if something else goes wrong
     */
    public void delete(String name) throws IOException {
        if (!core.delete(name)) {
            throw new NoSuchFileException(name);
        }
    }

    /**
     * Deletes a file if there is one, as {@link #delete} does.
     *
     * @param name the file
     * @return whether there was one
     * @throws java.nio.file.InvalidPathException if the name is not a name
     * @throws java.nio.file.ClosedFileSystemException if the store is closed
     * @throws IOException if something goes wrong
     */
    public boolean deleteIfExists(String name) throws IOException {
        return core.delete(name);
    }

    /**
     * Renames a file. Atomic, durable on return: at every moment, and after any crash, either the old name or the new
     * one is there. A file that is replaced is treated as by {@link #delete}. Renaming a file to its own name does
     * nothing.
     *
     * @param from the file
     * @param to its new name
     * @param options {@link java.nio.file.StandardCopyOption#REPLACE_EXISTING} to replace a file that has the new name;
     *     {@code ATOMIC_MOVE} is accepted and changes nothing
     * @throws java.nio.file.InvalidPathException if a name is not a name
     * @throws UnsupportedOperationException if another option is given
     * @throws java.nio.file.NoSuchFileException if there is no such file
     * @throws java.nio.file.FileAlreadyExistsException if the new name is taken and is not to be replaced
     * @throws NoSpaceException if the directory's log cannot grow
     * @throws java.nio.file.ClosedFileSystemException if the store is closed
     * @throws IOException if something else goes wrong
     */
    public void rename(String from, String to, CopyOption... options) throws IOException {
        boolean replace = false;
        for (CopyOption option : options) {
            if (option == StandardCopyOption.REPLACE_EXISTING) {
                replace = true;
            } else if (option != StandardCopyOption.ATOMIC_MOVE) {
                throw new UnsupportedOperationException("rename option " + Objects.requireNonNull(option, "option"));
            }
        }
        core.rename(from, to, replace);
    }

    /**
     * Tells facts about the store.
     *
     * @return facts of this moment
     * @throws java.nio.file.ClosedFileSystemException if the store is closed
     * @throws IOException if something goes wrong
     */
    public StoreInfo info() throws IOException {
        return core.info();
    }

    /** {@return the pool file, as it was given} */
    public Path pool() {
        return core.path();
    }

    /** {@return whether the store is open} */
    public boolean isOpen() {
        return core.isOpen();
    }

    /**
     * Closes the store: waits for the calls that run in other threads, closes all files, saves the allocator's state
     * so that the next open need not scan, and unlocks the pool. Closing a closed store does nothing.
     *
     * @throws IOException if the state could not be saved; the store is closed nevertheless, nothing is lost, and the
     *     next open recovers
     */
    @Override
    public void close() throws IOException {
        core.close();
    }

    @Override
    public String toString() {
        return core.toString();
    }
}
