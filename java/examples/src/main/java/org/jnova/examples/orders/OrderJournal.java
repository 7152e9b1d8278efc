/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.examples.orders;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jnova.Durability;
import org.jnova.NovaFile;
import org.jnova.NovaStore;

/**
 * Orders, numbered from 0 as they come, in one file of a pool: each its length in four bytes, then its bytes. An append
 * is atomic, so there is never a part of one to be found or repaired; and nothing has to be flushed.
 */
final class OrderJournal implements AutoCloseable {
    private static final long POOL_BYTES = 256L << 20;
    private static final String FILE = "orders";

    private final NovaStore store;
    private final NovaFile file;
    private final List<Long> starts = new ArrayList<>(); // where each order begins; guarded by this
    private long end; // of the last of them; guarded by this

    /** Finds the orders of a store, which is closed with this. */
    OrderJournal(NovaStore store) throws IOException {
        this.store = store;
        this.file = store.open(FILE, READ, WRITE, CREATE);
        catchUp();
    }

    /**
     * Opens the journal in a pool, and makes what is not there. A process that is killed while it makes the pool leaves a
     * file that is none, and that has to be deleted.
     */
    static OrderJournal open(Path pool) throws IOException {
        NovaStore store = Files.exists(pool) ? NovaStore.open(pool) : NovaStore.create(pool, POOL_BYTES);
        try {
            return new OrderJournal(store);
        } catch (IOException | RuntimeException e) {
            store.close();
            throw e;
        }
    }

    private synchronized void catchUp() throws IOException {
        for (long size = file.size(); end < size; ) {
            long next = end + Integer.BYTES + lengthAt(end);
            starts.add(end);
            end = next;
        }
    }

    private int lengthAt(long at) throws IOException {
        ByteBuffer length = ByteBuffer.allocate(Integer.BYTES);
        file.read(at, length);
        return length.flip().getInt();
    }

    /**
     * Appends an order. When this returns it is durable; if the process dies before, it is there as a whole or not at
     * all.
     *
     * @return its number
     * @throws org.jnova.NoSpaceException if the pool is full
     */
    synchronized int append(byte[] order) throws IOException {
        ByteBuffer entry = ByteBuffer.allocate(Integer.BYTES + order.length);
        entry.putInt(order.length).put(order).flip();
        file.append(entry);
        catchUp(); // from the file: a call that has thrown an Error may have appended an order all the same
        return starts.size() - 1;
    }

    /** An order, if there is one of this number. */
    Optional<byte[]> get(int number) throws IOException {
        long at;
        synchronized (this) {
            if (number < 0 || number >= starts.size()) {
                return Optional.empty();
            }
            at = starts.get(number);
        }
        byte[] order = new byte[lengthAt(at)];
        file.read(at + Integer.BYTES, order, 0, order.length);
        return Optional.of(order);
    }

    synchronized int size() {
        return starts.size();
    }

    /** What an order survives once it is appended. */
    Durability durability() throws IOException {
        return store.info().durability();
    }

    /** Only spares the next start a recovery: a process that is killed loses nothing. */
    @Override
    public void close() throws IOException {
        store.close();
    }
}
