/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Writes a file of an ordinary file system whole or not at all. */
final class TargetFile {
    private TargetFile() {}

    /** Writes the bytes of a file. */
    interface Content {
        void writeTo(WritableByteChannel channel) throws IOException;
    }

    /**
     * Writes a temporary file beside the target and renames it over that. A target that is a device or a pipe is
     * written to; one that is a link is followed.
     *
     * @param pool the pool that the content comes from: never a target
     */
    static void write(Path target, Path pool, Content content) throws IOException {
        if (Files.exists(target) && Files.isSameFile(target, pool)) {
            throw new FileSystemException(target.toString(), null, "is the pool itself; choose another target");
        }
        if (Files.exists(target) && !Files.isRegularFile(target)) {
            try (FileChannel channel = FileChannel.open(target, StandardOpenOption.WRITE)) {
                content.writeTo(channel);
            }
            return;
        }
        Path real =
                Files.isSymbolicLink(target) && Files.exists(target) ? target.toRealPath() : target.toAbsolutePath();
        Path part = real.resolveSibling(".jnova-part-" + ProcessHandle.current().pid());
        ShutdownTask cleanUp = new ShutdownTask(() -> remove(part)); // without effect once it has been renamed
        try {
            try (FileChannel channel = FileChannel.open(
                    part, StandardOpenOption.WRITE, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING)) {
                content.writeTo(channel);
            }
            Files.move(part, real, StandardCopyOption.ATOMIC_MOVE);
        } catch (NoSuchFileException e) {
            if (real.toAbsolutePath().getParent() != null && !Files.isDirectory(real.toAbsolutePath().getParent())) {
                throw new NoSuchFileException(target.toString(), null, "its directory does not exist");
            }
            throw e;
        } finally {
            cleanUp.finish();
        }
    }

    private static void remove(Path part) {
        try {
            Files.deleteIfExists(part);
        } catch (IOException e) {
            // It stays; what went wrong before is the better report.
        }
    }
}
