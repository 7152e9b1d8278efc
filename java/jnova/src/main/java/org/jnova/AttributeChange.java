/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jnova.internal.core.Abi;
import org.jnova.internal.store.AttributeValues;

/**
 * Attributes to be set, all in one atomic step, by {@link NovaStore#setAttributes}. What is not named stays. Immutable:
 * each method returns a new object.
 *
 * <pre>{@code
 * store.setAttributes("conf/server.xml", AttributeChange.none().mode(0640).modified(FileTime.from(Instant.now())));
 * }</pre>
 */
public final class AttributeChange {
    private static final AttributeChange NONE = new AttributeChange(new AttributeValues(0, 0, 0, 0, 0, 0, 0));
    private static final long ID_MAX = 0xffff_ffffL;

    private final AttributeValues values;

    private AttributeChange(AttributeValues values) {
        this.values = values;
    }

    /** {@return a change of nothing} */
    public static AttributeChange none() {
        return NONE;
    }

    /**
     * Sets the mode.
     *
     * @param mode POSIX permission bits, 0 to 07777 (setuid, setgid and sticky among them)
     * @return a change of this, too
     * @throws IllegalArgumentException if there are other bits in it
     */
    public AttributeChange mode(int mode) {
        if ((mode & ~Abi.MODE_BITS) != 0) {
            throw new IllegalArgumentException("mode 0" + Integer.toOctalString(mode) + " is not 0 to 07777");
        }
        return with(Abi.ATTR_MODE, mode);
    }

    /**
     * Sets the owner.
     *
     * @param uid 0 to 2^32 - 1
     * @return a change of this, too
     * @throws IllegalArgumentException if it is out of range
     */
    public AttributeChange uid(long uid) {
        return with(Abi.ATTR_UID, id(uid));
    }

    /**
     * Sets the group.
     *
     * @param gid 0 to 2^32 - 1
     * @return a change of this, too
     * @throws IllegalArgumentException if it is out of range
     */
    public AttributeChange gid(long gid) {
        return with(Abi.ATTR_GID, id(gid));
    }

    /**
     * Sets the time of the last access.
     *
     * @param time kept to the nanosecond
     * @return a change of this, too
     * @throws IllegalArgumentException if it is not in the years 1678 to 2262, which 64 bits of nanoseconds reach
     */
    public AttributeChange accessed(FileTime time) {
        return with(Abi.ATTR_ATIME, nanos(time));
    }

    /**
     * Sets the time of the last change of contents.
     *
     * @param time kept to the nanosecond
     * @return a change of this, too
     * @throws IllegalArgumentException if it is not in the years 1678 to 2262, which 64 bits of nanoseconds reach
     */
    public AttributeChange modified(FileTime time) {
        return with(Abi.ATTR_MTIME, nanos(time));
    }

    /**
     * Sets the time of creation, which is when the file was made as long as nobody sets it.
     *
     * @param time kept to the nanosecond
     * @return a change of this, too
     * @throws IllegalArgumentException if it is not in the years 1678 to 2262, which 64 bits of nanoseconds reach
     */
    public AttributeChange created(FileTime time) {
        return with(Abi.ATTR_BTIME, nanos(time));
    }

    /** These, and one more; in the place of another one of the kind. */
    private AttributeChange with(int bit, long value) {
        return new AttributeChange(new AttributeValues(
                values.mask() | bit,
                bit == Abi.ATTR_MODE ? (int) value : values.mode(),
                bit == Abi.ATTR_UID ? (int) value : values.uid(),
                bit == Abi.ATTR_GID ? (int) value : values.gid(),
                bit == Abi.ATTR_ATIME ? value : values.atime(),
                bit == Abi.ATTR_MTIME ? value : values.mtime(),
                bit == Abi.ATTR_BTIME ? value : values.btime()));
    }

    private static int id(long id) {
        if (id < 0 || id > ID_MAX) {
            throw new IllegalArgumentException(id + " is not 0 to 2^32 - 1");
        }
        return (int) id;
    }

    private static long nanos(FileTime time) {
        Instant instant = Objects.requireNonNull(time, "time").toInstant();
        try {
            return Math.addExact(
                    Math.multiplyExact(instant.getEpochSecond(), TimeUnit.SECONDS.toNanos(1)), instant.getNano());
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(time + " is not within the years 1678 to 2262", e);
        }
    }

    AttributeValues values() {
        return values;
    }

    @Override
    public String toString() {
        return values.toString();
    }
}
