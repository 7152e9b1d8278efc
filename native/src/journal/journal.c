/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/journal.h"

#include <sched.h>
#include <string.h>

#include "util/lock_rank.h"

uint32_t journal_records(const struct media *m) {
    return m->journal_count * (NOVA_BLOCK_SIZE / FMT_JOURNAL_RECORD);
}

struct fmt_journal *journal_record(const struct media *m, uint32_t i) {
    return (struct fmt_journal *)(void *)(media_blk(m, m->journal_blk) + (size_t)i * FMT_JOURNAL_RECORD);
}

void journal_init(struct journal *j, const struct media *m) {
    j->m = m;
    j->lanes_n = journal_records(m) < JOURNAL_LANES ? journal_records(m) : JOURNAL_LANES;
    j->broken = 0;
    for (uint32_t i = 0; i < JOURNAL_LANES; i++) {
        pthread_mutex_init(&j->lanes[i].lock, NULL);
        j->lanes[i].used = false;
    }
}

void journal_destroy(struct journal *j) {
    for (uint32_t i = 0; i < JOURNAL_LANES; i++)
        pthread_mutex_destroy(&j->lanes[i].lock);
}

/* ---- commit ---- */

static void put_record(const struct media *m, struct fmt_journal *at, const struct log_batch *b, uint32_t n) {
    struct fmt_journal rec = {.magic = FMT_JOURNAL_MAGIC, .count = n};
    for (uint32_t i = 0; i < n; i++) {
        const struct log *log = b[i].log;
        rec.moves[i] = (struct fmt_move){log->ino, log->gen, log->slot->tail, log_batch_tail(&b[i])};
    }
    fmt_journal_seal(m, &rec);
    m->ops->copy(m->ops, at, &rec, sizeof rec);
}

/* Steps 3 to 6. 0 or an errno. */
static int commit_in_lane(struct journal *j, uint32_t lane, struct log_batch *b, uint32_t n) {
    const struct pmem_ops *ops = j->m->ops;
    j->lanes[lane].used = true;
    put_record(j->m, journal_record(j->m, lane), b, n);
    int os = ops->drain(ops);
    if (os != 0)
        return os;
    for (uint32_t i = 0; i < n; i++)
        log_batch_store_tail(&b[i]);
    return ops->drain(ops);
}

void journal_rollback(struct log_batch *b, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        log_rollback(&b[i]);
}

int journal_commit(struct journal *j, struct log_batch *b, uint32_t n, struct nova_error *err) {
    if (n == 1)
        return log_commit(&b[0], err);
    const struct pmem_ops *ops = j->m->ops;
    for (uint32_t i = 0; i < n; i++) /* redo looks for the tails before */
        if (b[i].log->tail_lags)
            ops->flush(ops, &b[i].log->slot->tail, sizeof b[i].log->slot->tail);
    int os = ops->drain(ops);
    if (os != 0) {
        journal_rollback(b, n);
        return nova_fail_os(err, NOVA_EOS, os, "cannot persist the pool; nothing was committed");
    }
    int cpu = sched_getcpu();
    uint32_t lane = cpu < 0 ? 0 : (uint32_t)cpu % j->lanes_n;
    ranked_lock(&j->lanes[lane].lock, RANK_JOURNAL);
    if (__atomic_load_n(&j->broken, __ATOMIC_RELAXED)) { /* the lane's record must stay; no later drain succeeds */
        ranked_unlock(&j->lanes[lane].lock, RANK_JOURNAL);
        journal_rollback(b, n);
        return nova_fail(err, NOVA_EOS, "cannot persist the pool any more; nothing was committed");
    }
    os = commit_in_lane(j, lane, b, n);
    if (os != 0)
        __atomic_store_n(&j->broken, 1, __ATOMIC_RELAXED);
    ranked_unlock(&j->lanes[lane].lock, RANK_JOURNAL);
    for (uint32_t i = 0; i < n; i++)
        log_batch_end(&b[i]);
    if (os == 0)
        return NOVA_OK;
    return nova_fail_os(err, NOVA_EOS, os, "cannot persist the pool; close it and open it again to see its state");
}

static bool names(const struct fmt_journal *rec, uint32_t ino) {
    for (uint32_t i = 0; i < FMT_JOURNAL_MOVES; i++)
        if (rec->moves[i].ino == ino)
            return true;
    return false;
}

