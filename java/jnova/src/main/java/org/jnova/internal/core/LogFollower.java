/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Brings a view of a log up to its end after calls that commit something. The records wait in the io block, and the
 * position in it only moves past what has been applied: if applying fails (no heap left) or the rest of the log
 * cannot be read, the view is merely behind, and {@link #catchUp} goes on from there when it is called again. So a
 * committed write is never lost from view, also if an error strikes right behind the native call: the state is set
 * before it.
 *
 * <p>Guarded by the lock that serialises calls on the inode.
 */
public final class LogFollower {
    private enum State {
        /** The view is up to date. */
        IDLE,
        /** A call is about to be made, or was: what the io block says has not been looked at. */
        CALLED,
        /** The call committed, and its records are being applied. */
        APPLYING
    }

    private final NativeInode inode;
    private final IoBlock io;
    private State state = State.IDLE;
    private int next;
    private boolean unread; // whether there are committed records beyond those in the io block
    private long applied;

    /**
     * @param inode replayed to its end
     * @param io its io block
     */
    public LogFollower(NativeInode inode, IoBlock io) {
        this.inode = inode;
        this.io = io;
    }

    /** To be called right before a native call that may commit something. */
    public void calling() {
        assert state == State.IDLE;
        io.clearRecords();
        state = State.CALLED;
    }

    /** Something was committed that no call made: {@link #catchUp} will ask the log for it. */
    public void lagging() {
        assert state == State.IDLE;
        io.clearRecords();
        next = 0;
        unread = true;
        state = State.APPLYING;
    }

    /** The call failed: nothing was committed. */
    public void failed() {
        state = State.IDLE;
    }

    /** Whether there may be committed records that the view lacks. */
    public boolean behind() {
        return state != State.IDLE;
    }

    /** Whether there are committed records that the view lacks. */
    public boolean committed() {
        return state == State.APPLYING || state == State.CALLED && (io.recordCount() != 0 || io.more());
    }

    /** Records applied so far: entries that were appended behind what the inode was replayed to. */
    public long applied() {
        return applied;
    }

    /**
     * Applies what the view lacks.
     *
     * @param sink the view; must bear to get the record at which it threw once more
     * @throws IOException if the log is damaged; the view stays behind
     */
    public void catchUp(NativeInode.Sink sink) throws IOException {
        if (state == State.IDLE) {
            return;
        }
        if (state == State.CALLED) {
            next = 0;
            unread = io.more();
            state = State.APPLYING;
        }
        applyRecords(sink);
        while (unread) {
            int status = inode.replay(io);
            next = 0;
            if (status != Abi.OK) {
                applyRecords(sink); // those before the damage; the core does not report them again
                throw inode.failure(status, io);
            }
            unread = io.more();
            applyRecords(sink);
        }
        state = State.IDLE;
    }

    private void applyRecords(NativeInode.Sink sink) throws IOException {
        ByteBuffer bytes = io.bytes();
        int count = io.recordCount();
        while (next < count) {
            int at = io.recordOffset(next);
            int following = next + Records.lines(bytes, at);
            sink.apply(bytes, at);
            next = following; // nothing that could throw lies between: some records must not be applied twice
            applied++;
        }
    }
}
