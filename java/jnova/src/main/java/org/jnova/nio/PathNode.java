/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.nio.file.LinkOption;
import java.nio.file.StandardWatchEventKinds;
import org.jnova.AttributeChange;
import org.jnova.NovaStore;

/**
 * What a path leads to at the moment of each call.
 *
 * @param path the path
 * @param follow whether a symbolic link at its end is followed
 */
record PathNode(NovaPath path, boolean follow) implements Node {
    NovaFileSystem fs() {
        return path.getFileSystem();
    }

    NovaStore store() {
        return fs().store();
    }

    LinkOption[] links() {
        return NovaFileSystemProvider.links(follow);
    }

    @Override
    public NovaAttributes attributes() throws IOException {
        return fs().attributes(path, follow);
    }

    @Override
    public void change(AttributeChange change) throws IOException {
        store().setAttributes(path.inStore(), change, links());
        changed();
    }

    /** Tells who watches the directory. */
    void changed() {
        fs().watches().signal(StandardWatchEventKinds.ENTRY_MODIFY, path);
    }
}
