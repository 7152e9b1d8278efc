/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.util.Objects;
import java.util.function.Consumer;

/** How to create or open a {@link NovaStore}. Immutable; made by {@link #builder()}. */
public final class StoreOptions {
    /** Most allocation lanes and recovery threads one can ask for. */
    public static final int LANES_MAX = 64;

    private static final StoreOptions DEFAULTS = builder().build();

    private final boolean emulated;
    private final boolean prefault;
    private final int lanes;
    private final int recoveryThreads;
    private final boolean inPlaceWrites;
    private final Consumer<? super RecoveryProgress> progress;
    private final AccessTimes accessTimes;

    private StoreOptions(Builder builder) {
        this.emulated = builder.emulated;
        this.prefault = builder.prefault;
        this.lanes = builder.lanes;
        this.recoveryThreads = builder.recoveryThreads;
        this.inPlaceWrites = builder.inPlaceWrites;
        this.progress = builder.progress;
        this.accessTimes = builder.accessTimes;
    }

    /** {@return the options used where none are given: not emulated, nothing prefaulted, a lane and a recovery thread per CPU, access times as
     *     {@link AccessTimes#RELATIME}} */
    public static StoreOptions defaults() {
        return DEFAULTS;
    }

    /** {@return a builder that starts from the defaults} */
    public static Builder builder() {
        return new Builder();
    }

    /** {@return whether memory that is not persistent is to be treated as if it were} */
    public boolean emulated() {
        return emulated;
    }

    /** {@return whether opening maps all pages of the pool} */
    public boolean prefault() {
        return prefault;
    }

    /** {@return allocation lanes, 0 for one per CPU} */
    public int lanes() {
        return lanes;
    }

    /** {@return threads that recovery may use, 0 for one per CPU} */
    public int recoveryThreads() {
        return recoveryThreads;
    }

    /** {@return whether calls that write to a mapped file write in place} */
    public boolean inPlaceWrites() {
        return inPlaceWrites;
    }

    /** {@return who hears of recovery's progress, or null} */
    public Consumer<? super RecoveryProgress> progress() {
        return progress;
    }

    /** {@return which reads are noted as the time of a file's last access} */
    public AccessTimes accessTimes() {
        return accessTimes;
    }

    /**
     * How far recovery is.
     *
     * @param done work done so far
     * @param total work in all, in the same unit; 0 while not known
     */
    public record RecoveryProgress(long done, long total) {
        /** {@return 0.0 to 1.0; 0.0 while the total is not known} */
        public double fraction() {
            return total == 0 ? 0.0 : Math.min(1.0, (double) done / total);
        }
    }

    /** Collects options. Not thread-safe. */
    public static final class Builder {
        private boolean emulated;
        private boolean prefault;
        private int lanes;
        private int recoveryThreads;
        private boolean inPlaceWrites;
        private Consumer<? super RecoveryProgress> progress;
        private AccessTimes accessTimes = AccessTimes.RELATIME;

        private Builder() {}

        /**
         * Treats the pool as persistent memory although it is not: for tests, and for data that must survive a crash of
         * the process only. Without it, a pool that is not on persistent memory is made durable with msync; on tmpfs,
         * where nothing could, it is emulated anyway. {@link StoreInfo#durability()} tells.
         *
         * @param on whether to
         * @return this
         */
        public Builder emulated(boolean on) {
            this.emulated = on;
            return this;
        }

        /**
         * Maps all pages of the pool when it is opened, so that no call later meets a page fault. Without it, the first
         * store to each page of 4 KiB costs one, a microsecond or two. Opening takes longer in turn, by some hundred
         * milliseconds per GiB of a pool that is new on tmpfs. Ignored by kernels before Linux 5.14.
         *
         * <p>On tmpfs, from Linux 6.1 on, these are huge pages, as far as there are any: the CPU finds its way to a random
         * block of a large pool in less time then. A file system on persistent memory (DAX) maps huge pages anyway, where
         * the blocks of the pool's file allow it.
         *
         * @param on whether to
         * @return this
         */
        public Builder prefault(boolean on) {
            this.prefault = on;
            return this;
        }

        /**
         * Sets the number of allocation lanes. It is not a property of the pool: any number opens any pool.
         *
         * @param count 1..{@value StoreOptions#LANES_MAX}, or 0 for one per CPU
         * @return this
         * @throws IllegalArgumentException if out of range
         */
        public Builder lanes(int count) {
            this.lanes = inRange(count, "lanes");
            return this;
        }

        /**
         * Sets the number of threads that recovery may use.
         *
         * @param count 1..{@value StoreOptions#LANES_MAX}, or 0 for one per CPU
         * @return this
         * @throws IllegalArgumentException if out of range
         */
        public Builder recoveryThreads(int count) {
            this.recoveryThreads = inRange(count, "recovery threads");
            return this;
        }

        /**
         * Lets calls that write to a mapped file write in place, which trades atomicity for speed; as {@link
         * NovaFile#setInPlace} does for one file, which can also say otherwise.
         *
         * @param on whether to
         * @return this
         */
        public Builder inPlaceWrites(boolean on) {
            this.inPlaceWrites = on;
            return this;
        }

        /**
         * Names a listener that hears of recovery's progress while a pool is opened: about ten times a second, from a
         * thread of its own, and once more at the end. An open that takes no time calls it once. What it throws is
         * ignored.
         *
         * @param listener the listener, or null for none
         * @return this
         */
        public Builder progress(Consumer<? super RecoveryProgress> listener) {
            this.progress = listener;
            return this;
        }

        /**
         * Says which reads are noted as the time of a file's last access. It is not a property of the pool.
         *
         * @param policy which
         * @return this
         */
        public Builder accessTimes(AccessTimes policy) {
            this.accessTimes = Objects.requireNonNull(policy, "policy");
            return this;
        }

        /** {@return the options} */
        public StoreOptions build() {
            return new StoreOptions(this);
        }

        private static int inRange(int count, String what) {
            if (count < 0 || count > LANES_MAX) {
                throw new IllegalArgumentException(what + ": " + count + " is not in 0.." + LANES_MAX);
            }
            return count;
        }
    }
}
