/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** What all benchmarks share: where their files are, the random pages they touch, and the caller's buffers. */
@State(Scope.Thread)
public class BenchState {
    static final int PAGE_LEN = 4096;
    static final int RECORD_LEN = 128;
    private static final int ORDER_LEN = 1 << 20;

    /** Folder of the files, on the file system to be measured. */
    @Param("/dev/shm")
    public String dir;

    /** Bytes of the file that is read and overwritten. */
    @Param("67108864")
    public long workingSet;

    final ByteBuffer direct = ByteBuffer.allocateDirect(PAGE_LEN);
    final ByteBuffer heap = ByteBuffer.allocate(PAGE_LEN);
    final byte[] array = new byte[PAGE_LEN];
    final ByteBuffer record = ByteBuffer.allocateDirect(RECORD_LEN);

    private final int[] order = new int[ORDER_LEN];
    private int next;

    /** Draws the pages ahead, the same ones for every benchmark, so that no generator is timed. */
    @Setup(Level.Trial)
    public void drawPages() {
        SplittableRandom random = new SplittableRandom(42);
        int pages = Math.toIntExact(workingSet / PAGE_LEN);
        for (int i = 0; i < ORDER_LEN; i++) {
            order[i] = random.nextInt(pages);
        }
        random.nextBytes(array);
        heap.put(0, array);
        direct.put(0, array);
        record.put(0, array, 0, RECORD_LEN);
    }

    /** Byte offset of the next random page. */
    long nextOffset() {
        next = next + 1 & ORDER_LEN - 1;
        return (long) order[next] * PAGE_LEN;
    }

    Path file(String name) {
        return Path.of(dir, "jnova-bench-" + ProcessHandle.current().pid() + "-" + name);
    }

    /** A buffer of the length of the working set, not of zeros, to fill a file with. */
    ByteBuffer content() {
        ByteBuffer content = ByteBuffer.allocateDirect(Math.toIntExact(workingSet));
        for (int at = 0; at < content.capacity(); at += PAGE_LEN) {
            content.put(at, array);
        }
        return content;
    }
}
