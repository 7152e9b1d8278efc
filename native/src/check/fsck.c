/* SPDX-License-Identifier: Apache-2.0 */
/* nova_fsck(): findings, the fixed areas, and the order of the parts. */
#include "check/fsck.h"

#include <stdlib.h>
#include <string.h>

#define FINDINGS_MAX 10000u /* listed; more are counted */

/* ---- findings ---- */

static uint64_t findings(const struct fsck *f) {
    return f->sum.errors + f->sum.warnings + f->sum.repaired;
}

static void finding(struct fsck *f, const char *level, const char *what, uint64_t off, const char *fmt, va_list ap)
    __attribute__((format(printf, 5, 0)));

static void finding(struct fsck *f, const char *level, const char *what, uint64_t off, const char *fmt, va_list ap) {
    if (findings(f) > FINDINGS_MAX)
        return;
    text_add(&f->report, "%s\t%s\t", level, what);
    if (off == NOVA_NO_OFF)
        text_add(&f->report, "-\t");
    else
        text_add(&f->report, "%llu\t", (unsigned long long)off);
    text_vadd(&f->report, fmt, ap);
    text_add(&f->report, "\n");
}

static void add_task(struct fsck *f, enum fsck_fix fix, uint64_t off, uint64_t len) {
    if (f->tasks == f->task_cap) {
        uint32_t cap = f->task_cap == 0 ? 64 : f->task_cap * 2;
        struct fsck_task *p = realloc(f->task, cap * sizeof *p);
        if (p == NULL) {
            f->oom = true;
            return;
        }
        f->task = p;
        f->task_cap = cap;
    }
    f->task[f->tasks++] = (struct fsck_task){fix, off, len};
}

void fsck_fixable(struct fsck *f, enum fsck_fix fix, bool warning, const char *what, uint64_t off, uint64_t len,
                  const char *fmt, ...) {
    bool fixed = (f->allowed >> fix & 1) != 0;
    va_list ap;
    va_start(ap, fmt);
    if (fixed)
        add_task(f, fix, off, len);
    ++*(fixed ? &f->sum.repaired : warning ? &f->sum.warnings : &f->sum.errors);
    finding(f, fixed ? "repaired" : warning ? "warning" : "error", what, off, fmt, ap);
    va_end(ap);
}

void fsck_error(struct fsck *f, const char *what, uint64_t off, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    f->sum.errors++;
    f->unfixable++;
    finding(f, "error", what, off, fmt, ap);
    va_end(ap);
}

void fsck_warning(struct fsck *f, const char *what, uint64_t off, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    f->sum.warnings++;
    finding(f, "warning", what, off, fmt, ap);
    va_end(ap);
}

void fsck_claim(struct fsck *f, uint32_t blk, uint32_t count, uint32_t ino, const char *as) {
    uint32_t dup;
    if (!alloc_mark_used(f->owned, blk, count, &dup))
        fsck_error(f, "block", (uint64_t)dup << NOVA_BLOCK_SHIFT, "block %u, %s of inode %u, has another owner too",
                   dup, as, ino);
}

/* ---- fixed areas ---- */

/* The first byte of [from, to) that is not zero, or `to`. */
static uint64_t first_nonzero(const struct media *m, uint64_t from, uint64_t to) {
    static const uint8_t zero[NOVA_BLOCK_SIZE];
    while (from < to) {
        uint64_t n = to - from < sizeof zero ? to - from : sizeof zero;
        if (memcmp(m->base + from, zero, n) != 0)
            for (uint64_t i = from; i < from + n; i++)
                if (m->base[i] != 0)
                    return i;
        from += n;
    }
    return to;
}

static void check_zero(struct fsck *f, enum fsck_fix fix, const char *what, uint64_t from, uint64_t to) {
    /* A compatible feature of a later build may keep something here. */
    uint64_t at = f->in.m.sb.compat != 0 ? to : first_nonzero(&f->in.m, from, to);
    if (at < to)
        fsck_fixable(f, fix, false, what, at, to - at, "a byte that must be zero is not");
}

