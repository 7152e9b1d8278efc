/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.util.concurrent.atomic.AtomicLong;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;

/**
 * H2's MVStore: a commit per write, without or with a sync of its file; no background thread, no old versions kept, so
 * that space is used again. Keys are page numbers, or running ones for appends.
 */
final class MvStoreSubject implements Subject {
    /** Fill commits now and then, or else all would be in memory. */
    private static final int FILL_COMMIT = 1024;

    private final Conditions conditions;
    private final boolean sync;
    private final MVStore store;
    private final MVMap<Long, byte[]> map;
    private final AtomicLong appended = new AtomicLong();

    MvStoreSubject(Conditions conditions, boolean sync) {
        this.conditions = conditions;
        this.sync = sync;
        store = new MVStore.Builder()
                .fileName(conditions.dir().resolve("mvstore").toString())
                .autoCommitDisabled()
                .open();
        store.setVersionsToKeep(0);
        store.setRetentionTime(0);
        map = store.openMap("pages");
        if (!conditions.appends()) {
            for (long at = 0; at < conditions.size(); at += conditions.unit()) {
                map.put(at, conditions.array());
                if (at / conditions.unit() % FILL_COMMIT == 0) {
                    store.commit();
                }
            }
            store.commit();
        }
    }

    @Override
    public Session session(int thread) {
        byte[] value = conditions.array();
        return new Session() {
            @Override
            long write(long offset) {
                map.put(offset, value);
                commit();
                return offset;
            }

            @Override
            long read(long offset) {
                byte[] found = map.get(offset);
                System.arraycopy(found, 0, value, 0, value.length);
                return value[0];
            }

            @Override
            long append() {
                map.put(appended.getAndIncrement(), value);
                commit();
                return appended.get();
            }
        };
    }

    private void commit() {
        store.commit();
        if (sync) {
            store.sync();
        }
    }

    @Override
    public void reset() {
        if (conditions.appends()) {
            map.clear();
            store.commit();
        }
    }

    @Override
    public void close() {
        store.closeImmediately();
    }
}