/* Makes it no record, by one store: checksum and magic. */
static void invalidate(const struct media *m, struct fmt_journal *rec) {
    m->ops->store8(m->ops, rec, 0);
    m->ops->flush(m->ops, rec, sizeof(uint64_t));
}

int journal_forget(struct journal *j, uint32_t ino, struct nova_error *err) {
    bool broken = false;
    for (uint32_t i = 0; i < j->lanes_n && !broken; i++) {
        struct fmt_journal *rec = journal_record(j->m, i);
        ranked_lock(&j->lanes[i].lock, RANK_JOURNAL);
        broken = __atomic_load_n(&j->broken, __ATOMIC_RELAXED);
        if (!broken && j->lanes[i].used && rec->magic == FMT_JOURNAL_MAGIC && names(rec, ino))
            invalidate(j->m, rec);
        ranked_unlock(&j->lanes[i].lock, RANK_JOURNAL);
    }
    return broken ? nova_fail(err, NOVA_EOS, "cannot persist the pool any more") : NOVA_OK;
}

void journal_clear(struct journal *j) {
    const struct pmem_ops *ops = j->m->ops;
    if (__atomic_load_n(&j->broken, __ATOMIC_RELAXED))
        return;
    for (uint32_t i = 0; i < JOURNAL_LANES; i++)
        if (j->lanes[i].used) {
            ops->zero(ops, journal_record(j->m, i), FMT_JOURNAL_RECORD);
            j->lanes[i].used = false;
        }
}

/* ---- recovery ---- */

int journal_settle(const struct media *m) {
    bool any = false;
    for (uint32_t i = 0; i < journal_records(m); i++) {
        const struct fmt_journal *rec = journal_record(m, i);
        if (!fmt_journal_ok(m, rec))
            continue;
        m->ops->flush(m->ops, rec, sizeof *rec);
        any = true;
    }
    return any ? m->ops->drain(m->ops) : 0;
}

/* Whether the record had something left to do. */
static bool redo(const struct media *m, const struct fmt_journal *rec, journal_slot *slot, const void *table) {
    bool pending = false;
    for (uint32_t i = 0; i < rec->count; i++) {
        const struct fmt_move *move = &rec->moves[i];
        struct fmt_inode *inode = slot(table, move->ino);
        if (inode == NULL || !fmt_inode_ok(m, inode, move->ino) || inode->gen != move->gen)
            continue;
        if (inode->tail == move->from) {
            m->ops->store8(m->ops, &inode->tail, move->to);
            pending = true;
        }
        m->ops->flush(m->ops, &inode->tail, sizeof inode->tail);
    }
    return pending;
}

int journal_redo(const struct media *m, journal_slot *slot, const void *table, uint64_t *redone) {
    bool any = false;
    *redone = 0;
    for (uint32_t i = 0; i < journal_records(m); i++) {
        const struct fmt_journal *rec = journal_record(m, i);
        if (!fmt_journal_ok(m, rec))
            continue;
        any = true;
        *redone += redo(m, rec, slot, table);
    }
    return any ? m->ops->drain(m->ops) : 0;
}

static struct fmt_inode *table_slot(const void *table, uint32_t ino) {
    return itable_slot(table, ino);
}

/*
 * Makes what is there no records, durably, before it becomes zeros: half a record over an older one could turn whole
 * while it is cleared, and end a transaction that this recovery has taken for not committed.
 */
static int clear_all(const struct media *m) {
    static const struct fmt_journal nothing;
    const struct pmem_ops *ops = m->ops;
    bool any = false;
    for (uint32_t i = 0; i < journal_records(m); i++) {
        struct fmt_journal *rec = journal_record(m, i);
        if (memcmp(rec, &nothing, sizeof nothing) == 0)
            continue;
        any = true;
        invalidate(m, rec);
    }
    int os = any ? ops->drain(ops) : 0;
    for (uint32_t i = 0; os == 0 && i < journal_records(m); i++)
        if (memcmp(journal_record(m, i), &nothing, sizeof nothing) != 0)
            ops->zero(ops, journal_record(m, i), FMT_JOURNAL_RECORD);
    return os;
}

int journal_recover(const struct media *m, const struct inode_table *t, uint64_t *redone, struct nova_error *err) {
    *redone = 0;
    int os = journal_settle(m);
    if (os == 0)
        os = journal_redo(m, table_slot, t, redone);
    if (os == 0)
        os = clear_all(m);
    return os == 0 ? NOVA_OK : nova_fail_os(err, NOVA_EOS, os, "cannot finish a transaction that a crash cut short");
}
