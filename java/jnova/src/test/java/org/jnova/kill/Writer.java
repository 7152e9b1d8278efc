/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.kill;

import java.io.IOException;
import java.util.Set;
import java.util.SplittableRandom;
import org.jnova.NovaStore;

/**
 * What one thread does, call by call. Call n follows from the seed, the thread and the calls before it, and from
 * nothing else: so whoever knows how many calls were completed knows what must be in the pool.
 */
abstract class Writer {
    private static final int[] AWKWARD = {1, 7, 63, 64, 65, 4095, 4096, 4097};

    final int thread;
    final Model model = new Model();
    private final long seed;
    private long done;

    Writer(long seed, int thread) {
        this.thread = thread;
        this.seed = new SplittableRandom(seed + thread).nextLong();
    }

    /** Chooses a call, by the random numbers and by what {@link #model} holds. */
    abstract Target.Call choose(SplittableRandom random);

    /** The files of the pool that calls go to; one thread uses it. */
    abstract Target files(NovaStore store) throws IOException;

    /** What the pool holds of this writer. */
    abstract Model found(NovaStore store) throws IOException;

    /** Names there should be in the pool for this writer alone. */
    abstract Set<String> names();

    /** Number of calls that {@link #model} has seen. */
    final long done() {
        return done;
    }

    /** The call after the last. */
    final Target.Call next() {
        return choose(new SplittableRandom(seed + done));
    }

    /** Tells that the next call is completed. */
    final void completed(Target.Call call) {
        model.apply(call);
        done++;
    }

    /**
     * Compares the pool with what it should be after {@code acknowledged} calls or, unless {@code exact}, after one
     * more; {@link #done} says then which.
     */
    final void check(NovaStore store, long acknowledged, boolean exact) throws IOException {
        while (done < acknowledged) {
            completed(next());
        }
        Model found = found(store);
        String without = model.difference(found);
        if (without == null) {
            return;
        }
        String what = "thread " + thread + " after call " + acknowledged + ": " + without;
        if (exact) {
            throw new AssertionError(what);
        }
        completed(next());
        String with = model.difference(found);
        if (with != null) {
            throw new AssertionError(what + "; nor is the next call wholly there: " + with);
        }
    }

    /** Lengths that are awkward for a store of blocks and lines, others, and seldom long ones. */
    static int length(SplittableRandom random, int max) {
        int kind = random.nextInt(40);
        int length = kind == 0 ? 100_000 + random.nextInt(200_000)
                : kind < 20 ? AWKWARD[random.nextInt(AWKWARD.length)]
                : 1 + random.nextInt(9_000);
        return Math.min(length, max);
    }

    static byte[] bytes(SplittableRandom random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }
}
