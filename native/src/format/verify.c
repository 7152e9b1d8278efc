/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing and verifying everything on the media but the superblock. */
#include <string.h>

#include "format/media.h"
#include "util/crc32c.h"

/* ---- pointer words ---- */

static uint32_t ptr_check(const struct media *m, enum fmt_ptr_tag tag, uint32_t owner, uint32_t gen, uint32_t home,
                          uint32_t val) {
    /* Five numbers of 4 bytes, stored as they are loaded: to put two stores together for one load takes longer. */
    const uint64_t in[3] = {(uint64_t)tag << 32, owner | (uint64_t)gen << 32, home | (uint64_t)val << 32};
    return nova_crc32c(m->seed, (const uint8_t *)in + 4, sizeof in - 4);
}

fmt_ptr fmt_ptr_make(const struct media *m, enum fmt_ptr_tag tag, uint32_t owner, uint32_t gen, uint32_t home,
                     uint32_t blk) {
    return (uint64_t)ptr_check(m, tag, owner, gen, home, blk) << 32 | blk;
}

bool fmt_ptr_get(const struct media *m, enum fmt_ptr_tag tag, uint32_t owner, uint32_t gen, uint32_t home, fmt_ptr ptr,
                 uint32_t *blk) {
    uint32_t b = (uint32_t)ptr;
    if (ptr >> 32 != ptr_check(m, tag, owner, gen, home, b) || !media_is_data(m, b, 1))
        return false;
    *blk = b;
    return true;
}

/*
 * Tail: block in bits 0..31, line + 1 in bits 32..38 (so that no tail is 0, which means a free slot), whether there is
 * a link entry in bit 39, 24 check bits above.
 */
#define TAIL_PLACE_SHIFT 32
#define TAIL_LINKED 0x80u
#define TAIL_CHECK_SHIFT 40

static uint64_t tail_check(const struct media *m, uint32_t ino, uint32_t gen, uint32_t place, uint32_t blk) {
    return ptr_check(m, FMT_TAG_TAIL, ino, gen, place, blk) & 0xffffffu;
}

fmt_ptr fmt_tail_make(const struct media *m, uint32_t ino, uint32_t gen, struct log_end end) {
    uint32_t place = (end.pos.idx + 1) | (end.linked ? TAIL_LINKED : 0);
    return tail_check(m, ino, gen, place - 1, end.pos.blk) << TAIL_CHECK_SHIFT | (uint64_t)place << TAIL_PLACE_SHIFT |
           end.pos.blk;
}

bool fmt_tail_get(const struct media *m, uint32_t ino, uint32_t gen, fmt_ptr word, struct log_end *end) {
    uint32_t place = (uint32_t)(word >> TAIL_PLACE_SHIFT & 0xff);
    struct log_pos p = {.blk = (uint32_t)word, .idx = (place & ~TAIL_LINKED) - 1};
    if (word == 0 || word >> TAIL_CHECK_SHIFT != tail_check(m, ino, gen, place - 1, p.blk))
        return false;
    /* A tail in a page lies behind at least one entry. */
    bool fits = p.blk == 0 ? p.idx <= FMT_INLINE_LINES
                           : p.idx >= 1 && p.idx <= FMT_PAGE_LINES && media_is_data(m, p.blk, 1);
    if (!fits)
        return false;
    *end = (struct log_end){p, (place & TAIL_LINKED) != 0};
    return true;
}

/* ---- fixed structures ---- */

static uint32_t state_crc(const struct media *m, const struct fmt_state *st) {
    return nova_crc32c(m->seed, st, offsetof(struct fmt_state, crc));
}

void fmt_state_seal(const struct media *m, struct fmt_state *st) {
    st->crc = state_crc(m, st);
}

bool fmt_state_ok(const struct media *m, const struct fmt_state *st) {
    return st->magic == FMT_STATE_MAGIC && st->crc == state_crc(m, st) &&
           (st->state == FMT_STATE_DIRTY || st->state == FMT_STATE_CLEAN);
}

