/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jnova.internal.core.Abi;
import org.jnova.internal.core.IoBlock;
import org.jnova.internal.core.Keeps;
import org.jnova.internal.core.NativeInode;
import org.jnova.internal.core.Records;
import org.jnova.internal.index.LogPages;
import org.jnova.internal.index.RadixIndex;

/** The log of a file, for {@link LogCleaner}. The caller of all methods has ioLock exclusively. */
final class FileLog implements LogCleaner.Log {
    /** Pages of a file that one step of a walk looks at. */
    private static final int WALK_PAGES = 8192;
    /** A file of more is not worth a look whether it is in few pieces. */
    private static final int SMALL_PAGES = 1 << 16;

    private final FileCommits commits;
    private final NativeInode inode;
    private final FileView view;
    private final ExtendedAttributes extended;

    private long lookedAhead; // of no use but to be stored: the look-ups must not be optimised away

    FileLog(FileCommits commits, NativeInode inode, FileView view, ExtendedAttributes extended) {
        this.commits = commits;
        this.inode = inode;
        this.view = view;
        this.extended = extended;
    }

    @Override
    public NativeInode inode() {
        return inode;
    }

    @Override
    public IoBlock io() {
        return commits.io();
    }

    @Override
    public LogPages pages() {
        return view.log();
    }

    @Override
    public void bringUpToDate() throws IOException {
        commits.catchUpWithFaults();
    }

    /**
     * Random pages of a large file miss the caches, one after the other if a branch waits for each; here they do so all
     * at once. Records that name no page ask for any.
     */
    @Override
    public void lookAhead(Keeps records, int count) {
        RadixIndex index = view.index();
        ByteBuffer bytes = records.bytes();
        long all = 0;
        for (int i = 0; i < count; i++) {
            all ^= index.slot(Records.page(bytes, records.recordOffset(i)));
        }
        lookedAhead = all;
    }

    @Override
    public boolean keep(ByteBuffer bytes, int at, int ordinal, Keeps keeps) {
        return switch (Records.kind(bytes, at)) {
            case Abi.REC_WRITE, Abi.REC_ALLOC -> keepBlocks(bytes, at, ordinal, keeps);
            case Abi.REC_XATTR -> extended.keep(bytes, at, keeps);
            default -> true;
        };
    }

    private boolean keepBlocks(ByteBuffer bytes, int at, int ordinal, Keeps keeps) {
        RadixIndex index = view.index();
        long page = Records.page(bytes, at);
        int blk = Records.blk(bytes, at);
        int count = Records.count(bytes, at);
        for (int i = 0; i < count; i++) {
            long slot = index.slot(page + i);
            if ((int) slot != blk + i || RadixIndex.ordinal(slot) != ordinal) {
                continue;
            }
            if (!keeps.endsWith(page + i) && !keepRun(page + i, blk + i, keeps)) {
                return false;
            }
            i = (int) Math.min(count, keeps.end() - page) - 1; // all up to there are kept
        }
        return true;
    }

    /**
     * Keeps a page with those beside it that lie in a row with it, whatever entries those are from: one entry replaces
     * them all. As far as the index can tell in one place, so that no step takes long.
     */
    private boolean keepRun(long page, int blk, Keeps keeps) {
        RadixIndex index = view.index();
        int before = index.runBefore(page, blk);
        int count = before + index.run(page, blk, Integer.MAX_VALUE);
        return keeps.addPages(page - before, blk - before, count);
    }

    @Override
    public long walk(Keeps keeps) {
        RadixIndex index = view.index();
        LogPages pages = view.log();
        long page = index.nextMapped(pages.walk());
        for (int i = 0; i < WALK_PAGES && page >= 0; i++) {
            long slot = index.slot(page);
            if (pages.isWalkedFor(RadixIndex.ordinal(slot)) && !keeps.addPage(page, (int) slot)) {
                return page;
            }
            page = index.nextMapped(page + 1);
        }
        return page;
    }

    @Override
    public boolean keepAll(Keeps keeps, int most) {
        RadixIndex index = view.index();
        if (index.pages() > SMALL_PAGES) {
            return false;
        }
        for (long page = index.nextMapped(0); page >= 0; page = index.nextMapped(page + 1)) {
            keeps.addPage(page, index.block(page));
            if (keeps.size() > most) {
                return false;
            }
        }
        return extended.keepAll(keeps, most);
    }

    @Override
    public int append(Keeps keeps) throws IOException {
        return commits.clean(() -> inode.cleanAppend(keeps, commits.io()));
    }

    @Override
    public boolean gathers() {
        return true;
    }

    @Override
    public int gather(Keeps keeps) throws IOException {
        return commits.clean(() -> inode.cleanGather(keeps, commits.io()));
    }

    @Override
    public int restart(Keeps keeps) throws IOException {
        return commits.clean(() -> inode.cleanRestart(keeps, commits.io()));
    }
}
