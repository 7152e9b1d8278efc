/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.kill;

import java.io.IOException;

/** What a writer's calls change: files of a pool, or a model of them in memory. */
interface Target {
    /** Makes an empty file. There is none of that name. */
    void create(String name) throws IOException;

    void write(String name, int at, byte[] bytes) throws IOException;

    /** Writes through a mapping; done in part if the process dies meanwhile. */
    default void store(String name, int at, byte[] bytes, boolean force) throws IOException {
        throw new UnsupportedOperationException();
    }

    default void punchHole(String name, int at, int length) throws IOException {
        throw new UnsupportedOperationException();
    }

    void append(String name, byte[] bytes) throws IOException;

    void setSize(String name, int size) throws IOException;

    /** Renames, replacing the file that has the new name, if any. */
    void rename(String from, String to) throws IOException;

    void delete(String name) throws IOException;

    /** One call on a target: wholly done or not at all, unless it stores. */
    interface Call {
        void on(Target target) throws IOException;
    }
}
