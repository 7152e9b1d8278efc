/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "recovery/pool_state.h"
#include "util/clock.h"

static struct fmt_state *state_slot(const struct media *m, uint64_t seq) {
    return (struct fmt_state *)(void *)(media_blk(m, m->state_blk) + (seq % 2) * FMT_STATE_SLOT_OFF);
}

void pool_state_read(const struct media *m, struct pool_state *ps) {
    const struct fmt_state *even = state_slot(m, 0), *odd = state_slot(m, 1);
    bool even_ok = fmt_state_ok(m, even) && even->seq % 2 == 0;
    bool odd_ok = fmt_state_ok(m, odd) && odd->seq % 2 == 1;
    memset(ps, 0, sizeof *ps);
    const struct fmt_state *last = NULL;
    if (even_ok)
        last = even;
    if (odd_ok && (last == NULL || odd->seq > last->seq))
        last = odd;
    if (last == NULL)
        return;
    const struct fmt_state *before = last == even ? odd : even;
    ps->seq = last->seq;
    ps->clean = even_ok && odd_ok && last->seq == before->seq + 1 && last->state == FMT_STATE_CLEAN &&
                last->snap_seq == last->seq;
    if (ps->clean)
        ps->st = *last;
}

int pool_state_settle(const struct media *m) {
    m->ops->flush(m->ops, media_blk(m, m->state_blk), NOVA_BLOCK_SIZE);
    return m->ops->drain(m->ops);
}

void pool_state_write(const struct media *m, struct pool_state *ps, const struct fmt_state *next) {
    struct fmt_state st = *next;
    st.magic = FMT_STATE_MAGIC;
    st.seq = ps->seq + 1;
    st.time = nova_now();
    if (st.state == FMT_STATE_CLEAN)
        st.snap_seq = st.seq;
    fmt_state_seal(m, &st);
    /* The slot of the state before the current one: a torn write leaves the current one whole. */
    m->ops->copy(m->ops, state_slot(m, st.seq), &st, sizeof st);
    ps->seq = st.seq;
    ps->clean = st.state == FMT_STATE_CLEAN;
    ps->st = st;
}

/* ---- snapshot ---- */

/* The part of a bitmap of `bytes` bytes that the i-th snapshot block of that bitmap holds. */
static uint32_t piece(uint32_t bytes, uint32_t i, uint32_t *off) {
    *off = i * FMT_SNAP_PAYLOAD;
    if (*off >= bytes)
        return 0;
    return bytes - *off < FMT_SNAP_PAYLOAD ? bytes - *off : FMT_SNAP_PAYLOAD;
}

static uint32_t pieces(uint32_t bytes) {
    return (bytes + FMT_SNAP_PAYLOAD - 1) / FMT_SNAP_PAYLOAD;
}

void snapshot_save(const struct media *m, const struct allocator *a, const struct inode_table *t, uint64_t seq) {
    uint32_t block_bytes = alloc_bitmap_bytes(a), inode_bytes = itable_bitmap_bytes(t);
    uint32_t split = pieces(block_bytes), n = split + pieces(inode_bytes);
    for (uint32_t i = 0; i < n; i++) {
        struct fmt_snap snap = {.magic = FMT_SNAP_MAGIC, .index = i, .seq = seq};
        uint32_t off, len;
        if (i < split) {
            len = piece(block_bytes, i, &off);
            alloc_bitmap_save(a, off, snap.payload, len);
        } else {
            len = piece(inode_bytes, i - split, &off);
            itable_bitmap_save(t, off, snap.payload, len);
        }
        fmt_snap_seal(m, &snap);
        m->ops->copy(m->ops, media_blk(m, m->snap_blk + i), &snap, sizeof snap);
    }
}

bool snapshot_load(const struct media *m, struct allocator *a, struct inode_table *t, const struct fmt_state *st) {
    uint32_t block_bytes = alloc_bitmap_bytes(a), inode_bytes = itable_bitmap_bytes(t);
    uint32_t split = pieces(block_bytes), n = split + pieces(inode_bytes);
    for (uint32_t i = 0; i < n; i++) {
        const struct fmt_snap *snap = (const struct fmt_snap *)(void *)media_blk(m, m->snap_blk + i);
        if (!fmt_snap_ok(m, snap) || snap->index != i || snap->seq != st->snap_seq)
            return false;
        uint32_t off, len;
        if (i < split) {
            len = piece(block_bytes, i, &off);
            alloc_bitmap_load(a, off, snap->payload, len);
        } else {
            len = piece(inode_bytes, i - split, &off);
            itable_bitmap_load(t, off, snap->payload, len);
        }
    }
    alloc_ready(a);
    return itable_ready(t) && alloc_free_count(a) == st->blocks_free && t->used_count == st->inodes_used;
}
