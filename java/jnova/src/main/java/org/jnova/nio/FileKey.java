/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import org.jnova.FileInfo;

/**
 * What {@link java.nio.file.attribute.BasicFileAttributes#fileKey} is: never the same for two files of a pool, also
 * over time.
 *
 * @param device tells pools apart
 * @param ino inode number
 * @param generation tells apart the files that had the number one after another
 */
record FileKey(long device, long ino, long generation) {
    static FileKey of(NovaFileSystem fs, FileInfo info) {
        return new FileKey(fs.device(), info.ino(), info.generation());
    }

    @Override
    public String toString() {
        return "(dev=" + Long.toHexString(device) + ",ino=" + ino + ",gen=" + generation + ")";
    }
}
