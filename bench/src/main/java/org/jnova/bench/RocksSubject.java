/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import org.rocksdb.CompressionType;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteOptions;

/**
 * RocksDB as it comes, but without compression, since the contents are random: a put with its log (WAL), with or without
 * sync, and direct buffers. Keys are page numbers, or running ones for appends. What appends leave is compacted by its
 * own threads.
 */
final class RocksSubject implements Subject {
    private final Conditions conditions;
    private final Options options = new Options().setCreateIfMissing(true);
    private final WriteOptions writes = new WriteOptions();
    private final ReadOptions reads = new ReadOptions();
    private final RocksDB db;
    private final AtomicLong appended = new AtomicLong();

    RocksSubject(Conditions conditions, boolean sync) throws RocksDBException {
        this.conditions = conditions;
        options.setCompressionType(CompressionType.NO_COMPRESSION);
        db = RocksDB.open(options, conditions.dir().toString());
        if (!conditions.appends()) {
            ByteBuffer key = ByteBuffer.allocateDirect(Long.BYTES);
            ByteBuffer value = conditions.direct();
            for (long at = 0; at < conditions.size(); at += conditions.unit()) {
                db.put(writes, key.clear().putLong(0, at), value.clear());
            }
        }
        writes.setSync(sync);
    }

    @Override
    public Session session(int thread) {
        ByteBuffer key = ByteBuffer.allocateDirect(Long.BYTES);
        ByteBuffer value = conditions.direct();
        return new Session() {
            @Override
            long write(long offset) throws RocksDBException {
                db.put(writes, key.clear().putLong(0, offset), value.clear());
                return offset;
            }

            @Override
            long read(long offset) throws RocksDBException {
                return db.get(reads, key.clear().putLong(0, offset), value.clear());
            }

            @Override
            long append() throws RocksDBException {
                db.put(writes, key.clear().putLong(0, appended.getAndIncrement()), value.clear());
                return appended.get();
            }
        };
    }

    @Override
    public void close() {
        db.close();
        writes.close();
        reads.close();
        options.close();
    }
}
