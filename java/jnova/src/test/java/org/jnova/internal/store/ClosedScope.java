/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;

import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.jnova.NovaFile;
import org.jnova.NovaStore;
import org.jnova.TestPools;

/**
 * The program of {@link SourceMemoryTest}: writes from memory of a scope of JDK 17 that it closes then. By reflection,
 * since the module incubates there and is gone from later ones.
 *
 * <p>Argument: where to make a pool. It prints a line for each size whose last write fails as it does in Java.
 */
public final class ClosedScope {
    static final int[] SIZES = {64, 4 << 20}; // much memory is given back to the host at once

    private ClosedScope() {}

    public static void main(String[] args) throws Exception {
        Class<?> scopeType = Class.forName("jdk.incubator.foreign.ResourceScope");
        Class<?> segmentType = Class.forName("jdk.incubator.foreign.MemorySegment");
        Method allocate = segmentType.getMethod("allocateNative", long.class, scopeType);
        try (NovaStore store = NovaStore.create(Path.of(args[0]), 64 << 20, TestPools.EMULATED);
                NovaFile file = store.open("f", CREATE, WRITE)) {
            for (int size : SIZES) {
                Object scope = scopeType.getMethod("newSharedScope").invoke(null);
                Object segment = allocate.invoke(null, 4L << 20, scope);
                ByteBuffer bytes = (ByteBuffer) segmentType.getMethod("asByteBuffer").invoke(segment);
                for (int i = 0; i < 3; i++) { // it is known then
                    file.write(0, bytes.clear().limit(size));
                }
                scopeType.getMethod("close").invoke(scope);
                try {
                    file.write(0, bytes.clear().limit(size));
                } catch (IllegalStateException e) {
                    System.out.println("a write of " + size + " bytes fails");
                }
            }
        }
    }
}