static void check_superblock(struct fsck *f, uint64_t off, const char *which) {
    struct fmt_sb sb;
    struct nova_error err;
    memcpy(&sb, f->in.m.base + off, sizeof sb);
    if (fmt_sb_verify(&sb, off, &err) != NOVA_OK)
        fsck_fixable(f, FSCK_FIX_SUPERBLOCK, false, "superblock", off, sizeof sb, "%s: %s", which, err.msg);
    else if (memcmp(&sb, &f->in.m.sb, sizeof sb) != 0) {
        f->two_superblocks = true;
        fsck_fixable(f, FSCK_FIX_SUPERBLOCK, false, "superblock", off, sizeof sb,
                     "%s is whole but differs from the other one", which);
    }
    check_zero(f, FSCK_FIX_ZERO, "superblock", off + sizeof sb, off + NOVA_BLOCK_SIZE);
}

static void check_state(struct fsck *f) {
    const struct media *m = &f->in.m;
    uint64_t base = (uint64_t)m->state_blk << NOVA_BLOCK_SHIFT;
    bool ok[2];
    struct fmt_state st[2];
    for (unsigned i = 0; i < 2; i++) {
        uint64_t off = base + i * FMT_STATE_SLOT_OFF;
        memcpy(&st[i], m->base + off, sizeof st[i]);
        ok[i] = fmt_state_ok(m, &st[i]) && st[i].seq % 2 == i;
        check_zero(f, FSCK_FIX_ZERO, "state", off + sizeof st[i], off + FMT_STATE_SLOT_OFF);
    }
    pool_state_read(m, &f->state);
    f->sum.clean = f->state.clean;
    /* A wrong state beside a good clean one: to write over it ends the clean one, as with a wrong snapshot. */
    enum fsck_fix fix = f->state.clean ? FSCK_FIX_SNAPSHOT : FSCK_FIX_STATE;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t off = base + i * FMT_STATE_SLOT_OFF;
        if (!ok[i] && ok[1 - i])
            fsck_fixable(f, fix, true, "state", off, sizeof st[i],
                         "state slot %u is torn or damaged; the next open scans the logs", i);
        else if (!ok[i])
            fsck_fixable(f, fix, false, "state", off, sizeof st[i], "state slot %u is damaged, and so is the other one",
                         i);
        else if (st[i].state == FMT_STATE_CLEAN && st[i].snap_seq != st[i].seq)
            fsck_fixable(f, fix, false, "state", off, sizeof st[i], "clean state %llu names snapshot %llu",
                         (unsigned long long)st[i].seq, (unsigned long long)st[i].snap_seq);
    }
    if (ok[0] && ok[1] && st[0].seq + 1 != st[1].seq && st[1].seq + 1 != st[0].seq)
        fsck_fixable(f, fix, false, "state", base, sizeof st[0],
                     "sequence numbers %llu and %llu do not follow each other", (unsigned long long)st[0].seq,
                     (unsigned long long)st[1].seq);
}

/* In a clean pool, or one from before transactions, there is nothing; else what is no whole record is of no account. */
static void check_journal(struct fsck *f) {
    const struct media *m = &f->in.m;
    uint64_t journal = (uint64_t)m->journal_blk << NOVA_BLOCK_SHIFT;
    if (f->state.clean || (m->sb.incompat & FMT_INCOMPAT_NAMESPACE) == 0)
        check_zero(f, FSCK_FIX_ZERO, "journal", journal, journal + ((uint64_t)m->journal_count << NOVA_BLOCK_SHIFT));
    if (f->in.redone != 0)
        fsck_fixable(f, FSCK_FIX_ENDED, true, "journal", journal, FMT_JOURNAL_RECORD,
                     "%llu transactions were cut short after their commit; the next open ends them",
                     (unsigned long long)f->in.redone);
}

static void check_areas(struct fsck *f) {
    const struct media *m = &f->in.m;
    if (f->in.resize != MEDIA_WHOLE)
        fsck_fixable(f, FSCK_FIX_ENDED, true, "superblock", 0, sizeof m->sb,
                     f->in.resize == MEDIA_GROWN
                         ? "making the pool larger was cut short when it had grown; the next open ends it"
                         : "making the pool larger was cut short before it had grown; the next open takes it back");
    check_superblock(f, 0, "superblock");
    check_superblock(f, m->size - NOVA_BLOCK_SIZE, "superblock replica");
    check_state(f);
    check_journal(f);
}

/* ---- inode table ---- */

