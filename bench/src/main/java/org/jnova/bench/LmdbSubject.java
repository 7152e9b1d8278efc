/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import org.lmdbjava.Dbi;
import org.lmdbjava.DbiFlags;
import org.lmdbjava.Env;
import org.lmdbjava.EnvFlags;
import org.lmdbjava.PutFlags;
import org.lmdbjava.Txn;

/**
 * LMDB: a transaction per write, a renewed one per read, direct buffers. Keys are page numbers, or running ones for
 * appends (MDB_APPEND). Without sync MDB_NOSYNC: the kernel gets all pages, in no order, so that a failure of the
 * machine may damage the database.
 */
final class LmdbSubject implements Subject {
    private static final long ROOM = 4L << 30;

    private final Conditions conditions;
    private final Env<ByteBuffer> env;
    private final Dbi<ByteBuffer> dbi;
    private final AtomicLong appended = new AtomicLong();

    LmdbSubject(Conditions conditions, boolean sync) {
        this.conditions = conditions;
        EnvFlags[] flags = sync ? new EnvFlags[0] : new EnvFlags[] {EnvFlags.MDB_NOSYNC};
        env = Env.create()
                .setMapSize(2 * conditions.size() + ROOM)
                .setMaxDbs(1)
                .open(conditions.dir().toFile(), flags);
        dbi = env.openDbi("pages", DbiFlags.MDB_CREATE);
        if (!conditions.appends()) {
            ByteBuffer key = ByteBuffer.allocateDirect(Long.BYTES);
            ByteBuffer value = conditions.direct();
            try (Txn<ByteBuffer> txn = env.txnWrite()) {
                for (long at = 0; at < conditions.size(); at += conditions.unit()) {
                    dbi.put(txn, key.putLong(0, at), value, PutFlags.MDB_APPEND);
                }
                txn.commit();
            }
        }
    }

    @Override
    public Session session(int thread) {
        Txn<ByteBuffer> reader = env.txnRead();
        reader.reset();
        ByteBuffer key = ByteBuffer.allocateDirect(Long.BYTES);
        ByteBuffer value = conditions.direct();
        return new Session() {
            @Override
            long write(long offset) {
                try (Txn<ByteBuffer> txn = env.txnWrite()) {
                    dbi.put(txn, key.putLong(0, offset), value);
                    txn.commit();
                }
                return offset;
            }

            @Override
            long read(long offset) {
                reader.renew();
                ByteBuffer found = dbi.get(reader, key.putLong(0, offset));
                value.put(0, found, 0, value.capacity());
                reader.reset();
                return value.get(0);
            }

            @Override
            long append() {
                try (Txn<ByteBuffer> txn = env.txnWrite()) {
                    dbi.put(txn, key.putLong(0, appended.getAndIncrement()), value, PutFlags.MDB_APPEND);
                    txn.commit();
                }
                return appended.get();
            }
        };
    }

    @Override
    public void reset() {
        if (conditions.appends()) {
            try (Txn<ByteBuffer> txn = env.txnWrite()) {
                dbi.drop(txn);
                txn.commit();
            }
        }
    }

    @Override
    public void close() {} // with the JVM: sessions still have transactions
}
