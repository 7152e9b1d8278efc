/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

/**
 * What is measured: one line of the report.
 *
 * @param size bytes filled ahead
 * @param files that the threads share; as many as threads, or one
 */
record Row(Workload workload, Contender contender, int threads, int files, long size, FileSystemInfo fs) {
    /** What --only is matched against. */
    String name() {
        return workload.label + ' ' + contender.label + ' ' + threadsLabel() + ' ' + sizeLabel(size) + ' ' + fs.label();
    }

    String threadsLabel() {
        return threads == 1 ? "1" : threads + (files == 1 ? " same file" : " different files");
    }

    static String sizeLabel(long bytes) {
        return bytes >= 1 << 30 ? (bytes >> 30) + "G" : (bytes >> 20) + "M";
    }
}
