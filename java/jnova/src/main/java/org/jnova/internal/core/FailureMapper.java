/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import org.jnova.CorruptPoolException;
import org.jnova.NoSpaceException;
import org.jnova.NotAPoolException;
import org.jnova.PoolInUseException;
import org.jnova.PoolTruncatedException;
import org.jnova.PoolVersionException;

/**
 * Turns a failure of the core into the exception that a caller of the API gets: the one place where status codes
 * become types.
 */
public final class FailureMapper {
    private FailureMapper() {}

    /**
     * Maps a failure. {@code throw FailureMapper.map(...)} throws whatever fits, also if that is unchecked.
     *
     * @param failure what the core said
     * @param pool the pool file
     * @param file the file in the pool that the call was about, or null if it was about the pool
     * @return a checked exception
     * @throws IllegalArgumentException for an argument out of range
     * @throws InvalidPathException for a name that is not a name
     * @throws OutOfMemoryError if the process has no native memory left
     */
    public static IOException map(NativeFailure failure, String pool, String file) {
        String what = file == null ? pool : file;
        String said = failure.message();
        return switch (failure.status()) {
            case Abi.EINVAL -> throw new IllegalArgumentException(
                    what + ": " + or(said, "an argument is out of range"));
            case Abi.ENOMEM -> throw new OutOfMemoryError(
                    what + ": " + or(said, "the process has no native memory left"));
            case Abi.ENAME -> throw new InvalidPathException(
                    what, or(said, "a name has 1 to 255 bytes, without '/' and NUL, and is not \".\" or \"..\""));
            case Abi.ENOSPC -> new NoSpaceException(
                    what,
                    file == null
                            ? or(said, "no space left") + "; choose a smaller pool or make room on its file system"
                            : or(said, "the pool has no space left") + "; delete files, or import into a larger pool");
            case Abi.EOS -> new FileSystemException(
                    what, null, or(said, "the operating system refused") + errno(failure.osErrno()));
            case Abi.EEXIST -> new FileAlreadyExistsException(what, null, blankToNull(said));
            case Abi.ENOENT -> new NoSuchFileException(what, null, blankToNull(said));
            case Abi.EACCES -> new AccessDeniedException(what, null, blankToNull(said));
            case Abi.EBUSY -> file == null
                    ? new PoolInUseException(
                            pool, or(said, "the pool is open already") + "; close the store that uses it first")
                    : new FileSystemException(file, null, or(said, "the inode is open already"));
            case Abi.ENOTPOOL -> new NotAPoolException(
                    pool, or(said, "the file is not a pool") + "; NovaStore.create makes one, in a file of its own");
            case Abi.EVERSION -> new PoolVersionException(
                    pool,
                    or(said, "the pool has another format version")
                            + "; use the release that wrote it, or a newer one");
            case Abi.ETRUNCATED -> new PoolTruncatedException(
                    pool, or(said, "the file's length is not the pool's") + "; restore the whole file from a copy");
            case Abi.ECORRUPT -> new CorruptPoolException(
                    pool,
                    (file == null ? "" : "file '" + file + "': ") + or(said, "a structure is damaged")
                            + "; PoolInspector.check lists all damage",
                    failure.poolOffset());
            case Abi.ESTALE -> new FileSystemException(what, null, or(said, "the inode is gone, or its log moved on"));
            case Abi.EFBIG -> new FileSystemException(
                    what, null, or(said, "beyond the largest size of a file, or of one write"));
            case Abi.EISDIR -> file == null
                    ? new NotAPoolException(pool, "it is a directory; name the pool file")
                    : new FileSystemException(file, null, "it is a directory");
            case Abi.ENOTDIR -> new NotDirectoryException(what);
            case Abi.ELINKED -> new FileSystemException(
                    what, null, or(said, "the inode may have several names, and its handle is needed"));
            case Abi.EMLINK -> new FileSystemException(
                    what, null, or(said, "the file has " + Abi.LINK_MAX + " names already"));
            default -> new FileSystemException(
                    what,
                    null,
                    "unknown status " + failure.status() + ": the native library is not the one of this release");
        };
    }

    private static String or(String said, String otherwise) {
        return said.isEmpty() ? otherwise : said;
    }

    private static String blankToNull(String said) {
        return said.isEmpty() ? null : said;
    }

    private static String errno(int errno) {
        return errno == 0 ? "" : " (errno " + errno + ")";
    }
}
