/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.event;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** The index takes in what page faults of a mapped file have committed. No thread of the JVM serves a fault. */
@Name("org.jnova.FaultBatch")
@Label("Fault Batch")
@Description("The index of a mapped file has caught up with what page faults had committed to its log")
@Category("JNova")
@StackTrace(false)
public final class FaultBatchEvent extends Event {
    @Label("File")
    String file;

    @Label("Commits")
    long commits;

    private FaultBatchEvent() {}

    /** Begins one, or returns null if nobody records any. */
    static FaultBatchEvent started() {
        FaultBatchEvent event = new FaultBatchEvent();
        if (!event.isEnabled()) {
            return null;
        }
        event.begin();
        return event;
    }

    /** The index has them. */
    public void ended(String label, long count) {
        end();
        if (shouldCommit()) {
            file = label;
            commits = count;
            commit();
        }
    }
}
