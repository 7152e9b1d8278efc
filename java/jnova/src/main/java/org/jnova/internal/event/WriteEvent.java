/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.event;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Threshold;

/** A write or append that took long: to wait for its turn, to copy, or to persist. */
@Name("org.jnova.Write")
@Label("Write")
@Description("A write or append to a file of a store, of at least the threshold's duration")
@Category("JNova")
@Threshold("10 ms")
public final class WriteEvent extends Event {
    @Label("File")
    String file;

    @Label("Position")
    @DataAmount
    long position;

    @Label("Length")
    @DataAmount
    long length;

    private WriteEvent() {}

    /** Begins one, or returns null if nobody records any. */
    static WriteEvent started() {
        WriteEvent event = new WriteEvent();
        if (!event.isEnabled()) {
            return null;
        }
        event.begin();
        return event;
    }

    /** The call has succeeded. */
    public void ended(String label, long at, long bytes) {
        end();
        if (shouldCommit()) {
            file = label;
            position = at;
            length = bytes;
            commit();
        }
    }
}
