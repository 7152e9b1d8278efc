/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image.h"
#include "inode/dir_map.h"
#include "journal/journal.h"
#include "log/xattr_replay.h"
#include "metadata_map.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)

const char *meta_kind_name(enum meta_kind kind) {
    static const char *const names[META_KINDS] = {
        "data",          "unused",   "journal record", "superblock", "state",  "snapshot",  "zeros",
        "table pointer", "slot",     "head",           "first",      "tail",   "page tail", "next",
        "write",         "truncate", "setattr",        "add",        "remove", "padding",   "link",
        "hole",          "collapse", "insert",         "alloc",      "xattr",  "value"};
    return names[kind];
}

/* ---- walking ---- */

static void add(struct metadata_map *map, struct meta_item item) {
    if (map->n == map->cap) {
        map->cap = map->cap == 0 ? 256 : map->cap * 2;
        map->item = realloc(map->item, map->cap * sizeof *map->item);
        assert_non_null(map->item);
    }
    map->item[map->n++] = item;
    memset(map->kind + item.off, (int)item.kind, item.len);
}

static void add_area(struct metadata_map *map, enum meta_kind kind, uint64_t off, uint64_t len) {
    if (len != 0)
        add(map, (struct meta_item){.kind = kind, .off = off, .len = (uint32_t)len});
}

/* In a dirty pool what is no record means nothing. */
static void add_journal(struct metadata_map *map, const struct media *m, bool clean) {
    for (uint32_t i = 0; i < journal_records(m); i++) {
        const struct fmt_journal *rec = journal_record(m, i);
        add_area(map,
                 clean                    ? META_ZERO
                 : fmt_journal_ok(m, rec) ? META_JOURNAL
                                          : META_UNUSED,
                 media_off(m, rec), FMT_JOURNAL_RECORD);
    }
}

/* Superblocks, states, journal and snapshot. */
static void add_areas(struct metadata_map *map, const struct media *m) {
    const uint64_t superblocks[] = {0, m->size - BLK};
    for (unsigned i = 0; i < 2; i++) {
        add_area(map, META_SUPERBLOCK, superblocks[i], sizeof(struct fmt_sb));
        add_area(map, META_ZERO, superblocks[i] + sizeof(struct fmt_sb), BLK - sizeof(struct fmt_sb));
    }
    bool clean = true;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t off = m->state_blk * BLK + i * FMT_STATE_SLOT_OFF;
        const struct fmt_state *st = (const struct fmt_state *)(const void *)(m->base + off);
        const struct fmt_state *other = (const struct fmt_state *)(const void *)(m->base + m->state_blk * BLK +
                                                                                 (1 - i) * FMT_STATE_SLOT_OFF);
        if (st->seq > other->seq)
            clean = st->state == FMT_STATE_CLEAN;
        add_area(map, META_STATE, off, sizeof *st);
        add_area(map, META_ZERO, off + sizeof *st, FMT_STATE_SLOT_OFF - sizeof *st);
    }
    add_journal(map, m, clean);
    uint32_t used = (m->blocks + FMT_SNAP_PAYLOAD * 8 - 1) / (FMT_SNAP_PAYLOAD * 8) +
                    (m->inodes_max + FMT_SNAP_PAYLOAD * 8 - 1) / (FMT_SNAP_PAYLOAD * 8);
    for (uint32_t i = 0; i < m->snap_count; i++)
        add_area(map, clean && i < used ? META_SNAPSHOT : META_UNUSED, (m->snap_blk + i) * BLK, BLK);
}

/* The table's pointers; returns how many are in use. */
static uint32_t add_table(struct metadata_map *map, const struct media *m) {
    const fmt_ptr *ptrs = (const fmt_ptr *)(const void *)media_blk(m, m->itable_blk);
    uint32_t n = 0, cap = m->itable_count * FMT_PTRS_PER_BLK, blk;
    for (; n < cap && ptrs[n] != 0; n++) {
        add(map, (struct meta_item){META_TABLE_POINTER, media_off(m, &ptrs[n]), 8, n, 0, 0, 0});
        assert_true(fmt_ptr_get(m, FMT_TAG_ITABLE, n, 0, 0, ptrs[n], &blk));
        add_area(map, META_UNUSED, blk * BLK, BLK);
    }
    add_area(map, META_ZERO, media_off(m, &ptrs[n]), (cap - n) * sizeof *ptrs);
    return n;
}

static enum meta_kind kind_of(uint8_t entry_kind) {
    return (enum meta_kind)(META_WRITE + (entry_kind - FMT_WRITE));
}
static_assert(META_XATTR - META_WRITE == FMT_KIND_LAST - FMT_WRITE, "all entry kinds, in their order");

static void add_line(struct metadata_map *map, const struct log *log, enum meta_kind kind, const void *at,
                     uint32_t lines) {
    add(map, (struct meta_item){kind, media_off(log->m, at), lines * FMT_LINE, log->ino, log->gen, 0, 0});
}

