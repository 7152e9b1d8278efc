/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.io.IOException;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import org.jnova.internal.core.NativePool;
import org.jnova.internal.store.AttributeOptions;
import org.jnova.internal.store.Names;
import org.jnova.internal.store.StoreCore;

/**
 * A log-structured file store on persistent memory, in one pool file.
 *
 * <p>Files, directories and symbolic links hang on one root directory, as in a POSIX file system. Every call that
 * changes something is one atomic step and durable when it returns: it survives what {@link StoreInfo#durability()}
 * says; a call cut short by a crash happened wholly or not at all. A call that fails changes nothing, unless it says
 * otherwise.
 *
 * <p><b>Paths</b> are names between slashes, resolved from the root directory; a slash at the start or at the end means
 * nothing, nor do two side by side, so {@code "a"}, {@code "/a"} and {@code "a/"} are the same. {@code "/"} is the
 * root. {@code "."} and {@code ".."} are resolved, {@code ".."} to the directory that a directory is in, never above
 * the root. A symbolic link on the way is followed, a relative one from its own directory, up to 40 of them. Names are
 * 1 to 255 bytes of UTF-8 without {@code '/'} and NUL, compared byte by byte, without regard to any locale.
 *
 * <p>All methods with a path throw {@link InvalidPathException} if it is not a path; {@link NoSuchFileException} if it
 * leads nowhere, {@link java.nio.file.NotDirectoryException} if something on its way is not a directory, {@link
 * java.nio.file.FileSystemLoopException} if it leads through more than 40 symbolic links; {@link CorruptPoolException}
 * if the log of a directory on the way is damaged, or that of what it leads to, where that is needed; {@link
 * java.nio.file.ClosedFileSystemException} if the store is closed. Their descriptions name what they throw beside
 * these. The store checks no permissions.
 *
 * <p><b>Threads.</b> All methods may be called from any number of threads. Changes of names wait for each other only
 * where they are in the same directory, or where directories get another parent; reads and writes of files do not wait
 * for them. Each change is atomic towards all other calls. A path of many names is not looked up at one moment: each
 * directory is seen as it is when the look-up comes by, so a call may miss what is moved between two directories while
 * it is on its way. A look-up of one name that is moved or exchanged within its directory sees it before or after that.
 * No method responds to interruption, and none clears the interrupt status.
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

    /** rw-r--r-- */
    private static final int FILE_MODE = 0644;
    /** rwxr-xr-x */
    private static final int DIRECTORY_MODE = 0755;

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
        checkSize(size);
        NativePool.create(pool, size, options);
        return openNew(pool, () -> open(pool, options));
    }

    private static void checkSize(long size) {
        if (size < SIZE_MIN || size > SIZE_MAX) {
            throw new IllegalArgumentException(
                    "pool size " + size + " is not in " + SIZE_MIN + ".." + SIZE_MAX + " bytes");
        }
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
     * Makes a pool larger, with default options.
     *
     * @param pool the pool file; not open
     * @param size bytes, as {@link #resize(Path, long, StoreOptions)}
     * @throws NativeLoadException if the native library cannot be loaded; an {@link Error}
     * @throws IOException as {@link #resize(Path, long, StoreOptions)}
     */
    public static void resize(Path pool, long size) throws IOException {
        resize(pool, size, StoreOptions.defaults());
    }

    /**
     * Makes a pool that is not open larger, where it is: all files stay, and the new space is free. All new blocks are
     * allocated from the file system that holds it, and a pool that was not closed in order is recovered. Atomic and
     * durable: a crash leaves the old size or the new one. A pool cannot be made smaller.
     *
     * <p>How large a pool can become is settled when it is made: {@link StoreInfo#sizeMax()}, at least eight times its
     * size (but at most {@link #SIZE_MAX}). Pools made by releases without this method have only the room that rounding
     * has left; to outgrow it, copy the files to a new pool.
     *
     * @param pool the pool file; not open
     * @param size bytes, rounded down to a whole block of 4 KiB; more than it has
     * @param options how to
     * @throws IllegalArgumentException if the size is not more than it has, or more than it can have; the pool is as it
     *     was
     * @throws java.nio.file.NoSuchFileException if there is no such file
     * @throws java.nio.file.AccessDeniedException if there is no permission to read and write it
     * @throws NoSpaceException if the file system has no room for it; the pool is as it was
     * @throws PoolInUseException if it is open, in this process or another
     * @throws NotAPoolException if it is something else, or a directory
     * @throws PoolVersionException if this release does not know its format
     * @throws PoolTruncatedException if its length is not what its superblock says
     * @throws CorruptPoolException if a structure needed to open it is damaged
     * @throws UnsupportedOperationException if the path is not of the default file system provider
     * @throws NativeLoadException if the native library cannot be loaded; an {@link Error}
     * @throws IOException if the operating system refuses otherwise
     */
    public static void resize(Path pool, long size, StoreOptions options) throws IOException {
        Objects.requireNonNull(options, "options");
        checkSize(size);
        NativePool.resize(pool, size, options);
    }

    /**
     * Opens a file. Options are those of {@link java.nio.file.StandardOpenOption}, with the meaning they have for a
     * {@link java.nio.channels.FileChannel}:
     * <ul>
     * <li>none: {@code READ}. {@code WRITE} alone does not allow reading.
     * <li>{@code CREATE}, {@code CREATE_NEW}, {@code TRUNCATE_EXISTING} count only together with {@code WRITE}.
     * <li>{@code SYNC}, {@code DSYNC}: accepted; every write is durable anyway. {@code SPARSE}: accepted; every file
     * may be.
     * <li>{@link LinkOption#NOFOLLOW_LINKS}: a symbolic link at the end of the path is not followed but a {@link
     * java.nio.file.FileSystemException}.
     * <li>{@code APPEND}, {@code DELETE_ON_CLOSE} and options of others: not supported. To append, use {@link
     * NovaFile#append}.
     * </ul> The same file may be open many times. A file that is deleted while open can be used until the last of its
     * handles is closed. The creation is atomic; the truncation is a second atomic step; both are durable on return. A
     * new file has mode 0644, owner 0 and group 0.
     *
     * @param path the file; a symbolic link is followed, also to create what it points to, but not by {@code
     *     CREATE_NEW}
     * @param options how to
     * @return a handle, to be closed
     * @throws UnsupportedOperationException if an option is not supported
     * @throws java.nio.file.FileAlreadyExistsException if it is to be new and the name is taken
     * @throws java.nio.file.FileSystemException if it is a directory
     * @throws NoSpaceException if there is no room for a new file, or the truncation finds the reserve used up
     * @throws IOException as the class says
     */
    public NovaFile open(String path, OpenOption... options) throws IOException {
        return open(path, FILE_MODE, options);
    }

    /**
     * Opens a file, as {@link #open(String, OpenOption...)} does; one that is made has its mode from the start.
     *
     * @param path the file
     * @param mode POSIX permission bits of a new file, 0 to 07777
     * @param options how to
     * @return a handle, to be closed
     * @throws IllegalArgumentException if there are other bits in the mode
     * @throws IOException as {@link #open(String, OpenOption...)}
     */
    public NovaFile open(String path, int mode, OpenOption... options) throws IOException {
        OpenMode how = OpenMode.of(options);
        return NovaFile.of(core, core.open(path, how.creation(), how.follow(), checkMode(mode)), path, how);
    }

    /**
     * Opens a directory, so that paths may start from it: whatever becomes of its name, they go on to mean what is in
     * this directory. Needs no closing.
     *
     * @param path the directory
     * @param options {@link LinkOption#NOFOLLOW_LINKS} not to follow a symbolic link at its end, but throw a {@link
     *     java.nio.file.FileSystemException}
     * @return the directory
     * @throws java.nio.file.NotDirectoryException if it is not a directory
     * @throws IOException as the class says
     */
    public NovaDirectory openDirectory(String path, LinkOption... options) throws IOException {
        return new NovaDirectory(core, core.openDirectory(path, follow(options)));
    }

    // ---- look-ups

    /**
     * Tells whether a path leads to something.
     *
     * @param path the path
     * @param options {@link LinkOption#NOFOLLOW_LINKS} not to follow a symbolic link at its end
     * @return whether it does; false also for what is not a path, and if something on the way is not there, not a
     *     directory, or one of too many symbolic links
     * @throws IOException as the class says, but for these
     */
    public boolean exists(String path, LinkOption... options) throws IOException {
        return core.exists(path, follow(options));
    }

    /**
     * Reads attributes.
     *
     * @param path of a file, directory or symbolic link
     * @param options {@link LinkOption#NOFOLLOW_LINKS} not to follow a symbolic link at its end
     * @return the attributes at one moment of the call
     * @throws IOException as the class says
     */
    public FileInfo stat(String path, LinkOption... options) throws IOException {
        return core.stat(path, follow(options));
    }

    /**
     * Lists the names in the root directory at one moment.
     *
     * @return all names, sorted by their bytes in UTF-8 (the order of code points)
     * @throws java.nio.file.ClosedFileSystemException if the store is closed
     */
    public List<String> names() {
        return core.rootNames();
    }

    /**
     * Lists the names in a directory at one moment, {@code "."} and {@code ".."} not among them.
     *
     * @param directory the directory
     * @return all names, sorted by their bytes in UTF-8 (the order of code points)
     * @throws java.nio.file.NotDirectoryException if it is not a directory
     * @throws IOException as the class says
     */
    public List<String> names(String directory) throws IOException {
        return core.names(directory);
    }

    /**
     * Lists the root directory, as {@link #list(String)} does.
     *
     * @return all entries, sorted
     * @throws IOException as the class says
     */
    public List<FileInfo> list() throws IOException {
        return core.list("/");
    }

    /**
     * Lists a directory with attributes; symbolic links are not followed. The names are those of one moment, the
     * attributes of each those of a later one; what was deleted or renamed in between is left out. Reads the log of
     * every file that is not open.
     *
     * @param directory the directory
     * @return all entries, sorted by the bytes of their names in UTF-8 (the order of code points)
     * @throws java.nio.file.NotDirectoryException if it is not a directory
     * @throws IOException as the class says
     */
    public List<FileInfo> list(String directory) throws IOException {
        return core.list(directory);
    }

    /**
     * Iterates over a directory, in no order and without copying it, for directories that are large. A name that is
     * there from the first call to the last, and means the same, comes exactly once; of those that come and go
     * meanwhile some may come. Holds nothing, keeps nobody waiting, and needs no closing. The iterator is for one
     * thread.
     *
     * @param directory the directory
     * @return its entries
     * @throws java.nio.file.NotDirectoryException if it is not a directory
     * @throws IOException as the class says
     */
    public Iterator<DirectoryEntry> iterate(String directory) throws IOException {
        return core.iterator(directory);
    }

    /**
     * Reads where a symbolic link points to.
     *
     * @param path the link
     * @return its target, as it was given
     * @throws java.nio.file.NotLinkException if it is not a symbolic link
     * @throws IOException as the class says
     */
    public String readSymbolicLink(String path) throws IOException {
        return core.target(path);
    }

    // ---- changes of names

    /**
     * Makes a directory, with mode 0755, owner 0 and group 0. Atomic, durable on return.
     *
     * @param path the directory; the one it is to be in must exist
     * @throws java.nio.file.FileAlreadyExistsException if the name is taken
     * @throws NoSpaceException if there is no room for it
     * @throws IOException as the class says
     */
    public void createDirectory(String path) throws IOException {
        createDirectory(path, DIRECTORY_MODE);
    }

    /**
     * Makes a directory, with owner 0 and group 0. Atomic, durable on return.
     *
     * @param path the directory; the one it is to be in must exist
     * @param mode its POSIX permission bits, 0 to 07777
     * @throws IllegalArgumentException if there are other bits in the mode
     * @throws java.nio.file.FileAlreadyExistsException if the name is taken
     * @throws NoSpaceException if there is no room for it
     * @throws IOException as the class says
     */
    public void createDirectory(String path, int mode) throws IOException {
        core.createDirectory(path, checkMode(mode));
    }

    static int checkMode(int mode) {
        return AttributeChange.none().mode(mode).values().mode();
    }

    /**
     * Makes a symbolic link, with mode 0777, owner 0 and group 0. Atomic, durable on return.
     *
     * @param path the link
     * @param target where it points to: 1 to 4095 bytes of UTF-8 without NUL; nothing need be there
     * @throws InvalidPathException also for another target
     * @throws java.nio.file.FileAlreadyExistsException if the name is taken
     * @throws NoSpaceException if there is no room for it
     * @throws IOException as the class says
     */
    public void createSymbolicLink(String path, String target) throws IOException {
        core.createSymbolicLink(path, target);
    }

    /**
     * Gives a file one more name, equal to those that it has. Atomic, durable on return.
     *
     * @param path the new name
     * @param existing the file; or a symbolic link, which is not followed
     * @throws java.nio.file.FileAlreadyExistsException if the new name is taken
     * @throws java.nio.file.FileSystemException if it is a directory, has 65,000 names, or its path ends in "." or ".."
     * @throws NoSpaceException if there is no room for it
     * @throws IOException as the class says
     */
    public void createLink(String path, String existing) throws IOException {
        core.link(path, existing);
    }

    /**
     * Deletes a file, a symbolic link (which is not followed) or an empty directory. Atomic, durable on return; works
     * on a full pool, as long as {@linkplain StoreInfo#blocksReserve() its reserve} lasts. Other names of a file stay. Open handles stay usable, and the space is free once the last of them
     * is closed. If damage is found while the space is given back, the name is gone nevertheless.
     *
     * @param path what to delete
     * @throws DirectoryNotEmptyException if it is a directory with something in it
     * @throws java.nio.file.FileSystemException if it is the root, or ends in "." or ".."
     * @throws NoSpaceException if the pool is full and its reserve used up
     * @throws IOException as the class says
     */
    public void delete(String path) throws IOException {
        if (!core.delete(path)) {
            throw new NoSuchFileException(path);
        }
    }

    /**
     * Deletes what there is, as {@link #delete} does.
     *
     * @param path what to delete
     * @return whether there was something; false also if a directory on the way is not there
     * @throws IOException as {@link #delete}
     */
    public boolean deleteIfExists(String path) throws IOException {
        return core.deleteIfExists(path);
    }

    /**
     * Renames a file, a symbolic link (which is not followed) or a directory with all that is in it. Atomic, durable on
     * return: at every moment, and after any crash, it has either the old name or the new one, and a name that is
     * replaced is never missing. What is replaced is treated as by {@link #delete}: a file or symbolic link by one of
     * these, an empty directory by a directory. Over another name of the same file this does nothing, nor over its own.
     *
     * @param from what to rename
     * @param to its new name, in any directory
     * @param options {@link java.nio.file.StandardCopyOption#REPLACE_EXISTING} to replace what has the new name;
     *     {@code ATOMIC_MOVE} is accepted and changes nothing
     * @throws UnsupportedOperationException if another option is given
     * @throws java.nio.file.FileAlreadyExistsException if the new name is taken and is not to be replaced
     * @throws DirectoryNotEmptyException if a directory with something in it would be replaced
     * @throws java.nio.file.NotDirectoryException if a directory would replace something else
     * @throws java.nio.file.FileSystemException if something else would replace a directory; if a directory would come
     *     below itself; if a path is of the root, or ends in "." or ".."
     * @throws NoSpaceException if a directory's log cannot grow
     * @throws IOException as the class says
     */
    public void rename(String from, String to, CopyOption... options) throws IOException {
        core.rename(from, to, replaces(options));
    }

    static boolean replaces(CopyOption... options) {
        boolean replace = false;
        for (CopyOption option : options) {
            if (option == StandardCopyOption.REPLACE_EXISTING) {
                replace = true;
            } else if (option != StandardCopyOption.ATOMIC_MOVE) {
                throw new UnsupportedOperationException("rename option " + Objects.requireNonNull(option, "option"));
            }
        }
        return replace;
    }

    /**
     * Exchanges what two names name, of whatever type. Atomic, durable on return: at every moment, and after any crash,
     * both names are there. Names of the same file: nothing.
     *
     * @param one a path, not followed at its end
     * @param other another one
     * @throws java.nio.file.FileSystemException if a directory would come below itself; if a path is of the root, or
     *     ends in "." or ".."
     * @throws NoSpaceException if a directory's log cannot grow
     * @throws IOException as the class says
     */
    public void exchange(String one, String other) throws IOException {
        core.exchange(one, other);
    }

    // ---- attributes

    /**
     * Sets attributes, all in one atomic step, durable on return. The time of the last change of attributes becomes the
     * present. Does nothing if the change is of nothing.
     *
     * @param path of a file, directory or symbolic link
     * @param change what to set
     * @param options {@link LinkOption#NOFOLLOW_LINKS} not to follow a symbolic link at its end
     * @throws NoSpaceException if the log cannot grow
     * @throws IOException as the class says
     */
    public void setAttributes(String path, AttributeChange change, LinkOption... options) throws IOException {
        if (change.values().mask() == 0) {
            stat(path, options);
        } else {
            core.setAttributes(path, change.values(), follow(options));
        }
    }

    // ---- extended attributes

    /**
     * Lists the names of extended attributes.
     *
     * @param path of a file, directory or symbolic link
     * @param options {@link LinkOption#NOFOLLOW_LINKS} not to follow a symbolic link at its end
     * @return all names, sorted by their bytes in UTF-8 (the order of code points)
     * @throws IOException as the class says
     */
    public List<String> listAttributes(String path, LinkOption... options) throws IOException {
        return core.attributeNames(path, follow(options));
    }

    /**
     * Reads an extended attribute.
     *
     * @param path of a file, directory or symbolic link
     * @param name the attribute's name
     * @param options {@link LinkOption#NOFOLLOW_LINKS} not to follow a symbolic link at its end
     * @return its value, or null if there is none of this name
     * @throws IllegalArgumentException if it is not a name
     * @throws IOException as the class says
     */
    public byte[] getAttribute(String path, String name, LinkOption... options) throws IOException {
        return core.attribute(path, Names.attribute(name), follow(options));
    }

    /**
     * Sets an extended attribute. Atomic, durable on return: at every moment, and after any crash, it has the old
     * value, or none, or all of the new one. The time of the last change of attributes becomes the present.
     *
     * @param path of a file, directory or symbolic link
     * @param name the attribute's name: 1 to 255 bytes of UTF-8 without NUL; no prefix has a meaning
     * @param value up to 64 KiB
     * @param options {@link AttributeOption}s, and {@link LinkOption#NOFOLLOW_LINKS} not to follow a symbolic link at
     *     the end of the path
     * @throws AttributeExistsException if it must not be there and is
     * @throws NoSuchAttributeException if it must be there and is not
     * @throws IllegalArgumentException if it is not a name, the value is too long, or the options exclude each other
     * @throws UnsupportedOperationException if another option is given
     * @throws NoSpaceException if there is no room for it
     * @throws IOException as the class says
     */
    public void setAttribute(String path, String name, byte[] value, CopyOption... options) throws IOException {
        core.setAttribute(path, AttributeOptions.of(name, value, options));
    }

    /**
     * Removes an extended attribute. Atomic, durable on return; works on a full pool.
     *
     * @param path of a file, directory or symbolic link
     * @param name the attribute's name
     * @param options {@link LinkOption#NOFOLLOW_LINKS} not to follow a symbolic link at its end
     * @return whether there was one of this name
     * @throws IllegalArgumentException if it is not a name
     * @throws IOException as the class says
     */
    public boolean removeAttribute(String path, String name, LinkOption... options) throws IOException {
        return core.removeAttribute(path, Names.attribute(name), follow(options));
    }

    static boolean follow(LinkOption... options) {
        for (LinkOption option : options) {
            Objects.requireNonNull(option, "option"); // there is only one
        }
        return options.length == 0;
    }

    // ---- the store

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

    /**
     * Tells what the store has done since it was opened: writes, work on logs, cleaning them, page faults, waiting for
     * locks; and space. Waits for no call on a file. The same comes as events of the Java Flight Recorder, as it
     * happens: {@code org.jnova.Write} of calls longer than 10 ms (or another threshold of the recording), {@code
     * org.jnova.Recovery}, {@code org.jnova.Cleaning}, {@code org.jnova.FaultBatch}.
     *
     * <p>With the system property {@code jnova.management} set to {@code true} when the store is opened, it is also an
     * MBean of the platform's MBean server as long as it is open: {@code org.jnova:type=NovaStore,name=POOL}, POOL
     * being the real path of the pool, quoted ({@code ObjectName.quote}). Each read of its one attribute {@code Stats}
     * is a call of this method: a {@code CompositeData} with an item for each component of {@link StoreStats}, likewise composed;
     * durations in nanoseconds. {@code jnova top} shows it from outside. Opening the first such store takes some 200
     * milliseconds longer. Where the MBean cannot be had (the JVM lacks the module {@code java.management}, the name is
     * taken, somebody else's listener fails), the store opens without, and a warning is logged ({@link System.Logger}, by
     * the name {@code org.jnova}).
     *
     * @return figures of this moment
     * @throws java.nio.file.ClosedFileSystemException if the store is closed
     * @throws IOException if the core refuses
     */
    public StoreStats stats() throws IOException {
        return core.stats();
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
     * so that the next open need not scan, and unlocks the pool. (Not as long as the JDK's mapped buffers over files of it
     * are reachable, {@link NovaFile#mapBuffer}: until then only this process can open the pool. If there are any, this asks
     * for a garbage collection, and waits for it up to a quarter of a second.) Closing a closed store does nothing.
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
