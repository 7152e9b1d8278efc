/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * A JVM that writes is killed with SIGKILL, again and again, and the pool is reopened and checked each time. After
 * every call the child prints the number of the step it has completed: all of these must be there, the one after the
 * last may be, wholly, and nothing else.
 */
class KillTest {
    private static final int ROUNDS = TestPools.FULL ? 100 : 12;
    private static final long SIZE = 64 * TestPools.MIB;
    private static final int SLOTS = 16;
    private static final int SLOT = 3 * 4096 + 100; // a write that covers pages in part

    /**
     * Step n does one thing, chosen by n alone: so both sides know what the state after step n is. Files: "slots" has
     * 16 slots that are overwritten as a whole; "log" is appended to; "cut" is resized; "name n" is created, and
     * deleted or renamed over another one.
     */
    static final class Writer {
        public static void main(String[] args) throws IOException {
            long step = Long.parseLong(args[1]);
            PrintStream out = new PrintStream(System.out, true);
            try (NovaStore store = NovaStore.open(Path.of(args[0]), TestPools.EMULATED);
                    NovaFile slots = store.open("slots", CREATE, READ, WRITE);
                    NovaFile log = store.open("log", CREATE, READ, WRITE);
                    NovaFile cut = store.open("cut", CREATE, READ, WRITE)) {
                while (true) {
                    step++;
                    doStep(store, slots, log, cut, step);
                    out.println(step);
                }
            }
        }
    }

    private static void doStep(NovaStore store, NovaFile slots, NovaFile log, NovaFile cut, long step)
            throws IOException {
        switch ((int) (step % 5)) {
            case 0 -> slots.write(step / 5 % SLOTS * SLOT, pattern(step));
            case 1 -> log.append(record(step));
            case 2 -> cut.setSize(cutSize(step));
            case 3 -> store.open("name " + step, CREATE, WRITE).close();
            default -> {
                if (step % 10 == 4) {
                    store.rename("name " + (step - 1), "moved " + step % 1000, StandardCopyOption.REPLACE_EXISTING);
                } else {
                    store.delete("name " + (step - 1));
                }
            }
        }
    }

    private static ByteBuffer pattern(long step) {
        byte[] bytes = new byte[SLOT];
        new SplittableRandom(step).nextBytes(bytes);
        return step % 2 == 0 ? ByteBuffer.wrap(bytes) : ByteBuffer.allocateDirect(SLOT).put(bytes).flip();
    }

    private static ByteBuffer record(long step) {
        return ByteBuffer.allocate(24).putLong(step).putLong(~step).putLong(step * 31).flip();
    }

    private static long cutSize(long step) {
        return step * 7919 % 100_000;
    }

    @Test
    void whatWasDoneIsThereAndNothingElse() throws Exception {
        try (TestPools pools = new TestPools()) {
            pools.create("p", SIZE).close();
            long done = 0;
            SplittableRandom random = new SplittableRandom(7);
            for (int round = 0; round < ROUNDS; round++) {
                done = runAndKill(pools, done, 1 + random.nextInt(3000));
                done = checkAndFinish(pools, done);
                pools.assertSound("p");
            }
            assertTrue(done > ROUNDS);
        }
    }

    /** Lets the child go some steps on, kills it, and returns the last step that it said it had completed. */
    private static long runAndKill(TestPools pools, long from, int steps) throws IOException, InterruptedException {
        long done = from;
        try (ChildJvm child = new ChildJvm(Writer.class, pools.path("p").toString(), Long.toString(from))) {
            while (done < from + steps) {
                String line = child.line();
                if (line == null) {
                    throw new AssertionError("the writer ended by itself: " + child.exitCode());
                }
                done = Long.parseLong(line);
            }
            List<String> rest = child.kill();
            return rest.isEmpty() ? done : Long.parseLong(rest.get(rest.size() - 1));
        }
    }

    /** Checks that the state is that after {@code done} steps or after one more, and returns which. */
    private static long checkAndFinish(TestPools pools, long done) throws IOException {
        try (NovaStore store = pools.open("p")) {
            assertTrue(store.info().recovered());
            boolean more = happened(store, done + 1);
            long last = more ? done + 1 : done;
            checkSlots(store, last);
            checkLog(store, last);
            checkNames(store, last);
            long cutStep = last - Math.floorMod(last - 2, 5);
            if (cutStep > 0) {
                assertEquals(cutSize(cutStep), store.stat("cut").size());
            }
            return last;
        }
    }

    private static boolean happened(NovaStore store, long step) throws IOException {
        return switch ((int) (step % 5)) {
            case 0 -> {
                byte[] slot = readSlot(store, step / 5 % SLOTS);
                yield ByteBuffer.wrap(slot).equals(pattern(step));
            }
            case 1 -> store.stat("log").size() == (step + 4) / 5 * 24;
            case 2 -> store.stat("cut").size() == cutSize(step);
            case 3 -> store.exists("name " + step);
            default -> !store.exists("name " + (step - 1));
        };
    }

    private static byte[] readSlot(NovaStore store, long slot) throws IOException {
        byte[] bytes = new byte[SLOT];
        try (NovaFile file = store.open("slots")) {
            file.read(slot * SLOT, bytes, 0, SLOT);
        }
        return bytes;
    }

    private static void checkSlots(NovaStore store, long last) throws IOException {
        for (long step = last; step > 0 && step > last - 5L * SLOTS; step--) {
            if (step % 5 == 0) {
                assertEquals(pattern(step), ByteBuffer.wrap(readSlot(store, step / 5 % SLOTS)), "step " + step);
            }
        }
    }

    private static void checkLog(NovaStore store, long last) throws IOException {
        long records = (last + 4) / 5;
        try (NovaFile file = store.open("log")) {
            assertEquals(records * 24, file.size());
            ByteBuffer all = ByteBuffer.allocate((int) file.size());
            file.read(0, all);
            all.flip();
            for (long i = 0; i < records; i++) {
                long step = 5 * i + 1;
                assertEquals(step, all.getLong());
                assertEquals(~step, all.getLong());
                assertEquals(step * 31, all.getLong());
            }
        }
    }

    private static void checkNames(NovaStore store, long last) throws IOException {
        long names = 3; // slots, log, cut
        for (long step = Math.max(1, last - 999); step <= last; step++) {
            if (step % 10 == 4) {
                assertTrue(store.exists("moved " + step % 1000));
                names++;
            }
        }
        if (last % 5 == 3) {
            assertTrue(store.exists("name " + last));
            names++;
        }
        assertEquals(names, store.names().size());
    }
}
