/* SPDX-License-Identifier: Apache-2.0 */
/* nova_fsck(): the saved bitmaps of a clean pool must say exactly what the logs say. */
#include <string.h>

#include "check/fsck.h"

/* One of the two bitmaps. */
struct bitmap {
    const char *what; /* its bits */
    uint32_t bytes;
    uint32_t first; /* snapshot block that it starts at */
    /* Bytes [off, off + len) as the logs have them. */
    void (*want)(const struct fsck *f, uint32_t off, uint8_t *dst, uint32_t len);
};

static void want_blocks(const struct fsck *f, uint32_t off, uint8_t *dst, uint32_t len) {
    alloc_bitmap_save(f->owned, off, dst, len);
}

static void want_inodes(const struct fsck *f, uint32_t off, uint8_t *dst, uint32_t len) {
    uint32_t slots = inspect_slots(&f->in), words = slots / 64 + 1;
    for (uint32_t i = 0; i < len; i++) {
        uint32_t byte = off + i;
        uint64_t word = byte / 8 < words ? f->live[byte / 8] : 0;
        if (byte / 8 == 0)
            word |= 1; /* inode 0 counts as used */
        dst[i] = (uint8_t)(word >> byte % 8 * 8);
    }
}

/* A run of bits that differ the same way. */
struct misfit {
    uint64_t first, count;
    bool saved; /* what the snapshot says */
    uint64_t off;
};

static void report(struct fsck *f, const struct bitmap *b, struct misfit *x) {
    if (x->count != 0 && (f->logs_whole || !x->saved)) /* who owns nothing is known only if all was read */
        fsck_fixable(f, FSCK_FIX_SNAPSHOT, false, "snapshot", x->off, 1, "%s %llu to %llu: %s", b->what,
                     (unsigned long long)x->first, (unsigned long long)(x->first + x->count - 1),
                     x->saved ? "saved as used, but the logs do not use them" : "saved as free, but the logs use them");
    x->count = 0;
}

static void compare(struct fsck *f, const struct bitmap *b, uint32_t off, const uint8_t *saved, uint32_t len,
                    struct misfit *x) {
    uint8_t want[FMT_SNAP_PAYLOAD];
    b->want(f, off, want, len);
    for (uint32_t i = 0; i < len; i++) {
        for (uint32_t bit = 0; want[i] != saved[i] && bit < 8; bit++) {
            if (((want[i] ^ saved[i]) >> bit & 1) == 0)
                continue;
            uint64_t at = (uint64_t)(off + i) * 8 + bit;
            bool is = (saved[i] >> bit & 1) != 0;
            if (x->count == 0 || at != x->first + x->count || is != x->saved) {
                report(f, b, x);
                *x = (struct misfit){.first = at, .saved = is, .off = fsck_off(f, saved + i)};
            }
            x->count++;
        }
    }
}

static void check_bitmap(struct fsck *f, const struct bitmap *b) {
    const struct media *m = &f->in.m;
    struct misfit x = {0};
    for (uint32_t off = 0, i = b->first; off < b->bytes; off += FMT_SNAP_PAYLOAD, i++) {
        const struct fmt_snap *snap = (const struct fmt_snap *)(const void *)media_blk(m, m->snap_blk + i);
        uint32_t len = b->bytes - off < FMT_SNAP_PAYLOAD ? b->bytes - off : FMT_SNAP_PAYLOAD;
        if (!fmt_snap_ok(m, snap)) {
            fsck_fixable(f, FSCK_FIX_SNAPSHOT, false, "snapshot", fsck_off(f, snap), sizeof *snap,
                         "snapshot block %u is damaged", i);
            continue;
        }
        if (snap->index != i || snap->seq != f->state.st.snap_seq) {
            fsck_fixable(f, FSCK_FIX_SNAPSHOT, false, "snapshot", fsck_off(f, snap), sizeof *snap,
                         "snapshot block %u says it is block %u of snapshot %llu, not %llu", i, snap->index,
                         (unsigned long long)snap->seq, (unsigned long long)f->state.st.snap_seq);
            continue;
        }
        compare(f, b, off, snap->payload, len, &x);
        for (uint32_t k = len; k < FMT_SNAP_PAYLOAD; k++) {
            if (snap->payload[k] != 0) {
                fsck_fixable(f, FSCK_FIX_SNAPSHOT, false, "snapshot", fsck_off(f, &snap->payload[k]), 1,
                             "a byte behind the bitmap is not zero");
                break;
            }
        }
    }
    report(f, b, &x);
}

static uint64_t count_live(const struct fsck *f) {
    uint64_t n = 0;
    for (uint32_t i = 0; i <= inspect_slots(&f->in) / 64; i++)
        n += (uint64_t)__builtin_popcountll(f->live[i]);
    return n;
}

void fsck_snapshot(struct fsck *f) {
    const struct media *m = &f->in.m;
    const struct fmt_state *st = &f->state.st;
    struct bitmap blocks = {.what = "blocks", .bytes = alloc_bitmap_bytes(f->owned), .want = want_blocks};
    struct bitmap inodes = {.what = "inodes",
                            .bytes = (m->inodes_max + 7) / 8,
                            .first = (blocks.bytes + FMT_SNAP_PAYLOAD - 1) / FMT_SNAP_PAYLOAD,
                            .want = want_inodes};
    uint64_t off = ((uint64_t)m->state_blk << NOVA_BLOCK_SHIFT) + st->seq % 2 * FMT_STATE_SLOT_OFF;
    check_bitmap(f, &blocks);
    check_bitmap(f, &inodes);
    if (f->logs_whole && st->blocks_free != f->sum.blocks_free)
        fsck_fixable(f, FSCK_FIX_SNAPSHOT, false, "state", off, sizeof *st,
                     "clean state counts %llu free blocks, the logs leave %llu", (unsigned long long)st->blocks_free,
                     (unsigned long long)f->sum.blocks_free);
    if (f->dirs_whole && f->logs_whole && st->inodes_used != count_live(f))
        fsck_fixable(f, FSCK_FIX_SNAPSHOT, false, "state", off, sizeof *st,
                     "clean state counts %llu inodes, the directories hold %llu", (unsigned long long)st->inodes_used,
                     (unsigned long long)count_live(f));
}
