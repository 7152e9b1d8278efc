/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.event;

import jdk.jfr.FlightRecorder;

/**
 * Begins events of the Java Flight Recorder. As long as it has not been started in this process, that is a look at one
 * static field, and the classes of the events are not initialised: that takes longer than to open a pool.
 */
public final class FlightEvents {
    private FlightEvents() {}

    /** The event of a write that begins, or null if nobody records any. */
    public static WriteEvent write() {
        return FlightRecorder.isInitialized() ? WriteEvent.started() : null;
    }

    /** The event of an opening that begins, or null. */
    public static RecoveryEvent recovery() {
        return FlightRecorder.isInitialized() ? RecoveryEvent.started() : null;
    }

    /** The event of cleaning a log, which begins, or null. */
    public static CleaningEvent cleaning() {
        return FlightRecorder.isInitialized() ? CleaningEvent.started() : null;
    }

    /** The event of a replay of what faults have committed, or null. */
    public static FaultBatchEvent faultBatch() {
        return FlightRecorder.isInitialized() ? FaultBatchEvent.started() : null;
    }
}