static uint32_t snap_crc(const struct media *m, const struct fmt_snap *snap) {
    uint32_t crc = nova_crc32c(m->seed, snap, offsetof(struct fmt_snap, crc));
    return nova_crc32c(crc, snap->payload, sizeof snap->payload);
}

void fmt_snap_seal(const struct media *m, struct fmt_snap *snap) {
    snap->crc = snap_crc(m, snap);
}

bool fmt_snap_ok(const struct media *m, const struct fmt_snap *snap) {
    return snap->magic == FMT_SNAP_MAGIC && snap->crc == snap_crc(m, snap);
}

static uint32_t inode_crc(const struct media *m, const struct fmt_inode *inode) {
    return nova_crc32c(m->seed, &inode->magic, offsetof(struct fmt_inode, head) - offsetof(struct fmt_inode, magic));
}

void fmt_inode_seal(const struct media *m, struct fmt_inode *inode) {
    inode->crc = inode_crc(m, inode);
}

static bool type_ok(uint8_t type) {
    return type == NOVA_FILE || type == NOVA_DIR || type == NOVA_SYMLINK;
}

bool fmt_inode_ok(const struct media *m, const struct fmt_inode *inode, uint32_t ino) {
    return inode->magic == FMT_INODE_MAGIC && inode->ino == ino && inode->gen != 0 && type_ok(inode->type) &&
           inode->crc == inode_crc(m, inode);
}

static uint32_t page_tail_crc(const struct media *m, const struct fmt_page_tail *tail) {
    return nova_crc32c(m->seed, tail, offsetof(struct fmt_page_tail, crc));
}

void fmt_page_tail_seal(const struct media *m, struct fmt_page_tail *tail) {
    tail->crc = page_tail_crc(m, tail);
}

bool fmt_page_tail_ok(const struct media *m, const struct fmt_page_tail *tail, uint32_t ino, uint32_t gen) {
    return tail->magic == FMT_PAGE_MAGIC && tail->ino == ino && tail->gen == gen && tail->crc == page_tail_crc(m, tail);
}

static uint32_t journal_crc(const struct media *m, const struct fmt_journal *rec) {
    return nova_crc32c(m->seed, &rec->magic, sizeof *rec - offsetof(struct fmt_journal, magic));
}

void fmt_journal_seal(const struct media *m, struct fmt_journal *rec) {
    rec->crc = journal_crc(m, rec);
}

bool fmt_journal_ok(const struct media *m, const struct fmt_journal *rec) {
    if (rec->magic != FMT_JOURNAL_MAGIC || rec->crc != journal_crc(m, rec) || rec->count < 2 ||
        rec->count > FMT_JOURNAL_MOVES)
        return false;
    for (uint32_t i = 0; i < rec->count; i++) {
        const struct fmt_move *move = &rec->moves[i];
        struct log_end end;
        if (!fmt_tail_get(m, move->ino, move->gen, move->from, &end) ||
            !fmt_tail_get(m, move->ino, move->gen, move->to, &end))
            return false;
    }
    return true;
}

/* ---- entries ---- */

static uint32_t entry_crc(const struct media *m, const struct fmt_entry *e) {
    return nova_crc32c(m->seed, &e->kind, FMT_LINE * (size_t)e->lines - offsetof(struct fmt_entry, kind));
}

void fmt_entry_seal(const struct media *m, void *entry) {
    uint64_t first; /* stored as it is copied */
    uint32_t crc = entry_crc(m, entry);
    memcpy(&first, entry, sizeof first);
    first = (first & ~(uint64_t)UINT32_MAX) | crc;
    memcpy(entry, &first, sizeof first);
}

/* Where in its block the bytes begin that a write entry certifies. */
static uint64_t certified_at(const struct fmt_write_body *w) {
    return w->count == 0 ? (w->size - w->data_len) % NOVA_BLOCK_SIZE : 0;
}

static bool certified_place_ok(const struct media *m, const struct fmt_write_body *w) {
    return w->count <= 1 && w->data_len <= w->size && certified_at(w) + w->data_len <= NOVA_BLOCK_SIZE &&
           media_is_data(m, w->blk, 1);
}

