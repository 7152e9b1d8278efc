/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

/**
 * How a pool persists what is written to it, and so what a call that returned survives. A fact of the open store,
 * never a wish.
 */
public enum Durability {
    /** Persistent memory through DAX: cache-line write-back and fence. Survives power failure. */
    PMEM,
    /**
     * The same instructions on volatile memory: on tmpfs always, elsewhere as asked for by
     * {@link StoreOptions.Builder#emulated}. Survives a crash of the process, not of the machine.
     */
    EMULATED,
    /** Page cache of an ordinary file system, made durable with msync. Survives power failure, slowly. */
    MSYNC
}
