/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "recovery/superblock.h"

static uint8_t *place(const struct media *m, bool replica) {
    return m->base + (replica ? m->sb.size - NOVA_BLOCK_SIZE : 0);
}

int superblock_put(const struct media *m, bool replica) {
    m->ops->copy(m->ops, place(m, replica), &m->sb, sizeof m->sb);
    return m->ops->drain(m->ops);
}

/* The pool has grown: its last block is the replica that counts. The one before goes, and the first one follows. */
static int finish_growing(struct media *m) {
    m->ops->zero(m->ops, m->base + m->old_size - NOVA_BLOCK_SIZE, sizeof m->sb);
    int os = m->ops->drain(m->ops);
    if (os == 0)
        os = superblock_put(m, false);
    if (os == 0)
        m->resize = MEDIA_WHOLE;
    return os;
}

/* A process that was killed may have left in the caches the one that is gone by; the other one is written next. */
static int settle_one(const struct media *m, bool replica) {
    m->ops->flush(m->ops, place(m, replica), sizeof m->sb);
    return m->ops->drain(m->ops);
}

static bool says_so(const struct media *m, bool replica) {
    return memcmp(place(m, replica), &m->sb, sizeof m->sb) == 0;
}

int superblock_settle(struct media *m) {
    bool first = says_so(m, false), last = says_so(m, true);
    if (first && last && m->resize == MEDIA_WHOLE)
        return 0;
    /* What is gone by is written last, if at all. */
    bool by_replica = m->resize == MEDIA_GROWN ||
                      fmt_sb_verify((const struct fmt_sb *)(const void *)m->base, 0, NULL) != NOVA_OK;
    int os = settle_one(m, by_replica);
    if (os == 0 && m->resize == MEDIA_GROWN)
        return finish_growing(m);
    if (os == 0 && !(by_replica ? first : last))
        os = superblock_put(m, !by_replica);
    if (os == 0 && !(by_replica ? last : first))
        os = superblock_put(m, by_replica);
    if (os == 0)
        m->resize = MEDIA_WHOLE;
    return os;
}

int superblock_enable(struct media *m) {
    if ((m->sb.incompat & FMT_INCOMPAT_ALL) == FMT_INCOMPAT_ALL)
        return 0;
    m->sb.incompat |= FMT_INCOMPAT_ALL;
    m->sb.seq++;
    fmt_sb_seal(&m->sb);
    int os = settle_one(m, true);
    if (os == 0)
        os = superblock_put(m, false);
    return os != 0 ? os : superblock_put(m, true);
}

/* ---- growing ---- */

int superblock_announce(struct media *m, uint64_t size) {
    int os = settle_one(m, true);
    m->sb = fmt_sb_growing(&m->sb, size);
    return os != 0 ? os : superblock_put(m, false);
}

/* Pointers to more inodes. Nothing was ever stored there; but were it damaged, that would count from now on. */
static int clear_pointers(const struct media *m) {
    struct fmt_sb grown = fmt_sb_grown(&m->sb);
    uint32_t more = fmt_sb_itable_used(&grown) - m->itable_count;
    if (more == 0)
        return 0;
    m->ops->zero(m->ops, media_blk(m, m->itable_blk + m->itable_count), (size_t)more << NOVA_BLOCK_SHIFT);
    return m->ops->drain(m->ops);
}

int superblock_grow(struct media *m) {
    int os = clear_pointers(m);
    if (os != 0)
        return os;
    m->old_size = m->sb.size;
    m->sb = fmt_sb_grown(&m->sb);
    os = superblock_put(m, true); /* from here on it is larger */
    return os != 0 ? os : finish_growing(m);
}

int superblock_give_up(struct media *m) {
    m->sb = fmt_sb_not_grown(&m->sb);
    m->resize = MEDIA_NOT_GROWN;
    return superblock_settle(m);
}