bool fmt_entry_certifies(const struct fmt_entry *e) {
    struct fmt_write_body w;
    memcpy(&w, e->payload, sizeof w);
    return e->kind == FMT_WRITE && w.data_len != 0;
}

bool fmt_entry_data_ok(const struct media *m, const struct fmt_entry *e) {
    struct fmt_write_body w;
    memcpy(&w, e->payload, sizeof w);
    return w.data_crc == nova_crc32c(m->seed, media_blk(m, w.blk) + certified_at(&w), w.data_len);
}

void fmt_entry_flush(const struct media *m, const struct fmt_entry *e) {
    struct fmt_write_body w;
    memcpy(&w, e->payload, sizeof w);
    m->ops->flush(m->ops, media_blk(m, w.blk) + certified_at(&w), w.data_len);
    m->ops->flush(m->ops, e, FMT_LINE);
}

static const char *check_write(const struct media *m, const struct fmt_entry *e, uint8_t type) {
    struct fmt_write_body w;
    memcpy(&w, e->payload, sizeof w);
    if (type != NOVA_FILE && type != NOVA_SYMLINK)
        return "write entry in the log of a directory";
    if (w.size > (uint64_t)NOVA_FILE_SIZE_MAX || (w.data_len == 0 && w.data_crc != 0))
        return "write entry with a field out of range";
    if (w.data_len != 0 && (type != NOVA_FILE || !certified_place_ok(m, &w)))
        return "write entry that certifies bytes out of range";
    if (w.count == 0)
        return w.pgoff == 0 && (w.blk == 0 || w.data_len != 0) ? NULL : "write entry without pages but with a place";
    uint64_t pages = pages_of(w.size);
    if (w.pgoff >= pages || w.count > pages - w.pgoff)
        return "write entry beyond its own file size";
    return media_is_data(m, w.blk, w.count) ? NULL : "write entry with blocks outside the data area";
}

static const char *check_truncate(const struct fmt_entry *e, uint8_t type) {
    struct fmt_write_body w;
    memcpy(&w, e->payload, sizeof w);
    if (type != NOVA_FILE)
        return "truncate entry in the log of something that is no file";
    return w.size <= (uint64_t)NOVA_FILE_SIZE_MAX && w.pgoff == 0 && w.blk == 0 && w.count == 0 && w.data_crc == 0 &&
                   w.data_len == 0
               ? NULL
               : "truncate entry with a field out of range";
}

/* Of what one entry says by itself; the size before it is the reader's to compare. */
static const char *check_range(const struct fmt_entry *e, uint8_t type) {
    struct fmt_range_body r;
    memcpy(&r, e->payload, sizeof r);
    if (type != NOVA_FILE)
        return "range entry in the log of something that is no file";
    if (r.size > (uint64_t)NOVA_FILE_SIZE_MAX || r.zero != 0 || r.count == 0 || r.pgoff >= FMT_FILE_PAGES ||
        r.count > FMT_FILE_PAGES - r.pgoff)
        return "range entry with a field out of range";
    /* Something lay behind what was removed; what was moved up lies behind what came in. */
    uint64_t inside = e->kind == FMT_COLLAPSE ? r.pgoff + 1 : e->kind == FMT_INSERT ? r.pgoff + r.count + 1 : 0;
    uint64_t pages = pages_of(r.size);
    return pages >= inside ? NULL : "range entry beyond its file size";
}

static const char *check_alloc(const struct media *m, const struct fmt_entry *e, uint8_t type) {
    struct fmt_write_body w;
    memcpy(&w, e->payload, sizeof w);
    if (type != NOVA_FILE)
        return "alloc entry in the log of something that is no file";
    if (w.size > (uint64_t)NOVA_FILE_SIZE_MAX || w.data_crc != 0 || w.data_len != 0 || w.count == 0 ||
        w.pgoff >= FMT_FILE_PAGES || w.count > FMT_FILE_PAGES - w.pgoff)
        return "alloc entry with a field out of range";
    return media_is_data(m, w.blk, w.count) ? NULL : "alloc entry with blocks outside the data area";
}

