/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nova_fsck_repair(): what has a replica, or follows from what is whole.
 *
 * Each step is drained before the next one begins, and each leaves, however far it got, what was there before or what
 * is to be: so a crash anywhere leaves a pool that opens as it would have without the repair, and a repair that starts
 * again finishes.
 *  - A resize cut short: it is ended or taken back, before anything is looked at, as by opening.
 *  - Transactions cut short: their tails are stored and drained, before anything is looked at; the records stay.
 *  - Superblock: the source is the whole one, which is made durable as it is, and not touched.
 *  - States: each is written into the slot that does not hold the current state, as any open does. A torn one leaves a
 *    pool that is scanned; it was scanned before, or its saved state is wrong and its logs are whole.
 *  - Zeros: nobody reads those bytes.
 *  - Tails: no name reaches the slot, and all names and logs are whole, and made durable before: a process that was
 *    killed may have left tails, and pointers to log pages, in the caches. The scan of the next open does the same.
 */
#include <string.h>

#include "check/fsck.h"
#include "recovery/superblock.h"

/* Both slots hold what the format allows in them. */
static bool states_whole(const struct media *m) {
    struct fmt_state st[2];
    for (unsigned i = 0; i < 2; i++) {
        memcpy(&st[i], media_blk(m, m->state_blk) + i * FMT_STATE_SLOT_OFF, sizeof st[i]);
        if (!fmt_state_ok(m, &st[i]) || st[i].seq % 2 != i ||
            (st[i].state == FMT_STATE_CLEAN && st[i].snap_seq != st[i].seq))
            return false;
    }
    return st[0].seq + 1 == st[1].seq || st[1].seq + 1 == st[0].seq;
}

static int write_dirty(struct fsck *f) {
    const struct fmt_state dirty = {.state = FMT_STATE_DIRTY};
    pool_state_write(&f->in.m, &f->state, &dirty);
    return f->in.m.ops->drain(f->in.m.ops);
}

/* One write puts one slot right, and takes the last clean state its meaning; two put both right. */
static int write_states(struct fsck *f) {
    int os = pool_state_settle(&f->in.m);
    if (os == 0)
        os = write_dirty(f);
    if (os == 0 && !states_whole(&f->in.m))
        os = write_dirty(f);
    f->sum.clean = 0;
    return os;
}

static int zero(const struct media *m, uint64_t off, uint64_t len) {
    m->ops->zero(m->ops, m->base + off, len);
    return m->ops->drain(m->ops);
}

/* The pointer by which a log may have been cut, for settle(): only in a run that repairs. */
void fsck_flush_page(const struct fsck *f, uint32_t blk) {
    const struct pmem_ops *ops = f->in.m.ops;
    const struct fmt_page *page = (const void *)media_blk(&f->in.m, blk);
    if (f->allowed != 0 && !ops->flush_calls)
        ops->flush(ops, &page->tail.next, sizeof page->tail.next);
}

static struct fmt_inode *live_slot(const void *fsck, uint32_t ino) {
    const struct fsck *f = fsck;
    return fsck_is_live(f, ino) ? inspect_slot(&f->in, ino) : NULL;
}

/* Before the first tail is cleared, and as recovery does: the names that are gone must not come back. */
static int settle(const struct fsck *f) {
    return itable_settle(&f->in.m, f->in.table_n, inspect_slots(&f->in), live_slot, f);
}

static int clear_tail(const struct media *m, uint64_t slot_off) {
    struct fmt_inode *slot = (struct fmt_inode *)(void *)(m->base + slot_off);
    m->ops->store8(m->ops, &slot->tail, 0);
    m->ops->flush(m->ops, &slot->tail, sizeof slot->tail);
    return m->ops->drain(m->ops);
}

static int carry_out(struct fsck *f, enum fsck_fix fix) {
    const struct media *m = &f->in.m;
    int os = 0;
    bool first = true;
    for (uint32_t i = 0; i < f->tasks && os == 0; i++) {
        const struct fsck_task *t = &f->task[i];
        if (t->fix != fix)
            continue;
        if (first && fix == FSCK_FIX_TAIL && (os = settle(f)) != 0)
            break;
        first = false;
        switch (fix) {
        case FSCK_FIX_SUPERBLOCK: return superblock_settle(&f->in.m);
        case FSCK_FIX_STATE:
        case FSCK_FIX_SNAPSHOT: return write_states(f); /* for all findings of the kind */
        case FSCK_FIX_ZERO:
        case FSCK_FIX_SLOT_0: os = zero(m, t->off, t->len); break;
        case FSCK_FIX_TAIL: os = clear_tail(m, t->off); break;
        case FSCK_FIX_ENDED:
        case FSCK_FIXES: break;
        }
    }
    return os;
}

/* What may be done, by what a first run found. */
static uint32_t allowed(const struct fsck *f) {
    uint32_t fixes = 1u << FSCK_FIX_ENDED;
    /* Perhaps all looks damaged because the first superblock is another pool's. Then the replica is the last one. */
    if (f->two_superblocks && f->unfixable != 0)
        return fixes;
    fixes |= 1u << FSCK_FIX_SUPERBLOCK | 1u << FSCK_FIX_STATE | 1u << FSCK_FIX_ZERO;
    /* Where a name or a log is in doubt, so is what has none. And a pool whose logs are damaged opens by its snapshot
     * only: without it, the files that are whole could not be read any more. */
    if (f->unfixable == 0 && f->dirs_whole && f->logs_whole)
        fixes |= 1u << FSCK_FIX_SNAPSHOT | 1u << FSCK_FIX_SLOT_0 | 1u << FSCK_FIX_TAIL;
    return fixes;
}

static int repair(struct fsck *f, char *report, size_t cap, size_t *needed, struct nova_error *err) {
    int rc = fsck_run(f, err);
    if (rc != NOVA_OK)
        return rc;
    f->allowed = allowed(f);
    fsck_reset(f);
    rc = inspect_reload(&f->in, err);
    if (rc == NOVA_OK)
        rc = fsck_run(f, err);
    if (rc != NOVA_OK)
        return rc;
    if (report != NULL && f->report.len < cap) {
        int os = 0;
        for (int fix = 0; fix < FSCK_FIXES && os == 0; fix++)
            os = carry_out(f, (enum fsck_fix)fix);
        if (os != 0)
            return nova_fail_os(err, NOVA_EOS, os, "cannot persist the repair");
    }
    text_out(&f->report, report, cap, needed);
    return NOVA_OK;
}

int nova_fsck_repair(const char *path, const struct nova_pool_options *opt, char *report, size_t cap, size_t *needed,
                     struct nova_fsck_summary *sum, struct nova_error *err) {
    struct fsck f = {0};
    uint32_t flags = opt == NULL ? 0 : opt->flags;
    if (needed == NULL || (flags & ~NOVA_OPT_EMULATED) != 0)
        return nova_fail(err, NOVA_EINVAL, "no place for the length of the report, or unknown option flags %#x", flags);
    *needed = 0;
    if (report != NULL && cap != 0)
        report[0] = '\0';
    int rc = inspect_open_writable(&f.in, path, (flags & NOVA_OPT_EMULATED) != 0, err);
    if (rc != NOVA_OK)
        return rc;
    rc = repair(&f, report, cap, needed, err);
    if (rc == NOVA_OK && sum != NULL)
        *sum = f.sum;
    fsck_reset(&f);
    inspect_close(&f.in);
    return rc;
}
