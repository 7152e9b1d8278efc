/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.event;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;
import org.jnova.StoreInfo;

/** The opening of a pool that had not been closed in order. */
@Name("org.jnova.Recovery")
@Label("Recovery")
@Description("The opening of a pool that was not closed in order, and whose logs were scanned")
@Category("JNova")
@StackTrace(false)
public final class RecoveryEvent extends Event {
    @Label("Pool")
    String pool;

    @Label("Scan")
    @Description("Time of finding the state of the pool; the rest of the duration is mapping and the root directory")
    @Timespan
    long scan;

    @Label("Logs Read")
    long inodes;

    @Label("Orphans Released")
    long orphans;

    private RecoveryEvent() {}

    /** Begins one, or returns null if nobody records any. */
    static RecoveryEvent started() {
        RecoveryEvent event = new RecoveryEvent();
        if (!event.isEnabled()) {
            return null;
        }
        event.begin();
        return event;
    }

    /** The pool is open. */
    public void ended(StoreInfo info) {
        end();
        if (info.recovered() && shouldCommit()) {
            pool = info.pool().toString();
            scan = info.recoveryTime().toNanos();
            inodes = info.recoveredInodes();
            orphans = info.recoveredOrphans();
            commit();
        }
    }
}
