/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import org.jnova.internal.core.Abi;
import org.jnova.internal.core.IoBlock;
import org.jnova.internal.core.NativeInode;

/**
 * New values of attributes.
 *
 * @param mask which of them are to be set, as in the native interface; at least one
 * @param mode permission bits
 * @param uid owner
 * @param gid group
 * @param atime nanoseconds since the epoch
 * @param mtime nanoseconds since the epoch
 * @param btime nanoseconds since the epoch
 */
public record AttributeValues(int mask, int mode, int uid, int gid, long atime, long mtime, long btime) {
    /** These, and a time of access if there is none among them. */
    AttributeValues withAccess(long time) {
        return (mask & Abi.ATTR_ATIME) != 0
                ? this
                : new AttributeValues(mask | Abi.ATTR_ATIME, mode, uid, gid, time, mtime, btime);
    }

    int apply(NativeInode inode, IoBlock io) {
        return inode.setAttributes(mask, mode, uid, gid, atime, mtime, btime, io);
    }
}
