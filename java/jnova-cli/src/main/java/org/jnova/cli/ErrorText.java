/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.NotLinkException;
import org.jnova.CorruptPoolException;

/** Says what went wrong in one line: the thing, the reason, the remedy where there is one. */
final class ErrorText {
    private ErrorText() {}

    static String of(Throwable failure) {
        return describe(failure).replaceAll("\\s*\\R\\s*", " ");
    }

    private static String describe(Throwable failure) {
        if (failure instanceof CommandFailure) {
            return failure.getMessage();
        }
        if (failure instanceof InvalidPathException e) {
            return "'" + Text.printable(e.getInput()) + "' is not a path: " + e.getReason();
        }
        if (failure instanceof CorruptPoolException e) {
            return e.getMessage() + "; jnova fsck lists all damage";
        }
        if (failure instanceof FileSystemException e) {
            return describeFile(e);
        }
        if (failure instanceof OutOfMemoryError) {
            return "out of memory: " + failure.getMessage();
        }
        String message = failure.getMessage();
        String type = failure.getClass().getSimpleName();
        return message == null ? type : failure instanceof IOException ? message : type + ": " + message;
    }

    /** The JDK's own messages are often the bare file name. */
    private static String describeFile(FileSystemException e) {
        String reason = e.getReason();
        if (reason == null) {
            if (e instanceof NoSuchFileException) {
                reason = "no such file";
            } else if (e instanceof AccessDeniedException) {
                reason = "permission denied";
            } else if (e instanceof FileAlreadyExistsException) {
                reason = "exists already";
            } else if (e instanceof NotDirectoryException) {
                reason = "not a directory";
            } else if (e instanceof DirectoryNotEmptyException) {
                reason = "the directory is not empty";
            } else if (e instanceof FileSystemLoopException) {
                reason = "too many symbolic links on the way";
            } else if (e instanceof NotLinkException) {
                reason = "not a symbolic link";
            } else {
                return e.getMessage();
            }
        }
        return e.getFile() == null ? reason : Text.printable(e.getFile()) + ": " + reason;
    }
}
