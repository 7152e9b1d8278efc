/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

/** Which reads a {@link NovaStore} notes as the time of a file's last access. */
public enum AccessTimes {
    /**
     * A read is noted if the time of access is not later than those of the last changes of contents and attributes, or
     * is a day old, as Linux file systems do by default; or if it lies in the future. It is noted in memory and seen at
     * once by whoever asks for the attributes; it goes to the pool with the next change of attributes of the file, or
     * else when the file is closed. A crash may lose it, and so may a pool without space. A file that stays open for
     * more than a day, and is neither changed nor read often, may keep the older time: only some of its reads look at
     * the clock.
     */
    RELATIME,
    /** No read is noted: reading changes nothing in the pool. The time can still be set. */
    NEVER
}
