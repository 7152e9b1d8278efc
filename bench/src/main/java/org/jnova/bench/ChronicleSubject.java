/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.io.IOException;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.queue.ChronicleQueue;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import net.openhft.chronicle.wire.DocumentContext;

/**
 * Chronicle Queue as it comes, a new queue for every iteration: a document per append, in a mapped file; with sync that
 * is forced by {@code ExcerptAppender.sync()}.
 */
final class ChronicleSubject implements Subject {
    private final Conditions conditions;
    private final boolean sync;
    private ChronicleQueue queue;
    private int queues;

    ChronicleSubject(Conditions conditions, boolean sync) {
        this.conditions = conditions;
        this.sync = sync;
    }

    @Override
    public Session session(int thread) {
        Bytes<?> bytes = Bytes.allocateDirect(conditions.array());
        return new Session() {
            private ChronicleQueue current;
            private ExcerptAppender appender;

            @Override
            long append() {
                if (current != queue) {
                    current = queue;
                    appender = current.createAppender();
                }
                try (DocumentContext document = appender.writingDocument()) {
                    document.wire().bytes().write(bytes);
                }
                if (sync) {
                    appender.sync();
                }
                return queues;
            }
        };
    }

    @Override
    public void reset() throws IOException {
        close();
        if (queues > 0) {
            Scratch.delete(conditions.dir().resolve("queue" + queues));
        }
        queue = SingleChronicleQueueBuilder.single(
                        conditions.dir().resolve("queue" + ++queues).toString())
                .build();
    }

    @Override
    public void close() {
        if (queue != null) {
            queue.close();
        }
    }
}