static const char *check_setattr(const struct fmt_entry *e) {
    struct fmt_setattr_body a;
    memcpy(&a, e->payload, sizeof a);
    const uint32_t known = NOVA_ATTR_MODE | NOVA_ATTR_UID | NOVA_ATTR_GID | NOVA_ATTR_ATIME | NOVA_ATTR_MTIME |
                           NOVA_ATTR_CTIME | NOVA_ATTR_BTIME;
    const uint32_t both = NOVA_ATTR_ATIME | NOVA_ATTR_BTIME;
    if (a.mask == 0 || (a.mask & ~known) != 0)
        return "setattr entry with an unknown attribute";
    return (a.mask & both) != both ? NULL : "setattr entry with two times at one place";
}

static const char *check_dentry(const struct media *m, const struct fmt_entry *e, uint8_t type) {
    struct fmt_dentry_body d;
    memcpy(&d, e->payload, sizeof d);
    const char *name = (const char *)e + FMT_DENTRY_NAME_OFF;
    const char *end = (const char *)e + FMT_LINE * (size_t)e->lines;
    if (type != NOVA_DIR)
        return "dentry in the log of something that is no directory";
    if (d.ino <= NOVA_ROOT_INO || d.ino >= m->inodes_max || d.gen == 0 || !type_ok(d.type) || d.zero != 0)
        return "dentry with a field out of range";
    if (d.name_len == 0 || e->lines != (FMT_DENTRY_NAME_OFF + d.name_len + FMT_LINE - 1) / FMT_LINE)
        return "dentry whose name does not fit its length";
    if (name[0] == '.' && (d.name_len == 1 || (d.name_len == 2 && name[1] == '.')))
        return "dentry whose name is \".\" or \"..\"";
    for (const char *p = name; p < name + d.name_len; p++)
        if (*p == '/' || *p == '\0')
            return "dentry whose name holds '/' or NUL";
    for (const char *p = name + d.name_len; p < end; p++)
        if (*p != '\0')
            return "dentry with bytes behind its name";
    return NULL;
}

static const char *check_link(const struct fmt_entry *e, uint8_t type) {
    static const uint8_t zero[sizeof((struct fmt_link_body *)0)->zero2];
    struct fmt_link_body l;
    memcpy(&l, e->payload, sizeof l);
    if (type == NOVA_DIR)
        return "link entry in the log of a directory";
    return l.nlink != 0 && l.nlink <= NOVA_LINK_MAX && l.zero == 0 && memcmp(l.zero2, zero, sizeof zero) == 0
               ? NULL
               : "link entry with a field out of range";
}

struct nova_extent fmt_xattr_extent(const void *entry, uint32_t i) {
    const struct fmt_entry *e = entry;
    struct fmt_xattr_body x;
    struct nova_extent ext;
    memcpy(&x, e->payload, sizeof x);
    static_assert(sizeof ext == FMT_XATTR_EXTENT, "an extent on the media is one in memory");
    memcpy(&ext, (const char *)entry + FMT_XATTR_NAME_OFF + x.name_len + (size_t)i * sizeof ext, sizeof ext);
    return ext;
}

uint32_t fmt_xattr_crc(const struct media *m, const struct nova_extent *ext, uint32_t n, uint32_t value_len) {
    uint32_t crc = m->seed;
    for (uint32_t i = 0; i < n && value_len != 0; i++) {
        uint64_t bytes = (uint64_t)ext[i].count << NOVA_BLOCK_SHIFT;
        uint32_t len = bytes < value_len ? (uint32_t)bytes : value_len;
        crc = nova_crc32c(crc, media_blk(m, ext[i].blk), len);
        value_len -= len;
    }
    return crc;
}

bool fmt_xattr_value_ok(const struct media *m, const void *entry) {
    const struct fmt_entry *e = entry;
    struct fmt_xattr_body x;
    struct nova_extent ext[FMT_XATTR_EXTENTS];
    memcpy(&x, e->payload, sizeof x);
    for (uint32_t i = 0; i < x.extents; i++)
        ext[i] = fmt_xattr_extent(entry, i);
    return x.extents == 0 || fmt_xattr_crc(m, ext, x.extents, x.value_len) == x.value_crc;
}

