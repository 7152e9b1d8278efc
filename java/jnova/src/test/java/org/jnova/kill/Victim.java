/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.kill;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.ClosedFileSystemException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jnova.CheckReport;
import org.jnova.NovaStore;
import org.jnova.TestPools;

/**
 * The program that is killed. It opens the pool, checks all that is in it, and writes with several threads; closes
 * it, sometimes under the feet of the writers; and begins anew, until it is killed. It says what it does and what it
 * has completed.
 *
 * <p>Arguments: the pool, the seed of its workload, the seed of this process, what is known of the pool (a {@link
 * Workload.Last}), and for each thread the number of calls that it is known to have completed.
 */
final class Victim {
    private static final FileOutputStream OUT = new FileOutputStream(FileDescriptor.out);

    private final Path pool;
    private final Workload workload;
    private final SplittableRandom random;
    private Workload.Last last;
    private long[] acknowledged;
    private boolean exact;

    private Victim(String[] args) {
        pool = Path.of(args[0]);
        workload = new Workload(Long.parseLong(args[1]));
        random = new SplittableRandom(Long.parseLong(args[2]));
        last = Workload.Last.valueOf(args[3]);
        acknowledged = Arrays.stream(args).skip(4).mapToLong(Long::parseLong).toArray();
    }

    public static void main(String[] args) throws IOException {
        try {
            Victim victim = new Victim(args);
            while (true) {
                victim.checkAndWrite();
            }
        } catch (Throwable e) { // whatever it is, the other process has to know
            e.printStackTrace();
            say("failed " + e);
            System.exit(1);
        }
    }

    /** One line. A pipe takes that as a whole, in one write, from any number of threads. */
    private static void say(String line) throws IOException {
        OUT.write((line.replace('\n', ' ') + "\n").getBytes(StandardCharsets.UTF_8));
    }

    private void checkAndWrite() throws IOException, InterruptedException {
        CheckReport inspected = Workload.inspect(pool, last);
        say("opening");
        long start = System.nanoTime();
        NovaStore store = NovaStore.open(pool, TestPools.EMULATED);
        say("opened " + (System.nanoTime() - start));
        workload.check(store, inspected, last, acknowledged, exact);
        for (Writer writer : workload.writers()) {
            say("found " + writer.thread + " " + writer.done());
        }
        write(store);
        last = Workload.Last.CLOSED;
        acknowledged = workload.done();
    }

    /** Lets all threads write for a while, and closes the store: after they have stopped, or while they go on. */
    private void write(NovaStore store) throws IOException, InterruptedException {
        exact = random.nextBoolean();
        AtomicInteger budget = new AtomicInteger(1 << (4 + random.nextInt(9)));
        CountDownLatch enough = new CountDownLatch(1);
        List<Thread> threads = new ArrayList<>();
        for (Writer writer : workload.writers()) {
            Thread thread = new Thread(() -> run(writer, store, budget, enough));
            thread.start();
            threads.add(thread);
        }
        enough.await();
        if (exact) {
            join(threads);
        }
        say("closing");
        long start = System.nanoTime();
        store.close();
        say("closed " + (System.nanoTime() - start));
        join(threads);
    }

    private static void join(List<Thread> threads) throws InterruptedException {
        for (Thread thread : threads) {
            thread.join();
        }
    }

    private void run(Writer writer, NovaStore store, AtomicInteger budget, CountDownLatch enough) {
        try {
            Target files = writer.files(store);
            while (budget.decrementAndGet() >= 0 || !exact) {
                if (budget.get() <= 0) {
                    enough.countDown();
                }
                Target.Call call = writer.next();
                call.on(files);
                writer.completed(call);
                say(writer.thread + " " + writer.done());
            }
        } catch (ClosedChannelException | ClosedFileSystemException e) {
            // closed under its feet; whether the call happened shows at the next check
        } catch (InternalError e) { // the same, of a store through a mapping
            if (store.isOpen()) {
                fail(e);
            }
        } catch (Throwable e) {
            fail(e);
        } finally {
            enough.countDown();
        }
    }

    private static void fail(Throwable e) {
        e.printStackTrace();
        try {
            say("failed " + e);
        } catch (IOException broken) {
            // the other process is gone
        }
        Runtime.getRuntime().halt(1);
    }
}
