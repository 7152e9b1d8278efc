/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "crash_image.h"
#include "format/layout.h"
#include "mutant.h"

const char *mutation_name(enum mutation m) {
    static const char *const names[MUTANT_KINDS] = {
        "no flush", "no drain", "early flush", "early drain", "cached copy", "cached zero", "no zero",     "no copy",
        "no store", "torn",     "other line",  "early store", "late store",  "swap steps",  "no checksum",
    };
    return names[m];
}

static bool is_store(uint8_t kind) {
    return kind == TRACE_STORE8 || kind == TRACE_COPY || kind == TRACE_ZERO;
}

static bool is_call(uint8_t kind) {
    return kind == TRACE_BEGIN || kind == TRACE_END;
}

/* ---- where things are ---- */

/* The first event from i on that is a drain of the actor, or a store of its; n if there is none. */
static size_t next_of(const struct trace *t, size_t i, uint8_t actor, bool drain) {
    while (i < t->n && !(t->ev[i].actor == actor && (drain ? t->ev[i].kind == TRACE_DRAIN : is_store(t->ev[i].kind))))
        i++;
    return i;
}

/* The event behind a store and the flush of it that follows directly, if one does. */
static size_t behind_store(const struct trace *t, size_t i) {
    bool flushed = i + 1 < t->n && t->ev[i + 1].kind == TRACE_FLUSH && t->ev[i + 1].off == t->ev[i].off;
    return i + 1 + flushed;
}

/* Where a store that is late by one drain goes; n if nothing that it is ordered before follows. */
static size_t late_place(const struct trace *t, size_t i) {
    uint8_t actor = t->ev[i].actor;
    size_t drain = next_of(t, i, actor, true);
    size_t store = next_of(t, drain, actor, false);
    return store < t->n ? behind_store(t, store) : t->n;
}

/* The steps of one call around the drain at i: [*from, i) and (i, *to). False if either has no store. */
static bool steps(const struct trace *t, size_t i, size_t *from, size_t *to) {
    bool before = false, after = false;
    for (*from = i; *from > 0 && t->ev[*from - 1].kind != TRACE_DRAIN && !is_call(t->ev[*from - 1].kind); --*from)
        before = before || is_store(t->ev[*from - 1].kind);
    for (*to = i + 1; *to < t->n && t->ev[*to].kind != TRACE_DRAIN && !is_call(t->ev[*to].kind); ++*to)
        after = after || is_store(t->ev[*to].kind);
    return before && after;
}

/* Offset of the checksum in the structure that the event stores, or UINT64_MAX. A structure that is not known here is
 * never without its checksum. */
static uint64_t checksum_at(const struct trace *t, const struct trace_event *e) {
    if (e->kind != TRACE_COPY || e->off % FMT_LINE != 0)
        return UINT64_MAX;
    const uint8_t *b = t->bytes + e->data;
    uint64_t word;
    memcpy(&word, b, sizeof word);
    if (e->len == sizeof(struct fmt_sb) && word == FMT_SB_MAGIC)
        return offsetof(struct fmt_sb, crc);
    if (e->len == sizeof(struct fmt_state) && (uint32_t)word == FMT_STATE_MAGIC)
        return offsetof(struct fmt_state, crc);
    if (e->len == sizeof(struct fmt_page_tail) && (uint32_t)word == FMT_PAGE_MAGIC)
        return offsetof(struct fmt_page_tail, crc);
    if (e->len == sizeof(struct fmt_snap) && (uint32_t)word == FMT_SNAP_MAGIC)
        return offsetof(struct fmt_snap, crc);
    if (e->len == offsetof(struct fmt_inode, lines) && (uint16_t)(word >> 32) == FMT_INODE_MAGIC)
        return offsetof(struct fmt_inode, crc);
    if (e->len == sizeof(struct fmt_journal) && word >> 32 == FMT_JOURNAL_MAGIC)
        return offsetof(struct fmt_journal, crc);
    uint8_t kind = (uint8_t)(word >> 32), lines = (uint8_t)(word >> 40);
    bool entry = kind >= FMT_WRITE && kind <= FMT_KIND_LAST && e->len == (uint64_t)lines * FMT_LINE;
    return entry ? offsetof(struct fmt_entry, crc) : UINT64_MAX;
}

static bool applies(const struct trace *t, enum mutation m, size_t i) {
    const struct trace_event *e = &t->ev[i];
    uint8_t kind = e->kind, before = i == 0 ? TRACE_BEGIN : t->ev[i - 1].kind;
    size_t from, to;
    if (e->foreign)
        return false;
    switch (m) {
    case MUTANT_NO_FLUSH: return kind == TRACE_FLUSH;
    case MUTANT_OTHER_LINE: return kind == TRACE_FLUSH && e->off / FMT_LINE == (e->off + e->len - 1) / FMT_LINE;
    case MUTANT_NO_DRAIN: return kind == TRACE_DRAIN;
    case MUTANT_EARLY_FLUSH: return kind == TRACE_FLUSH && is_store(before);
    case MUTANT_EARLY_DRAIN: return kind == TRACE_DRAIN && (is_store(before) || before == TRACE_FLUSH);
    case MUTANT_CACHED_COPY:
    case MUTANT_NO_COPY: return kind == TRACE_COPY;
    case MUTANT_CACHED_ZERO:
    case MUTANT_NO_ZERO: return kind == TRACE_ZERO;
    case MUTANT_NO_STORE:
    case MUTANT_TORN: return kind == TRACE_STORE8;
    case MUTANT_EARLY_STORE: return is_store(kind) && before == TRACE_DRAIN;
    case MUTANT_LATE_STORE: return is_store(kind) && late_place(t, i) < t->n;
    case MUTANT_SWAP_STEPS: return kind == TRACE_DRAIN && steps(t, i, &from, &to);
    case MUTANT_NO_CHECKSUM: return checksum_at(t, e) != UINT64_MAX;
    case MUTANT_KINDS: break;
    }
    return false;
}

