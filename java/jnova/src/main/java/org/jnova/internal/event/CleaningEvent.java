/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.event;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** A call that made a log longer cleans it. */
@Name("org.jnova.Cleaning")
@Label("Cleaning")
@Description("A call that has made a log longer takes out of it what no longer counts")
@Category("JNova")
public final class CleaningEvent extends Event {
    @Label("File")
    String file;

    @Label("Pages Before")
    @Description("Pages of the log")
    int pagesBefore;

    @Label("Pages After")
    int pagesAfter;

    private CleaningEvent() {}

    /** Begins one, or returns null if nobody records any. */
    static CleaningEvent started() {
        CleaningEvent event = new CleaningEvent();
        if (!event.isEnabled()) {
            return null;
        }
        event.begin();
        return event;
    }

    /** The log is as short as it is to be, or the rest is left for another call. */
    public void ended(String label, int before, int after) {
        end();
        if (shouldCommit()) {
            file = label;
            pagesBefore = before;
            pagesAfter = after;
            commit();
        }
    }
}
