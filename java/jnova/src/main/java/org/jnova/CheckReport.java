/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/**
 * What a check of a pool found, or a repair found and left. Block counts are of the data area, in blocks of 4 KiB; used
 * and free ones add up to the total.
 *
 * @param pool the pool file
 * @param clean whether the pool was closed in order; not so after repairs that make the next opening scan the logs
 * @param errors findings that are damage
 * @param warnings findings that are harmless: leftovers that the next recovery clears
 * @param repaired findings that a repair has put right; 0 after a mere check
 * @param inodes inodes checked
 * @param entries log entries checked
 * @param blocksUsed blocks in use
 * @param blocksFree free blocks
 * @param blocksTotal blocks in all
 * @param bytes sum of file sizes
 * @param findings all findings, in the order found
 */
public record CheckReport(
        Path pool,
        boolean clean,
        long errors,
        long warnings,
        long repaired,
        long inodes,
        long entries,
        long blocksUsed,
        long blocksFree,
        long blocksTotal,
        long bytes,
        List<Finding> findings) {

    /**
     * Copies the list.
     *
     * @param pool the pool file
     * @param clean whether the pool had been closed in order
     * @param errors findings that are damage
     * @param warnings findings that are harmless
     * @param repaired findings that were put right
     * @param inodes inodes checked
     * @param entries log entries checked
     * @param blocksUsed blocks in use
     * @param blocksFree free blocks
     * @param blocksTotal blocks in all
     * @param bytes sum of file sizes
     * @param findings all findings
     */
    public CheckReport {
        findings = List.copyOf(findings);
    }

    /** {@return whether there is no damage left} */
    public boolean ok() {
        return errors == 0;
    }

    /** How bad a finding is. */
    public enum Severity {
        /** Damage. */
        ERROR,
        /** A harmless oddity. */
        WARNING,
        /** Damage, or a harmless oddity, that is no longer there. */
        REPAIRED
    }

    /**
     * One finding.
     *
     * @param severity how bad
     * @param structure the kind of structure concerned
     * @param poolOffset its byte offset in the pool file, if it has a place
     * @param text what is wrong, one sentence
     */
    public record Finding(Severity severity, String structure, OptionalLong poolOffset, String text) {}
}