static void check_table(struct fsck *f) {
    const fmt_ptr *ptrs = inspect_ptrs(&f->in);
    bool whole = true;
    for (uint32_t i = 0; i < f->in.table_n; i++) {
        uint32_t blk = f->in.table[i], dup;
        if (ptrs[i] == 0) { /* one finding for all of a gap; there is a pointer behind it */
            uint32_t first = i;
            while (ptrs[i + 1] == 0)
                i++;
            fsck_error(f, "inode table", fsck_off(f, &ptrs[first]), "pointers %u to %u are missing", first, i);
        } else if (blk == 0)
            fsck_error(f, "inode table", fsck_off(f, &ptrs[i]), "pointer %u is damaged", i);
        else if (!alloc_mark_used(f->owned, blk, 1, &dup))
            fsck_error(f, "inode table", fsck_off(f, &ptrs[i]), "pointer %u names block %u, as another one does", i,
                       blk);
        else
            continue;
        f->in.table[i] = 0;
        whole = false;
    }
    if (f->in.table_n == 0) {
        fsck_error(f, "inode table", fsck_off(f, ptrs), "no pointer, so no inodes");
        whole = false;
    } else if (f->in.table[0] != 0) {
        uint64_t off = (uint64_t)f->in.table[0] << NOVA_BLOCK_SHIFT;
        check_zero(f, FSCK_FIX_SLOT_0, "inode", off, off + FMT_SLOT); /* of inode 0, which does not exist */
    }
    uint64_t unused = (uint64_t)(f->in.m.itable_blk + f->in.m.itable_count) << NOVA_BLOCK_SHIFT;
    check_zero(f, FSCK_FIX_ZERO, "inode table", unused,
               (uint64_t)(f->in.m.itable_blk + f->in.m.sb.itable_count) << NOVA_BLOCK_SHIFT);
    if (!whole) /* a missing part may hold directories, and logs that own blocks */
        f->dirs_whole = f->logs_whole = false;
}

/* ---- the run ---- */

static void check_all(struct fsck *f) {
    f->dirs_whole = f->logs_whole = true;
    check_areas(f);
    check_table(f);
    fsck_dirs(f);
    if (!f->oom)
        fsck_files(f);
    if (f->oom)
        return;
    alloc_ready(f->owned);
    f->sum.blocks_total = alloc_total(f->owned);
    f->sum.blocks_free = alloc_free_count(f->owned);
    f->sum.blocks_used = f->sum.blocks_total - f->sum.blocks_free;
    if (f->state.clean)
        fsck_snapshot(f);
    if (findings(f) > FINDINGS_MAX)
        text_add(&f->report, "warning\tfsck\t-\t%llu more findings are not listed\n",
                 (unsigned long long)(findings(f) - FINDINGS_MAX));
}

int fsck_run(struct fsck *f, struct nova_error *err) {
    f->owned = alloc_new(f->in.m.blocks, f->in.m.data_blk, f->in.m.data_end, 1);
    f->live = calloc(inspect_slots(&f->in) / 64 + 1, sizeof *f->live);
    if (f->owned != NULL && f->live != NULL)
        check_all(f);
    else
        f->oom = true;
    if (f->oom || f->report.oom)
        return nova_fail(err, NOVA_ENOMEM, "no memory to check a pool of %u blocks", f->in.m.blocks);
    return NOVA_OK;
}

void fsck_reset(struct fsck *f) {
    text_free(&f->report);
    ino_list_free(&f->more);
    free(f->live);
    free(f->task);
    alloc_delete(f->owned);
    *f = (struct fsck){.in = f->in, .allowed = f->allowed};
}

int nova_fsck(const char *path, char *report, size_t cap, size_t *needed, struct nova_fsck_summary *sum,
              struct nova_error *err) {
    struct fsck f = {0};
    if (needed != NULL)
        *needed = 0;
    if (report != NULL && cap != 0)
        report[0] = '\0';
    int rc = inspect_open(&f.in, path, err);
    if (rc != NOVA_OK)
        return rc;
    rc = fsck_run(&f, err);
    if (rc == NOVA_OK) {
        text_out(&f.report, report, cap, needed);
        if (sum != NULL)
            *sum = f.sum;
    }
    fsck_reset(&f);
    inspect_close(&f.in);
    return rc;
}
