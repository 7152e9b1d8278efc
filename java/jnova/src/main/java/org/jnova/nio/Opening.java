/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.StandardWatchEventKinds;
import org.jnova.NovaDirectory;
import org.jnova.NovaFile;

/**
 * A file that is to be opened.
 *
 * @param start the directory that its path starts from
 * @param path the path
 * @param request what for
 * @param mode permission bits of a file that is made
 */
record Opening(NovaDirectory start, NovaPath path, OpenRequest request, int mode) {

    /**
     * As a channel, also a directory that is to be read.
     *
     * @param shown the path by which the channel tells who watches
     */
    FileChannel channel(NovaPath shown) throws IOException {
        try {
            return new NovaFileChannel(shown, file(), request);
        } catch (FileSystemException e) {
            NovaDirectory directory = request.write() ? null : directory();
            if (directory == null) {
                throw e;
            }
            return new DirectoryChannel(path.getFileSystem(), directory);
        }
    }

    private NovaDirectory directory() throws IOException {
        try {
            return start.openDirectory(path.inStore(), NovaFileSystemProvider.links(request.follow()));
        } catch (FileSystemException e) {
            return null; // it is none
        }
    }

    /** As a file of the store. */
    NovaFile file() throws IOException {
        Watches watches = path.getFileSystem().watches();
        boolean creates = !watches.isIdle() && !start.exists(path.inStore());
        NovaFile file = start.open(path.inStore(), mode, request.forStore());
        if (creates) {
            watches.signal(StandardWatchEventKinds.ENTRY_CREATE, start, path);
        }
        if (request.deleteOnClose()) { // as by the default provider: no crash can leave it
            try {
                start.deleteFile(path.inStore());
                watches.signal(StandardWatchEventKinds.ENTRY_DELETE, start, path);
            } catch (FileSystemException e) {
                // a best effort: somebody else may have deleted it, or the pool is full
            }
        }
        return file;
    }
}