static const char *check_extents(const struct media *m, const struct fmt_entry *e, const struct fmt_xattr_body *x) {
    uint64_t blocks = 0;
    for (uint32_t i = 0; i < x->extents; i++) {
        struct nova_extent ext = fmt_xattr_extent(e, i);
        if (!media_is_data(m, ext.blk, ext.count))
            return "xattr entry with blocks outside the data area";
        blocks += ext.count;
    }
    return blocks == pages_of(x->value_len) ? NULL : "xattr entry with wrong extents";
}

static const char *check_xattr(const struct media *m, const struct fmt_entry *e) {
    struct fmt_xattr_body x;
    memcpy(&x, e->payload, sizeof x);
    const char *name = (const char *)e + FMT_XATTR_NAME_OFF;
    const char *end = (const char *)e + FMT_LINE * (size_t)e->lines;
    bool remove = x.op == FMT_XATTR_REMOVE;
    if ((x.op != FMT_XATTR_SET && !remove) || x.name_len == 0 || x.value_len > NOVA_XATTR_MAX ||
        x.extents > FMT_XATTR_EXTENTS || x.zero != 0 || (remove && (x.value_len != 0 || x.extents != 0)) ||
        (x.extents == 0 && x.value_crc != 0) || (x.extents != 0 && x.value_len == 0))
        return "xattr entry with a field out of range";
    uint32_t bytes = FMT_XATTR_NAME_OFF + x.name_len + (x.extents != 0 ? x.extents * FMT_XATTR_EXTENT : x.value_len);
    if (e->lines != (bytes + FMT_LINE - 1) / FMT_LINE)
        return "xattr entry that does not fit its length";
    if (memchr(name, '\0', x.name_len) != NULL)
        return "xattr entry whose name holds NUL";
    for (const char *p = (const char *)e + bytes; p < end; p++)
        if (*p != '\0')
            return "xattr entry with bytes behind its end";
    return x.extents == 0 ? NULL : check_extents(m, e, &x);
}

bool fmt_entry_whole(const struct media *m, const struct fmt_entry *e, uint32_t lines) {
    return e->lines != 0 && e->lines <= FMT_ENTRY_LINES_MAX && e->lines <= lines && e->crc == entry_crc(m, e);
}

const char *fmt_entry_look(const struct media *m, const void *entry, uint32_t avail, uint32_t ino, uint32_t gen,
                           uint8_t type) {
    const struct fmt_entry *e = entry;
    if (e->lines == 0 || e->lines > FMT_ENTRY_LINES_MAX || e->lines > avail)
        return "entry with an impossible length";
    if (e->ino != ino || e->gen != gen)
        return "entry of another inode";
    if (e->zero != 0 || e->seq == 0 || e->seq > INT64_MAX)
        return "entry header with a field out of range";
    if (e->lines != 1 && e->kind != FMT_DENTRY_ADD && e->kind != FMT_DENTRY_REMOVE && e->kind != FMT_XATTR)
        return "entry with an impossible length";
    switch (e->kind) {
    case FMT_WRITE: return check_write(m, e, type);
    case FMT_TRUNCATE: return check_truncate(e, type);
    case FMT_SETATTR: return check_setattr(e);
    case FMT_DENTRY_ADD:
    case FMT_DENTRY_REMOVE: return check_dentry(m, e, type);
    case FMT_LINK: return check_link(e, type);
    case FMT_HOLE:
    case FMT_COLLAPSE:
    case FMT_INSERT: return check_range(e, type);
    case FMT_ALLOC: return check_alloc(m, e, type);
    case FMT_XATTR: return check_xattr(m, e);
    case FMT_PAD: return NULL;
    default: return "entry of an unknown kind";
    }
}

const char *fmt_entry_check(const struct media *m, const void *entry, uint32_t avail, uint32_t ino, uint32_t gen,
                            uint8_t type) {
    const struct fmt_entry *e = entry;
    bool readable = e->lines != 0 && e->lines <= FMT_ENTRY_LINES_MAX && e->lines <= avail;
    return readable && !fmt_entry_whole(m, e, avail) ? "entry checksum does not fit"
                                                     : fmt_entry_look(m, entry, avail, ino, gen, type);
}
