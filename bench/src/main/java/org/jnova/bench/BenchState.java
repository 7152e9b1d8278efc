/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** What benchmarks of names share: where their pool is, and the caller's page. */
@State(Scope.Thread)
public class BenchState {
    static final int PAGE_LEN = 4096;

    /** Folder of the files, on the file system to be measured. */
    @Param("/dev/shm")
    public String dir;

    final ByteBuffer direct = ByteBuffer.allocateDirect(PAGE_LEN);

    Path file(String name) {
        return Path.of(dir, "jnova-bench-" + ProcessHandle.current().pid() + "-" + name);
    }
}
