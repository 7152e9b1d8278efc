/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.jnova.AttributeExistsException;
import org.jnova.NoSuchAttributeException;
import org.jnova.internal.core.Abi;
import org.jnova.internal.core.IoBlock;
import org.jnova.internal.core.Keeps;
import org.jnova.internal.core.NativeInode;
import org.jnova.internal.core.Records;
import org.jnova.internal.index.ExtendedIndex;
import org.jnova.internal.index.LogPages;

/**
 * The extended attributes of one inode: its index of them, and the calls that it needs. Guarded by the lock that guards
 * the inode's handle: exclusive for changes and replay, shared for reading. The core gives the blocks of values back
 * itself.
 */
final class ExtendedAttributes {
    private final ExtendedIndex index = new ExtendedIndex();

    /** What a name must be before it gets a value. */
    enum Before {
        ANY,
        MISSING,
        THERE
    }

    /** Blocks that values take. */
    long blocks() {
        return index.blocks();
    }

    /** All names, sorted by bytes. */
    List<String> names() {
        return index.names().stream().map(Names::decode).toList();
    }

    /** The value of a name, or null. */
    byte[] read(NativeInode inode, byte[] name) throws IOException {
        ExtendedIndex.Place place = index.find(name);
        return place == null ? null : inode.readExtended(place.blk(), place.idx(), place.length());
    }

    boolean has(byte[] name) {
        return index.find(name) != null;
    }

    /** Fails if a name is not what it must be. */
    void check(byte[] name, Before before, String label) throws IOException {
        if (before == Before.MISSING && has(name)) {
            throw new AttributeExistsException(label, Names.decode(name));
        }
        if (before == Before.THERE && !has(name)) {
            throw new NoSuchAttributeException(label, Names.decode(name));
        }
    }

    /** Gives a name a value. Returns a status. */
    int set(NativeInode inode, byte[] name, byte[] value, IoBlock io) {
        ExtendedIndex.Place old = index.find(name);
        return inode.setExtended(name, value, old == null ? 0 : old.blk(), old == null ? Abi.NO_LINE : old.idx(), io);
    }

    /** Takes a name away that is there. Returns a status. */
    int remove(NativeInode inode, byte[] name, IoBlock io) {
        ExtendedIndex.Place old = index.find(name);
        return inode.removeExtended(name, old.blk(), old.idx(), io);
    }

    /** Applies a record of the log, whose page has an ordinal. */
    void apply(ByteBuffer bytes, int at, int ordinal) {
        byte[] name = Records.attributeName(bytes, at);
        if (Records.isRemoved(bytes, at)) {
            index.remove(name);
            return;
        }
        int length = Records.valueLength(bytes, at);
        int blocks = Records.valueBlocks(bytes, at);
        // Of a value in blocks, the entry has their extents: one at least.
        int weight = LogPages.linesOf(name.length + (blocks == 0 ? length : Abi.EXTENT_SIZE));
        index.put(
                name,
                new ExtendedIndex.Place(
                        Records.logBlk(bytes, at), Records.logIdx(bytes, at), length, blocks, ordinal, weight));
    }

    // ---- cleaning the log

    void setLog(LogPages pages) {
        index.setLog(pages);
    }

    /** What all entries count in {@link LogPages}. */
    long weight() {
        return index.weight();
    }

    /** Keeps what a record says, if it says what a name has; false if there is no room. */
    boolean keep(ByteBuffer bytes, int at, Keeps keeps) {
        ExtendedIndex.Place place =
                Records.isRemoved(bytes, at) ? null : index.find(Records.attributeName(bytes, at));
        return place == null
                || place.blk() != Records.logBlk(bytes, at)
                || place.idx() != Records.logIdx(bytes, at)
                || keeps.addEntry(place.blk(), place.idx());
    }

    /** Keeps all; false if there are more than so many things to keep then. */
    boolean keepAll(Keeps keeps, int most) {
        for (ExtendedIndex.Place place : index.places()) {
            if (keeps.size() >= most || !keeps.addEntry(place.blk(), place.idx())) {
                return false;
            }
        }
        return true;
    }
}