/* ---- what does nothing ---- */

static bool flushes_something(const struct crash_cursor *c, const struct trace_event *e) {
    for (uint64_t no = e->off / CRASH_LINE; e->len != 0 && no <= (e->off + e->len - 1) / CRASH_LINE; no++)
        if (c->line_of[no] != 0)
            return true;
    return false;
}

static bool drains_something(const struct crash_cursor *c, const struct trace_event *e) {
    for (uint32_t i = 0; i < c->line_n; i++)
        for (uint32_t k = 0; k < c->line[i].n; k++)
            if ((c->line[i].piece[k].flushed >> e->actor & 1) != 0)
                return true;
    return false;
}

size_t mutant_strip(struct trace *t, size_t events) {
    struct crash_cursor c;
    size_t kept = 0, result = 0;
    bool *keep = malloc(t->n + 1);
    if (keep == NULL)
        abort();
    crash_cursor_init(&c, t);
    for (size_t i = 0; i < t->n; i++) {
        const struct trace_event *e = &t->ev[i];
        keep[i] = e->kind == TRACE_FLUSH ? flushes_something(&c, e) : e->kind != TRACE_DRAIN || drains_something(&c, e);
        crash_cursor_step(&c);
    }
    crash_cursor_free(&c);
    for (size_t i = 0; i < t->n; i++) {
        if (keep[i])
            t->ev[kept++] = t->ev[i];
        if (i < events)
            result = kept;
    }
    t->n = kept;
    free(keep);
    return result;
}

/* ---- making them ---- */

static void remove_event(struct trace *t, size_t i) {
    t->n--;
    memmove(t->ev + i, t->ev + i + 1, (t->n - i) * sizeof *t->ev);
}

static void swap_before(struct trace *t, size_t i) {
    struct trace_event e = t->ev[i];
    t->ev[i] = t->ev[i - 1];
    t->ev[i - 1] = e;
}

/* Puts [from, mid) behind [mid, to). */
static void rotate(struct trace *t, size_t from, size_t mid, size_t to) {
    struct trace_event *moved = malloc((mid - from) * sizeof *moved);
    if (moved == NULL)
        abort();
    memcpy(moved, t->ev + from, (mid - from) * sizeof *moved);
    memmove(t->ev + from, t->ev + mid, (to - mid) * sizeof *moved);
    memcpy(t->ev + from + (to - mid), moved, (mid - from) * sizeof *moved);
    free(moved);
}

static void swap_steps(struct trace *t, size_t i) {
    size_t from, to;
    (void)steps(t, i, &from, &to);
    size_t after = to - (i + 1);
    rotate(t, from, i + 1, to);          /* what was after, what was before, the drain */
    rotate(t, from + after, to - 1, to); /* the drain between the two */
}

static void *copy_of(const void *p, size_t bytes, size_t more) {
    void *to = malloc(bytes + more);
    if (to == NULL)
        abort();
    return memcpy(to, p, bytes);
}

static void remove_checksum(struct trace *t, size_t i) {
    t->bytes = copy_of(t->bytes, t->bytes_n, 0);
    memset(t->bytes + t->ev[i].data + checksum_at(t, &t->ev[i]), 0, sizeof(uint32_t));
}

bool mutant_make(const struct trace *t, enum mutation m, size_t i, struct trace *out) {
    if (!applies(t, m, i))
        return false;
    *out = *t;
    out->cap = t->n + 1;
    out->ev = copy_of(t->ev, t->n * sizeof *t->ev, sizeof *t->ev);
    switch (m) {
    case MUTANT_EARLY_FLUSH:
    case MUTANT_EARLY_DRAIN:
    case MUTANT_EARLY_STORE: swap_before(out, i); break;
    case MUTANT_LATE_STORE: rotate(out, i, behind_store(t, i), late_place(t, i)); break;
    case MUTANT_SWAP_STEPS: swap_steps(out, i); break;
    case MUTANT_OTHER_LINE: out->ev[i].off ^= FMT_LINE; break;
    case MUTANT_CACHED_COPY:
    case MUTANT_CACHED_ZERO: out->ev[i].unflushed = true; break;
    case MUTANT_NO_CHECKSUM: remove_checksum(out, i); break;
    case MUTANT_TORN:
        memmove(out->ev + i + 1, out->ev + i, (t->n - i) * sizeof *out->ev);
        out->n++;
        out->ev[i].mask = 0x1f;
        out->ev[i + 1].mask = 0xe0;
        break;
    case MUTANT_NO_FLUSH:
    case MUTANT_NO_DRAIN:
    case MUTANT_NO_ZERO:
    case MUTANT_NO_COPY:
    case MUTANT_NO_STORE:
    case MUTANT_KINDS: remove_event(out, i); break;
    }
    return true;
}

void mutant_free(const struct trace *t, struct trace *out) {
    free(out->ev);
    if (out->bytes != t->bytes)
        free(out->bytes);
}
