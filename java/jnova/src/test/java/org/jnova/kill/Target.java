/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.kill;

import java.io.IOException;

/** What a writer's calls change: files of a pool, or a model of them in memory. */
interface Target {
    void write(String name, int at, byte[] bytes) throws IOException;

    /** Writes through a mapping; done in part if the process dies meanwhile. */
    default void store(String name, int at, byte[] bytes, boolean force) throws IOException {
        throw new UnsupportedOperationException();
    }

    default void punchHole(String name, int at, int length) throws IOException {
        throw new UnsupportedOperationException();
    }

    void append(String name, byte[] bytes) throws IOException;

    /** One call on a target: wholly done or not at all, unless it stores. */
    interface Call {
        void on(Target target) throws IOException;
    }

    /** A target whose files are one thread's own, so that it can do everything with them. */
    interface Own extends Target {
        /** Makes an empty file. There is none of that name. */
        void create(String name) throws IOException;

        void setSize(String name, int size) throws IOException;

        /** Makes bytes zeros; the size stays. */
        void punch(String name, int at, int length) throws IOException;

        /** Removes bytes. */
        void collapse(String name, int at, int length) throws IOException;

        /** Inserts zeros. */
        void insert(String name, int at, int length) throws IOException;

        /** Gives bytes blocks; the size stays, or grows to their end. */
        void allocate(String name, int at, int length, boolean keepSize) throws IOException;

        /** Moves its blocks together; changes nothing. */
        void defragment(String name) throws IOException;

        /** Copies as many of the bytes as there are. */
        void copy(String from, int at, String to, int toAt, int length) throws IOException;

        /** Sets mode and owner. */
        void setOwner(String name, int mode, long uid) throws IOException;

        /** Sets an extended attribute. */
        void setAttribute(String name, String attribute, byte[] value) throws IOException;

        /** Removes an extended attribute that is there. */
        void removeAttribute(String name, String attribute) throws IOException;

        /** Renames, replacing the file that has the new name, if any. */
        void rename(String from, String to) throws IOException;

        void delete(String name) throws IOException;
    }

    /** One call on a thread's own files. */
    interface OwnCall extends Call {
        void onOwn(Own target) throws IOException;

        @Override
        default void on(Target target) throws IOException {
            onOwn((Own) target);
        }
    }
}
