/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.jnova.internal.core.Abi;
import org.jnova.internal.core.IoBlock;
import org.jnova.internal.core.IoPool;
import org.jnova.internal.core.LogFollower;
import org.jnova.internal.core.NativeInode;
import org.jnova.internal.core.NativePool;
import org.jnova.internal.core.Records;
import org.jnova.internal.index.DirectoryIndex;
import org.jnova.internal.index.DirectoryIndex.Child;

/**
 * The root directory: its log, and the index of names that replay of it builds. Guarded by the namespace lock: shared
 * for look-ups, exclusive for changes. Changes return a status, since the caller has something to do about lack of
 * space.
 */
final class RootDirectory implements NativeInode.Sink {
    private static final String LABEL = "(root directory)";
    /** rw-r--r-- */
    private static final int FILE_MODE = 0644;

    private final NativeInode inode;
    private final IoBlock io;
    private final IoPool ioPool;
    private final LogFollower follower;
    private final DirectoryIndex index = new DirectoryIndex();

    private RootDirectory(NativeInode inode, IoPool ioPool) {
        this.inode = inode;
        this.ioPool = ioPool;
        this.io = ioPool.lease();
        this.follower = new LogFollower(inode, io);
    }

    /** Opens and replays it. */
    static RootDirectory open(NativePool pool, IoPool ioPool) throws IOException {
        NativeInode inode = pool.openInode(Abi.ROOT_INO, 0, LABEL);
        boolean good = false;
        try {
            RootDirectory root = new RootDirectory(inode, ioPool);
            inode.replayAll(root);
            good = true;
            return root;
        } finally {
            if (!good) {
                inode.close();
            }
        }
    }

    /** Whether a committed change is not in the index yet; then {@link #catchUp} comes before any look-up. */
    boolean behind() {
        return follower.behind();
    }

    /** Brings the index up to date. Exclusive. */
    void catchUp() throws IOException {
        follower.catchUp(this);
    }

    Child find(byte[] name) {
        return index.find(name);
    }

    /** All names at this moment, sorted by bytes. */
    List<DirectoryIndex.Entry> sorted() {
        return index.sorted();
    }

    /** Makes a file. The name is free. */
    int createFile(byte[] name) throws IOException {
        follower.calling();
        return done(inode.createFile(name, FILE_MODE, io));
    }

    /** Removes a name. */
    int unlink(byte[] name, Child child) throws IOException {
        follower.calling();
        return done(inode.unlink(name, child.ino(), child.gen(), io));
    }

    /** Renames; whatever {@code to} named is nameless then. */
    int rename(byte[] from, byte[] to, Child child) throws IOException {
        follower.calling();
        return done(inode.rename(from, to, child.ino(), child.gen(), child.type(), io));
    }

    private int done(int status) throws IOException {
        if (status == Abi.OK) {
            catchUp();
        } else {
            follower.failed();
        }
        return status;
    }

    /** The exception for a failed change. */
    IOException failure(int status, String name) {
        return inode.failure(status, io, name);
    }

    @Override
    public void apply(ByteBuffer bytes, int at) throws IOException {
        switch (Records.kind(bytes, at)) {
            case Abi.REC_DENTRY_ADD -> index.add(
                    Records.childName(bytes, at),
                    new Child(Records.childIno(bytes, at), Records.childGen(bytes, at), Records.childType(bytes, at)));
            case Abi.REC_DENTRY_REMOVE -> index.remove(Records.childName(bytes, at));
            case Abi.REC_SETATTR -> {
                // Attributes are asked of the core.
            }
            default -> throw inode.corrupt("its log holds an entry of kind " + Records.kind(bytes, at)
                    + ", which is none of a directory");
        }
    }

    void close() throws IOException {
        try {
            inode.close();
        } finally {
            ioPool.giveBack(io);
        }
    }
}
