/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.SplittableRandom;

/**
 * A system that is measured: opened in an empty folder and filled. Of one thread's calls each session has the few that
 * its system knows; the others throw.
 */
interface Subject extends AutoCloseable {
    /** The calls of one thread. */
    abstract class Session {
        /** Replaces the unit of bytes at an offset, which is a multiple of the unit. */
        long write(long offset) throws Exception {
            throw new UnsupportedOperationException();
        }

        long read(long offset) throws Exception {
            throw new UnsupportedOperationException();
        }

        /** Appends one unit. */
        long append() throws Exception {
            throw new UnsupportedOperationException();
        }

        /** Makes the small file of that number, writes a unit, and closes it. */
        void create(long number) throws Exception {
            throw new UnsupportedOperationException();
        }

        /** Renames one file to and fro. */
        void rename() throws Exception {
            throw new UnsupportedOperationException();
        }

        /** Opens a file and closes it. */
        void open() throws Exception {
            throw new UnsupportedOperationException();
        }
    }

    /** The session of a thread: on the file of that number modulo {@link Conditions#files}. */
    Session session(int thread) throws Exception;

    /** Before each iteration, outside the time: cuts off what was appended, deletes small files. */
    default void reset() throws Exception {}

    @Override
    void close() throws Exception;

    /**
     * What a subject is opened for.
     *
     * @param dir an empty folder of its own, deleted afterwards
     * @param size bytes of each file or store that is filled ahead
     * @param files how many of them, if the system has files
     */
    record Conditions(Workload workload, Path dir, long size, int files) {
        int unit() {
            return workload.unit;
        }

        boolean appends() {
            return workload.call == Workload.Call.APPEND;
        }

        /** A direct buffer of one unit, not of zeros. */
        ByteBuffer direct() {
            ByteBuffer buffer = ByteBuffer.allocateDirect(unit());
            return buffer.put(0, array());
        }

        byte[] array() {
            byte[] bytes = new byte[unit()];
            new SplittableRandom(SEED).nextBytes(bytes);
            return bytes;
        }
    }

    /** Of all that is random. */
    int SEED = 42;
}
