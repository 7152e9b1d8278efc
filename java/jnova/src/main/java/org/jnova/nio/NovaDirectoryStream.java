/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.nio.file.ClosedDirectoryStreamException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.jnova.DirectoryEntry;

/**
 * The names in a directory. A name that is there all the time comes exactly once, whatever comes and goes meanwhile.
 */
final class NovaDirectoryStream implements DirectoryStream<Path> {
    private final NovaPath directory;
    private final Iterator<DirectoryEntry> entries;
    private final Filter<? super Path> filter;
    private boolean iterated; // guarded by this
    private volatile boolean closed;

    NovaDirectoryStream(NovaPath directory, Filter<? super Path> filter) throws IOException {
        this.directory = directory;
        this.filter = filter;
        this.entries = directory.getFileSystem().store().iterate(directory.inStore());
        directory.getFileSystem().opened(this);
    }

    @Override
    public synchronized Iterator<Path> iterator() {
        if (closed) {
            throw new ClosedDirectoryStreamException();
        }
        if (iterated) {
            throw new IllegalStateException("Iterator already obtained");
        }
        iterated = true;
        return new Iterator<>() {
            private Path ahead;

            @Override
            public synchronized boolean hasNext() {
                while (ahead == null && !closed && entries.hasNext()) {
                    Path path = directory.resolve(entries.next().name());
                    ahead = accepts(path) ? path : null;
                }
                return ahead != null;
            }

            @Override
            public synchronized Path next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                Path path = ahead;
                ahead = null;
                return path;
            }
        };
    }

    private boolean accepts(Path path) {
        try {
            return filter.accept(path);
        } catch (IOException e) {
            throw new DirectoryIteratorException(e);
        }
    }

    @Override
    public void close() {
        closed = true;
        directory.getFileSystem().closed(this);
    }
}