/* The log page `blk`, entered from line `end` of `from`. */
static void add_page(struct metadata_map *map, const struct log *log, uint32_t from, uint32_t end, uint32_t blk) {
    const struct media *m = log->m;
    struct fmt_page *page = (struct fmt_page *)(void *)media_blk(m, blk);
    struct fmt_page *before = (struct fmt_page *)(void *)media_blk(m, from);
    if (end < (from != 0 ? FMT_PAGE_LINES : log->slot_cut ? 0 : FMT_INLINE_LINES))
        add_line(map, log, META_PADDING, log_line(log, (struct log_pos){from, end}), 1);
    add(map, (struct meta_item){from != 0       ? META_NEXT
                                : log->slot_cut ? META_FIRST
                                                : META_HEAD,
                                media_off(m, from == 0 ? &log->slot->head : &before->tail.next), 8, log->ino, log->gen,
                                from, 0});
    add_area(map, META_UNUSED, blk * BLK, BLK);
    add(map, (struct meta_item){META_PAGE_TAIL, media_off(m, &page->tail), offsetof(struct fmt_page_tail, next),
                                log->ino, log->gen, 0, 0});
}

struct values {
    struct metadata_map *map;
    const struct log *log;
};

static bool add_value(void *arg, const struct fmt_entry *e) {
    const struct values *v = arg;
    struct fmt_xattr_body body;
    memcpy(&body, e->payload, sizeof body);
    uint64_t left = body.value_len;
    for (uint32_t i = 0; i < body.extents; i++) {
        struct nova_extent ext = fmt_xattr_extent(e, i);
        for (uint32_t k = 0; k < ext.count; k++) { /* an item per block */
            uint64_t len = left < BLK ? left : BLK;
            add(v->map, (struct meta_item){META_VALUE, (ext.blk + k) * BLK, (uint32_t)len, v->log->ino, v->log->gen, 0,
                                           media_off(v->log->m, e)});
            left -= len;
        }
    }
    return true;
}

/* Slot, log and attributes of an inode. names, if not NULL, becomes what a directory's log leaves. */
static void add_inode(struct metadata_map *map, const struct media *m, uint32_t ino, struct dir_map *names) {
    struct fmt_inode *slot = image_slot(m, ino);
    struct log log;
    struct log_cursor cur = {0};
    struct log_item item;
    struct xattr_map attrs = {0};
    struct values values = {map, &log};
    uint32_t last = 0, end = 0;
    image_log(m, ino, &log);
    add(map, (struct meta_item){META_SLOT, media_off(m, slot), offsetof(struct fmt_inode, head), ino, slot->gen, 0, 0});
    add(map, (struct meta_item){META_TAIL, media_off(m, &slot->tail), 8, ino, slot->gen, 0, 0});
    for (;;) {
        assert_int_equal(log_next(&log, &cur, &item, NULL), NOVA_OK);
        if (item.entry == NULL)
            break;
        if (item.entered != 0)
            add_page(map, &log, last, end, item.entered);
        add_line(map, &log, kind_of(item.entry->kind), item.entry, item.entry->lines);
        last = item.pos.blk;
        end = item.pos.idx + item.entry->lines;
        assert_true(xattr_apply(&attrs, item.entry, item.pos));
        if (names == NULL)
            continue;
        struct fmt_dentry_body d;
        const char *name = (const char *)item.entry + FMT_DENTRY_NAME_OFF;
        memcpy(&d, item.entry->payload, sizeof d);
        if (item.entry->kind == FMT_DENTRY_ADD)
            assert_true(dir_map_put(names, name, d.name_len, d.ino, d.gen, d.type));
        else if (item.entry->kind == FMT_DENTRY_REMOVE)
            (void)dir_map_remove(names, name, d.name_len);
    }
    xattr_map_each(&attrs, &log, add_value, &values);
    xattr_map_free(&attrs);
}

enum reached { NOT_REACHED, REACHED, REACHED_DIR };

/* A directory, and those below it. What else its names reach is noted. */
static void add_dir(struct metadata_map *map, const struct media *m, uint32_t ino, uint8_t *reached) {
    struct dir_map names;
    uint32_t it = 0;
    dir_map_init(&names);
    add_inode(map, m, ino, &names);
    reached[ino] = REACHED_DIR;
    for (const struct dir_name *n; (n = dir_map_next(&names, &it)) != NULL;) {
        if (n->type == NOVA_DIR)
            add_dir(map, m, n->ino, reached);
        else
            reached[n->ino] = REACHED;
    }
    dir_map_free(&names);
}

