/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import java.nio.ByteBuffer;

/**
 * A {@code nova_name}: a name in a directory, and what it names.
 *
 * <pre>
 *   0 dir (8)  8 name (8)  16 len  20 ino  24 gen  28 type  32 child (8)  40 io (8)
 * </pre>
 *
 * @param dir the directory
 * @param io its io block
 * @param name the name's bytes
 * @param ino inode number of what it names; 0 if it is free
 * @param gen its generation
 * @param type its type
 * @param child its handle, up to date, if its caller has it and serialises it; or null
 */
public record NativeName(NativeInode dir, IoBlock io, byte[] name, int ino, int gen, int type, NativeInode child) {
    private static final int STRUCTS = 1024;
    private static final int BYTES = 512;

    /** Puts it into a scratch area, where there is room for two. Returns its address. */
    long put(Scratch scratch, int slot) {
        ByteBuffer bytes = scratch.memory.bytes();
        int offset = STRUCTS + slot * Abi.NAME_SIZE;
        int at = scratch.area() + offset;
        bytes.putLong(at + Abi.NAME_DIR, dir.handle());
        bytes.putLong(at + Abi.NAME_NAME, scratch.putBytes(slot * BYTES, name));
        bytes.putInt(at + Abi.NAME_LEN, name.length);
        bytes.putInt(at + Abi.NAME_INO, ino);
        bytes.putInt(at + Abi.NAME_GEN, gen);
        bytes.putInt(at + Abi.NAME_TYPE, type);
        bytes.putLong(at + Abi.NAME_CHILD, child == null ? 0 : child.handle());
        bytes.putLong(at + Abi.NAME_IO, io.address());
        return scratch.areaAddress() + offset;
    }
}
