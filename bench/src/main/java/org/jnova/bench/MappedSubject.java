/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;

/** A file mapped by the JDK, in windows, since a buffer holds at most 2 GiB. With force, of the bytes put alone. */
final class MappedSubject implements Subject {
    private static final long WINDOW_LEN = 1L << 30;

    private final Conditions conditions;
    private final boolean force;
    private final MappedByteBuffer[] windows;

    MappedSubject(Conditions conditions, boolean force) throws IOException {
        this.conditions = conditions;
        this.force = force;
        long size = conditions.size();
        windows = new MappedByteBuffer[Math.toIntExact((size + WINDOW_LEN - 1) / WINDOW_LEN)];
        try (FileChannel channel = ChannelSubject.fill(conditions.dir().resolve("mapped"), size)) {
            for (int i = 0; i < windows.length; i++) {
                long from = i * WINDOW_LEN;
                windows[i] =
                        channel.map(FileChannel.MapMode.READ_WRITE, from, Math.min(WINDOW_LEN, size - from));
                windows[i].load();
            }
        }
    }

    @Override
    public Session session(int thread) {
        ByteBuffer buffer = conditions.direct();
        int unit = conditions.unit();
        return new Session() {
            @Override
            long write(long offset) {
                MappedByteBuffer window = windows[(int) (offset / WINDOW_LEN)];
                int at = (int) (offset % WINDOW_LEN);
                window.put(at, buffer, 0, unit);
                if (force) {
                    window.force(at, unit);
                }
                return at;
            }

            @Override
            long read(long offset) {
                int at = (int) (offset % WINDOW_LEN);
                buffer.put(0, windows[(int) (offset / WINDOW_LEN)], at, unit);
                return buffer.get(at & unit - 1); // the copy must happen
            }
        };
    }

    @Override
    public void close() {} // the mappings end with the JVM
}