void metadata_map_init(struct metadata_map *map, const struct media *m) {
    *map = (struct metadata_map){.len = m->size, .kind = calloc(1, m->size)};
    assert_non_null(map->kind);
    add_areas(map, m);
    uint32_t slots = add_table(map, m) * FMT_SLOTS_PER_BLK;
    add_area(map, META_ZERO, media_off(m, image_slot(m, 0)), FMT_SLOT);
    uint8_t *reached = calloc(slots, 1);
    assert_non_null(reached);
    add_dir(map, m, NOVA_ROOT_INO, reached);
    for (uint32_t ino = NOVA_ROOT_INO + 1; ino < slots; ino++) {
        struct fmt_inode *slot = image_slot(m, ino);
        if (reached[ino] == REACHED)
            add_inode(map, m, ino, NULL);
        else if (reached[ino] == NOT_REACHED &&
                 slot->tail == 0) /* with a tail, and in a pool not closed in order, it would mean nothing either */
            add(map, (struct meta_item){META_ZERO, media_off(m, &slot->tail), 8, ino, slot->gen, 0, 0});
    }
    free(reached);
}

void metadata_map_free(struct metadata_map *map) {
    free(map->kind);
    free(map->item);
    *map = (struct metadata_map){0};
}

/* ---- check bits ---- */

static void seal_pointer(const struct media *m, const struct meta_item *it, enum fmt_ptr_tag tag) {
    fmt_ptr *p = (fmt_ptr *)(void *)(m->base + it->off);
    *p = fmt_ptr_make(m, tag, it->ino, it->gen, it->home, (uint32_t)*p);
}

static void seal_value(const struct media *m, struct fmt_entry *e) {
    struct nova_extent ext[FMT_PAGE_LINES * FMT_LINE / sizeof(struct nova_extent)];
    struct fmt_xattr_body body;
    memcpy(&body, e->payload, sizeof body);
    for (uint32_t i = 0; i < body.extents; i++)
        ext[i] = fmt_xattr_extent(e, i);
    body.value_crc = fmt_xattr_crc(m, ext, body.extents, body.value_len);
    memcpy(e->payload, &body, sizeof body);
    fmt_entry_seal(m, e);
}

void metadata_seal(const struct media *m, const struct meta_item *it) {
    void *at = m->base + it->off;
    switch (it->kind) {
    case META_SUPERBLOCK: fmt_sb_seal(at); break;
    case META_STATE: fmt_state_seal(m, at); break;
    case META_SNAPSHOT: fmt_snap_seal(m, at); break;
    case META_SLOT: fmt_inode_seal(m, at); break;
    case META_PAGE_TAIL: fmt_page_tail_seal(m, at); break;
    case META_TABLE_POINTER: seal_pointer(m, it, FMT_TAG_ITABLE); break;
    case META_HEAD: seal_pointer(m, it, FMT_TAG_HEAD); break;
    case META_FIRST: seal_pointer(m, it, FMT_TAG_FIRST); break;
    case META_NEXT: seal_pointer(m, it, FMT_TAG_NEXT); break;
    case META_TAIL: {
        uint64_t *p = at;
        struct log_end end = {{(uint32_t)*p, (uint32_t)(*p >> 32 & 0x7f) - 1}, (*p >> 39 & 1) != 0};
        *p = fmt_tail_make(m, it->ino, it->gen, end);
        break;
    }
    case META_WRITE:
    case META_TRUNCATE:
    case META_SETATTR:
    case META_ADD:
    case META_REMOVE:
    case META_PADDING:
    case META_LINK:
    case META_HOLE:
    case META_COLLAPSE:
    case META_INSERT:
    case META_ALLOC:
    case META_XATTR: {
        struct fmt_entry *e = at;
        if (e->lines >= 1 && e->lines <= FMT_ENTRY_LINES_MAX) /* no checksum covers another length */
            fmt_entry_seal(m, e);
        break;
    }
    case META_VALUE: seal_value(m, (struct fmt_entry *)(void *)(m->base + it->entry)); break;
    case META_JOURNAL: fmt_journal_seal(m, at); break;
    case META_DATA:
    case META_UNUSED:
    case META_ZERO:
    case META_KINDS: break;
    }
}

void metadata_check_bits(enum meta_kind kind, uint32_t *first, uint32_t *count) {
    uint32_t byte = kind == META_SUPERBLOCK  ? offsetof(struct fmt_sb, crc)
                    : kind == META_STATE     ? offsetof(struct fmt_state, crc)
                    : kind == META_SNAPSHOT  ? offsetof(struct fmt_snap, crc)
                    : kind == META_PAGE_TAIL ? offsetof(struct fmt_page_tail, crc)
                                             : 0; /* slots and entries start with theirs */
    bool pointer = kind == META_TABLE_POINTER || kind == META_HEAD || kind == META_FIRST || kind == META_NEXT;
    *first = pointer ? 32 : kind == META_TAIL ? 40 : byte * 8;
    *count = kind == META_TAIL ? 24 : kind == META_VALUE ? 0 : 32;
}
