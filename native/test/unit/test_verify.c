/* SPDX-License-Identifier: Apache-2.0 */
/* Pointer words, sealed structures, log entries: valid ones pass, each flipped bit and each field out of range does
 * not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/media.h"
#include "image.h"
#include "rng.h"
#include "util/crc32c.h"

#define INO 77u
#define GEN 5u

static struct media m; /* geometry only */

static int set_up(void **state) {
    (void)state;
    struct fmt_sb sb;
    assert_int_equal(media_layout((uint64_t)1 << 32, &sb, NULL), NOVA_OK);
    memset(sb.uuid, 0x5a, sizeof sb.uuid);
    fmt_sb_seal(&sb);
    uint8_t head[NOVA_BLOCK_SIZE] = {0};
    memcpy(head, &sb, sizeof sb);
    bool from_replica;
    return media_attach(&m, head, sb.size, &pmem_ops_cpu, &from_replica,
                        NULL); /* the primary is good: only it is read */
}

static void flip(void *p, size_t bit) {
    ((uint8_t *)p)[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

/* ---- pointer words ---- */

static bool get(enum fmt_ptr_tag tag, uint32_t owner, uint32_t gen, uint32_t home, fmt_ptr p) {
    uint32_t blk = 0;
    bool ok = fmt_ptr_get(&m, tag, owner, gen, home, p, &blk);
    if (ok)
        assert_int_equal(blk, (uint32_t)p);
    else
        assert_int_equal(blk, 0);
    return ok;
}

static void pointers_round_trip(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    for (int i = 0; i < 10000; i++) {
        uint32_t blk = m.data_blk + rng_below(&r, m.data_end - m.data_blk), home = rng_below(&r, m.data_end);
        assert_true(get(FMT_TAG_NEXT, INO, GEN, home, fmt_ptr_make(&m, FMT_TAG_NEXT, INO, GEN, home, blk)));
    }
    assert_true(get(FMT_TAG_HEAD, INO, GEN, 0, fmt_ptr_make(&m, FMT_TAG_HEAD, INO, GEN, 0, m.data_blk)));
    assert_true(get(FMT_TAG_HEAD, INO, GEN, 0, fmt_ptr_make(&m, FMT_TAG_HEAD, INO, GEN, 0, m.data_end - 1)));
}

static void pointers_outside_the_data_area_fail(void **state) {
    (void)state;
    const uint32_t bad[] = {0,          1,        m.state_blk, m.itable_blk, m.snap_blk, m.data_blk - 1,
                            m.data_end, m.blocks, INT32_MAX,   UINT32_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(get(FMT_TAG_HEAD, INO, GEN, 0, fmt_ptr_make(&m, FMT_TAG_HEAD, INO, GEN, 0, bad[i])));
    assert_false(get(FMT_TAG_HEAD, INO, GEN, 0, 0));
    assert_false(get(FMT_TAG_HEAD, INO, GEN, 0, UINT64_MAX));
}

static void pointers_prove_what_they_belong_to(void **state) {
    (void)state;
    uint32_t blk = m.data_blk + 100, home = m.data_blk + 3;
    fmt_ptr p = fmt_ptr_make(&m, FMT_TAG_NEXT, INO, GEN, home, blk);
    assert_true(get(FMT_TAG_NEXT, INO, GEN, home, p));
    assert_false(get(FMT_TAG_HEAD, INO, GEN, home, p));
    assert_false(get(FMT_TAG_ITABLE, INO, GEN, home, p));
    assert_false(get(FMT_TAG_TAIL, INO, GEN, home, p));
    for (size_t bit = 0; bit < 32; bit++) {
        assert_false(get(FMT_TAG_NEXT, INO ^ 1u << bit, GEN, home, p));
        assert_false(get(FMT_TAG_NEXT, INO, GEN ^ 1u << bit, home, p));
        assert_false(get(FMT_TAG_NEXT, INO, GEN, home ^ 1u << bit, p));
    }
    for (size_t bit = 0; bit < 64; bit++)
        assert_false(get(FMT_TAG_NEXT, INO, GEN, home, p ^ (fmt_ptr)1 << bit));
    struct media other = m;
    other.seed ^= 1;
    assert_false(get(FMT_TAG_NEXT, INO, GEN, home, fmt_ptr_make(&other, FMT_TAG_NEXT, INO, GEN, home, blk)));
}

/* ---- tail words ---- */

static bool tail_get(fmt_ptr word, struct log_end *end) {
    return fmt_tail_get(&m, INO, GEN, word, end);
}

static void tails_round_trip(void **state) {
    (void)state;
    for (uint32_t blk = 0; blk < 2; blk++) {
        for (uint32_t idx = 0; idx < 127; idx++) {
            struct log_end in = {{blk == 0 ? 0 : m.data_blk + 9, idx}, idx % 3 == 0}, out = {{9, 9}, false};
            bool fits = blk == 0 ? idx <= FMT_INLINE_LINES : idx >= 1 && idx <= FMT_PAGE_LINES;
            fmt_ptr word = fmt_tail_make(&m, INO, GEN, in);
            assert_true(word != 0);
            assert_int_equal(tail_get(word, &out), fits);
            assert_int_equal(out.pos.blk, fits ? in.pos.blk : 9);
            assert_int_equal(out.pos.idx, fits ? in.pos.idx : 9);
            assert_int_equal(out.linked, fits && in.linked);
        }
    }
    struct log_end out;
    assert_false(tail_get(0, &out));
    const uint32_t bad[] = {1, m.data_blk - 1, m.data_end, UINT32_MAX};
    for (size_t i = 0; i < 4; i++)
        assert_false(tail_get(fmt_tail_make(&m, INO, GEN, (struct log_end){{bad[i], 1}, false}), &out));
    assert_false(tail_get(UINT64_MAX, &out));
}

static void every_flipped_bit_of_a_tail_is_detected(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    for (int i = 0; i < 3000; i++) {
        struct log_end in = {{m.data_blk + rng_below(&r, m.data_end - m.data_blk), 1 + rng_below(&r, FMT_PAGE_LINES)},
                             rng_below(&r, 2) != 0},
                       out;
        if (i % 4 == 0)
            in.pos = (struct log_pos){0, rng_below(&r, FMT_INLINE_LINES + 1)};
        fmt_ptr word = fmt_tail_make(&m, INO, GEN, in);
        assert_true(tail_get(word, &out));
        for (size_t bit = 0; bit < 64; bit++)
            assert_false(tail_get(word ^ (fmt_ptr)1 << bit, &out));
        for (size_t bit = 0; bit < 32; bit++) {
            assert_false(fmt_tail_get(&m, INO ^ 1u << bit, GEN, word, &out));
            assert_false(fmt_tail_get(&m, INO, GEN ^ 1u << bit, word, &out));
        }
    }
}

/* ---- fixed structures ---- */

static void states(void **state) {
    (void)state;
    struct fmt_state st = {.magic = FMT_STATE_MAGIC, .state = FMT_STATE_CLEAN, .seq = 9, .snap_seq = 9}, x;
    fmt_state_seal(&m, &st);
    assert_true(fmt_state_ok(&m, &st));
    for (size_t bit = 0; bit < sizeof st * 8; bit++) {
        x = st;
        flip(&x, bit);
        assert_false(fmt_state_ok(&m, &x));
    }
    for (uint32_t s = 0; s < 10; s++) {
        x = st;
        x.state = s;
        fmt_state_seal(&m, &x);
        assert_int_equal(fmt_state_ok(&m, &x), s == FMT_STATE_DIRTY || s == FMT_STATE_CLEAN);
    }
    x = st;
    x.magic++;
    fmt_state_seal(&m, &x);
    assert_false(fmt_state_ok(&m, &x));
    memset(&x, 0, sizeof x);
    assert_false(fmt_state_ok(&m, &x));
    fmt_state_seal(&m, &x);
    assert_false(fmt_state_ok(&m, &x));
}

static void snapshots(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    struct fmt_snap *s = calloc(2, sizeof *s);
    assert_non_null(s);
    s->magic = FMT_SNAP_MAGIC;
    s->index = 3;
    s->seq = 12;
    for (size_t i = 0; i < sizeof s->payload; i++)
        s->payload[i] = (uint8_t)rng_next(&r);
    fmt_snap_seal(&m, s);
    assert_true(fmt_snap_ok(&m, s));
    for (size_t bit = 0; bit < sizeof *s * 8; bit++) {
        flip(s, bit);
        assert_false(fmt_snap_ok(&m, s));
        flip(s, bit);
    }
    assert_true(fmt_snap_ok(&m, s));
    s->magic ^= 0x100;
    fmt_snap_seal(&m, s);
    assert_false(fmt_snap_ok(&m, s));
    free(s);
}

static struct fmt_inode good_inode(void) {
    struct fmt_inode i = {
        .magic = FMT_INODE_MAGIC, .type = NOVA_FILE, .ino = INO, .gen = GEN, .mode = 0644, .btime = -5};
    fmt_inode_seal(&m, &i);
    return i;
}

static void inodes(void **state) {
    (void)state;
    struct fmt_inode i = good_inode(), x;
    assert_true(fmt_inode_ok(&m, &i, INO));
    assert_false(fmt_inode_ok(&m, &i, INO + 1));
    for (size_t bit = 0; bit < offsetof(struct fmt_inode, head) * 8; bit++) {
        x = i;
        flip(&x, bit);
        assert_false(fmt_inode_ok(&m, &x, INO));
    }
    x = i; /* what changes is outside the checksum */
    memset((uint8_t *)&x + offsetof(struct fmt_inode, head), 0xff, sizeof x - offsetof(struct fmt_inode, head));
    assert_true(fmt_inode_ok(&m, &x, INO));
    for (unsigned type = 0; type < 256; type++) {
        x = i;
        x.type = (uint8_t)type;
        fmt_inode_seal(&m, &x);
        assert_int_equal(fmt_inode_ok(&m, &x, INO), type >= NOVA_FILE && type <= NOVA_SYMLINK);
    }
    x = i;
    x.gen = 0;
    fmt_inode_seal(&m, &x);
    assert_false(fmt_inode_ok(&m, &x, INO));
    x = i;
    x.magic = 0;
    fmt_inode_seal(&m, &x);
    assert_false(fmt_inode_ok(&m, &x, INO));
    memset(&x, 0, sizeof x);
    assert_false(fmt_inode_ok(&m, &x, 0));
}

static void page_tails(void **state) {
    (void)state;
    struct fmt_page_tail t = {.magic = FMT_PAGE_MAGIC, .ino = INO, .gen = GEN, .next = 99}, x;
    fmt_page_tail_seal(&m, &t);
    assert_true(fmt_page_tail_ok(&m, &t, INO, GEN));
    assert_false(fmt_page_tail_ok(&m, &t, INO + 1, GEN));
    assert_false(fmt_page_tail_ok(&m, &t, INO, GEN + 1));
    for (size_t bit = 0; bit < offsetof(struct fmt_page_tail, next) * 8; bit++) {
        x = t;
        flip(&x, bit);
        assert_false(fmt_page_tail_ok(&m, &x, INO, GEN));
    }
    x = t;
    x.next = 0;
    assert_true(fmt_page_tail_ok(&m, &x, INO, GEN));
    x.magic = 0;
    fmt_page_tail_seal(&m, &x);
    assert_false(fmt_page_tail_ok(&m, &x, INO, GEN));
}

/* ---- entries ---- */

union entry {
    struct fmt_entry e;
    uint8_t bytes[FMT_ENTRY_LINES_MAX * FMT_LINE];
};

static void header(struct fmt_entry *e) {
    e->ino = INO;
    e->gen = GEN;
    e->seq = 3;
    fmt_entry_seal(&m, e);
}

static const char *check(const union entry *x, uint8_t type) {
    return fmt_entry_check(&m, x, FMT_ENTRY_LINES_MAX, INO, GEN, type);
}

static union entry good_write(void) {
    union entry x = {0};
    image_write_entry(&x.e, 10, m.data_blk + 50, 7, 16 * NOVA_BLOCK_SIZE + 1);
    header(&x.e);
    return x;
}

static union entry good_dentry(const char *name) {
    union entry x = {0};
    image_dentry(&x, FMT_DENTRY_ADD, name, 33, 2, NOVA_FILE);
    header(&x.e);
    return x;
}

static void flips_detected(const union entry *good, uint8_t type) {
    assert_null(check(good, type));
    for (size_t bit = 0; bit < (size_t)good->e.lines * FMT_LINE * 8; bit++) {
        union entry x = *good;
        flip(&x, bit);
        assert_non_null(check(&x, type));
    }
}

static void every_flipped_bit_of_an_entry_is_detected(void **state) {
    (void)state;
    union entry x = good_write();
    flips_detected(&x, NOVA_FILE);
    x = good_dentry("a");
    flips_detected(&x, NOVA_DIR);
    char name[256];
    for (size_t len = 1; len <= 255; len += 127) {
        memset(name, 'n', len);
        name[len] = 0;
        x = good_dentry(name);
        flips_detected(&x, NOVA_DIR);
    }
    memset(&x, 0, sizeof x);
    image_truncate_entry(&x.e, 5);
    header(&x.e);
    flips_detected(&x, NOVA_FILE);
    memset(&x, 0, sizeof x);
    x.e.kind = FMT_PAD;
    x.e.lines = 1;
    header(&x.e);
    flips_detected(&x, NOVA_SYMLINK);
}

static void headers(void **state) {
    (void)state;
    union entry x = good_write();
    assert_null(fmt_entry_check(&m, &x, 1, INO, GEN, NOVA_FILE));
    assert_non_null(fmt_entry_check(&m, &x, 0, INO, GEN, NOVA_FILE));
    assert_non_null(fmt_entry_check(&m, &x, 1, INO + 1, GEN, NOVA_FILE));
    assert_non_null(fmt_entry_check(&m, &x, 1, INO, GEN + 1, NOVA_FILE));
    struct media other = m;
    other.seed++;
    assert_non_null(fmt_entry_check(&other, &x, 1, INO, GEN, NOVA_FILE));
    for (unsigned kind = 0; kind < 256; kind++) {
        x = good_write();
        x.e.kind = (uint8_t)kind;
        fmt_entry_seal(&m, &x);
        if (kind == FMT_WRITE || kind == FMT_PAD)
            assert_null(check(&x, NOVA_FILE));
        else if (kind != FMT_SETATTR && kind != FMT_HOLE && kind != FMT_COLLAPSE &&
                 kind != FMT_ALLOC) /* its bytes happen to make sense as one */
            assert_non_null(check(&x, NOVA_FILE));
    }
    for (unsigned lines = 0; lines <= 255; lines++) {
        x = good_write();
        x.e.lines = (uint8_t)lines;
        if (lines <= FMT_ENTRY_LINES_MAX && lines != 0)
            fmt_entry_seal(&m, &x);
        if (lines != 1)
            assert_non_null(check(&x, NOVA_FILE));
    }
    x = good_write();
    x.e.zero = 1;
    fmt_entry_seal(&m, &x);
    assert_non_null(check(&x, NOVA_FILE));
    x = good_write();
    x.e.seq = 0;
    fmt_entry_seal(&m, &x);
    assert_non_null(check(&x, NOVA_FILE));
    x.e.seq = INT64_MAX; /* the last one */
    fmt_entry_seal(&m, &x);
    assert_null(check(&x, NOVA_FILE));
    x.e.seq++;
    fmt_entry_seal(&m, &x);
    assert_non_null(check(&x, NOVA_FILE));
}

/* A five-line dentry must have its lines in the page. */
static void entries_end_with_their_page(void **state) {
    (void)state;
    char name[256];
    for (size_t len = 1; len <= 255; len++) {
        memset(name, 'x', len);
        name[len] = 0;
        union entry x = good_dentry(name);
        for (uint32_t avail = 0; avail <= 6; avail++)
            assert_int_equal(fmt_entry_check(&m, &x, avail, INO, GEN, NOVA_DIR) == NULL, avail >= x.e.lines);
    }
}

static bool write_ok(uint64_t pgoff, uint64_t blk, uint64_t count, uint64_t size, enum fmt_kind kind, uint8_t type) {
    union entry x = {0};
    image_write_entry(&x.e, pgoff, (uint32_t)blk, (uint32_t)count, size);
    x.e.kind = (uint8_t)kind;
    header(&x.e);
    return check(&x, type) == NULL;
}

static void write_entries(void **state) {
    (void)state;
    const uint64_t d = m.data_blk, end = m.data_end, big = (uint64_t)NOVA_FILE_SIZE_MAX;
    assert_true(write_ok(0, d, 1, 1, FMT_WRITE, NOVA_FILE));
    assert_true(write_ok(0, d, 1, 4096, FMT_WRITE, NOVA_FILE));
    assert_true(write_ok(0, d, (uint32_t)(end - d), big, FMT_WRITE, NOVA_FILE));
    assert_true(write_ok(big / 4096 - 1, d, 1, big, FMT_WRITE, NOVA_FILE));
    assert_true(write_ok(0, 0, 0, 0, FMT_WRITE, NOVA_FILE));
    assert_true(write_ok(0, 0, 0, big, FMT_WRITE, NOVA_FILE));
    /* not of a file */
    assert_false(write_ok(0, d, 1, 1, FMT_WRITE, NOVA_DIR));
    assert_true(write_ok(0, d, 1, 1, FMT_WRITE, NOVA_SYMLINK));
    assert_false(write_ok(0, 0, 0, 1, FMT_TRUNCATE, NOVA_SYMLINK));
    /* blocks */
    assert_false(write_ok(0, 0, 1, 1, FMT_WRITE, NOVA_FILE));
    assert_false(write_ok(0, d - 1, 1, 1, FMT_WRITE, NOVA_FILE));
    assert_false(write_ok(0, d - 1, 2, 8192, FMT_WRITE, NOVA_FILE));
    assert_false(write_ok(0, end, 1, 1, FMT_WRITE, NOVA_FILE));
    assert_false(write_ok(0, end - 1, 2, 8192, FMT_WRITE, NOVA_FILE));
    assert_true(write_ok(0, end - 1, 1, 8192, FMT_WRITE, NOVA_FILE));
    assert_false(write_ok(0, UINT32_MAX, 1, 1, FMT_WRITE, NOVA_FILE));
    assert_false(write_ok(0, d, UINT32_MAX, big, FMT_WRITE, NOVA_FILE));
    assert_false(write_ok(0, UINT32_MAX, UINT32_MAX, big, FMT_WRITE, NOVA_FILE));
    /* pages beyond the size */
    assert_false(write_ok(0, d, 2, 4096, FMT_WRITE, NOVA_FILE));
    assert_true(write_ok(0, d, 2, 4097, FMT_WRITE, NOVA_FILE));
    assert_false(write_ok(1, d, 1, 4096, FMT_WRITE, NOVA_FILE));
    assert_false(write_ok(0, d, 1, 0, FMT_WRITE, NOVA_FILE));
    assert_false(write_ok(UINT64_MAX, d, 1, big, FMT_WRITE, NOVA_FILE));
    assert_false(write_ok(UINT64_MAX, d, 2, big, FMT_WRITE, NOVA_FILE));
    /* sizes */
    assert_false(write_ok(0, d, 1, big + 1, FMT_WRITE, NOVA_FILE));
    assert_false(write_ok(0, d, 1, UINT64_MAX, FMT_WRITE, NOVA_FILE));
    assert_false(write_ok(0, 0, 0, big + 1, FMT_WRITE, NOVA_FILE));
    /* a place without pages */
    assert_false(write_ok(1, 0, 0, 4096, FMT_WRITE, NOVA_FILE));
    assert_false(write_ok(0, d, 0, 4096, FMT_WRITE, NOVA_FILE));
}

/* Whether a write is good that says so of its bytes. */
static bool certified_ok(uint32_t blk, uint32_t count, uint64_t size, uint32_t crc, uint32_t len, uint8_t type) {
    union entry x = good_write();
    struct fmt_write_body w = {.blk = blk, .count = count, .size = size, .data_crc = crc, .data_len = len};
    memcpy(x.e.payload, &w, sizeof w);
    fmt_entry_seal(&m, &x);
    assert_int_equal(fmt_entry_certifies(&x.e), len != 0);
    return check(&x, type) == NULL;
}

static void certified_entries(void **state) {
    (void)state;
    const uint32_t d = m.data_blk;
    assert_false(certified_ok(d, 1, 4096, 1, 0, NOVA_FILE));   /* a checksum of nothing */
    assert_true(certified_ok(d, 1, 4096, 0, 4096, NOVA_FILE)); /* it may happen to be 0 */
    assert_true(certified_ok(d, 1, 4096, 1, 4096, NOVA_FILE));
    assert_true(certified_ok(d, 1, 100, 1, 100, NOVA_FILE));
    assert_false(certified_ok(d, 1, 100, 1, 101, NOVA_FILE)); /* beyond the size */
    assert_false(certified_ok(d, 1, 8192, 1, 4097, NOVA_FILE));
    assert_false(certified_ok(d, 2, 8192, 1, 4096, NOVA_FILE));
    assert_false(certified_ok(d, 1, 4096, 1, 4096, NOVA_SYMLINK));
    assert_false(certified_ok(d, 1, 4096, 1, 4096, NOVA_DIR));
    assert_true(certified_ok(d, 0, 4200, 1, 104, NOVA_FILE));
    assert_false(certified_ok(d, 0, 4200, 1, 105, NOVA_FILE)); /* over the start of the block */
    assert_true(certified_ok(m.data_end - 1, 0, 4200, 1, 100, NOVA_FILE));
    assert_false(certified_ok(m.data_end, 0, 4200, 1, 100, NOVA_FILE));
    assert_false(certified_ok(0, 0, 4200, 1, 100, NOVA_FILE));
    assert_false(certified_ok(d, 0, 50, 1, 100, NOVA_FILE));
}

static void truncate_entries(void **state) {
    (void)state;
    const uint64_t big = (uint64_t)NOVA_FILE_SIZE_MAX;
    assert_true(write_ok(0, 0, 0, 0, FMT_TRUNCATE, NOVA_FILE));
    assert_true(write_ok(0, 0, 0, big, FMT_TRUNCATE, NOVA_FILE));
    assert_false(write_ok(0, 0, 0, big + 1, FMT_TRUNCATE, NOVA_FILE));
    assert_false(write_ok(1, 0, 0, 4096, FMT_TRUNCATE, NOVA_FILE));
    assert_false(write_ok(0, m.data_blk, 0, 4096, FMT_TRUNCATE, NOVA_FILE));
    assert_false(write_ok(0, m.data_blk, 1, 4096, FMT_TRUNCATE, NOVA_FILE));
    assert_false(write_ok(0, 0, 0, 0, FMT_TRUNCATE, NOVA_DIR));
    union entry x = {0};
    image_truncate_entry(&x.e, 1);
    x.e.payload[39] = 1;
    header(&x.e);
    assert_non_null(check(&x, NOVA_FILE));
}

static bool range_ok(enum fmt_kind kind, uint64_t pgoff, uint64_t count, uint64_t size, uint8_t type) {
    union entry x = {.e = {.kind = (uint8_t)kind, .lines = 1}};
    struct fmt_range_body r = {.pgoff = pgoff, .count = count, .size = size};
    memcpy(x.e.payload, &r, sizeof r);
    header(&x.e);
    bool ok = check(&x, type) == NULL;
    r.zero = 1;
    memcpy(x.e.payload, &r, sizeof r);
    header(&x.e);
    assert_non_null(check(&x, type));
    return ok;
}

static void range_entries(void **state) {
    (void)state;
    const uint64_t big = (uint64_t)NOVA_FILE_SIZE_MAX, pages = big / 4096;
    for (enum fmt_kind kind = FMT_HOLE; kind <= FMT_INSERT; kind++) {
        assert_true(range_ok(kind, 0, 1, 4097, NOVA_FILE));
        assert_false(range_ok(kind, 0, 1, 4097, NOVA_DIR));
        assert_false(range_ok(kind, 0, 1, 4097, NOVA_SYMLINK));
        assert_false(range_ok(kind, 0, 0, 4097, NOVA_FILE));
        assert_false(range_ok(kind, 0, 1, big + 1, NOVA_FILE));
        assert_false(range_ok(kind, 1, pages, big, NOVA_FILE));
        assert_false(range_ok(kind, pages, 1, big, NOVA_FILE));
        assert_false(range_ok(kind, UINT64_MAX, 1, big, NOVA_FILE));
        assert_false(range_ok(kind, 1, UINT64_MAX, big, NOVA_FILE));
    }
    assert_true(range_ok(FMT_HOLE, 0, pages, 0, NOVA_FILE));
    assert_true(range_ok(FMT_HOLE, pages - 1, 1, 0, NOVA_FILE));
    assert_true(range_ok(FMT_COLLAPSE, 0, 5, 1, NOVA_FILE));
    assert_false(range_ok(FMT_COLLAPSE, 0, 5, 0, NOVA_FILE)); /* it took all */
    assert_true(range_ok(FMT_COLLAPSE, 3, 5, 3 * 4096 + 1, NOVA_FILE));
    assert_false(range_ok(FMT_COLLAPSE, 3, 5, 3 * 4096, NOVA_FILE));
    assert_true(range_ok(FMT_INSERT, 3, 5, 8 * 4096 + 1, NOVA_FILE));
    assert_false(range_ok(FMT_INSERT, 3, 5, 8 * 4096, NOVA_FILE));
    assert_true(range_ok(FMT_INSERT, 0, pages - 1, big, NOVA_FILE));
    assert_false(range_ok(FMT_INSERT, 0, pages, big, NOVA_FILE));
}

static void alloc_entries(void **state) {
    (void)state;
    const uint64_t d = m.data_blk, end = m.data_end, big = (uint64_t)NOVA_FILE_SIZE_MAX;
    assert_true(write_ok(0, d, 1, 0, FMT_ALLOC, NOVA_FILE)); /* beyond the size */
    assert_true(write_ok(big / 4096 - 1, d, 1, big, FMT_ALLOC, NOVA_FILE));
    assert_true(write_ok(0, d, (uint32_t)(end - d), 1, FMT_ALLOC, NOVA_FILE));
    assert_false(write_ok(0, d, 1, 1, FMT_ALLOC, NOVA_SYMLINK));
    assert_false(write_ok(0, d, 1, 1, FMT_ALLOC, NOVA_DIR));
    assert_false(write_ok(0, 0, 0, 1, FMT_ALLOC, NOVA_FILE));
    assert_false(write_ok(0, d, 0, 1, FMT_ALLOC, NOVA_FILE));
    assert_false(write_ok(0, d, 1, big + 1, FMT_ALLOC, NOVA_FILE));
    assert_false(write_ok(big / 4096, d, 1, 1, FMT_ALLOC, NOVA_FILE));
    assert_false(write_ok(big / 4096 - 1, d, 2, 1, FMT_ALLOC, NOVA_FILE));
    assert_false(write_ok(UINT64_MAX, d, 2, 1, FMT_ALLOC, NOVA_FILE));
    assert_false(write_ok(0, d - 1, 1, 1, FMT_ALLOC, NOVA_FILE));
    assert_false(write_ok(0, end - 1, 2, 1, FMT_ALLOC, NOVA_FILE));
    assert_false(write_ok(0, end, 1, 1, FMT_ALLOC, NOVA_FILE));
}

static void setattr_entries(void **state) {
    (void)state;
    for (int bit = -1; bit < 32; bit++) {
        union entry x = {.e = {.kind = FMT_SETATTR, .lines = 1}};
        struct fmt_setattr_body a = {.mask = bit < 0 ? 0 : 1u << bit};
        memcpy(x.e.payload, &a, sizeof a);
        header(&x.e);
        bool known = (bit >= 0 && bit <= 5) || bit == 7;
        assert_int_equal(check(&x, NOVA_FILE) == NULL, known);
        assert_int_equal(check(&x, NOVA_DIR) == NULL, known);
        a.mask |= NOVA_ATTR_BTIME | NOVA_ATTR_MODE;
        memcpy(x.e.payload, &a, sizeof a);
        header(&x.e);
        assert_int_equal(check(&x, NOVA_FILE) == NULL, bit < 0 || (known && bit != 3)); /* not with atime */
    }
}

/* A set of a value of `len` bytes in n extents from block `blk` on, each of `count`. */
static union entry good_xattr(const char *name, uint32_t len, uint8_t n, uint32_t blk, uint32_t count) {
    union entry x = {.e = {.kind = FMT_XATTR}};
    struct fmt_xattr_body body = {
        .value_len = len, .name_len = (uint8_t)strlen(name), .op = FMT_XATTR_SET, .extents = n};
    size_t at = FMT_XATTR_NAME_OFF + body.name_len, bytes = at + (n != 0 ? n * FMT_XATTR_EXTENT : len);
    memcpy(x.e.payload, &body, sizeof body);
    memcpy(x.bytes + FMT_XATTR_NAME_OFF, name, body.name_len);
    for (uint32_t i = 0; i < n; i++) {
        struct nova_extent ext = {blk + i * count, count};
        memcpy(x.bytes + at + i * sizeof ext, &ext, sizeof ext);
    }
    if (n == 0)
        memset(x.bytes + at, 'v', len);
    x.e.lines = (uint8_t)((bytes + FMT_LINE - 1) / FMT_LINE);
    header(&x.e);
    return x;
}

static void xattr_entries(void **state) {
    (void)state;
    const uint32_t d = m.data_blk;
    for (uint32_t len = 0; len <= 512 - FMT_XATTR_NAME_OFF - 6; len++) {
        union entry x = good_xattr("user.x", len, 0, 0, 0);
        assert_null(check(&x, NOVA_FILE));
        assert_null(check(&x, NOVA_DIR));
        assert_null(check(&x, NOVA_SYMLINK));
        for (uint32_t avail = 0; avail <= FMT_ENTRY_LINES_MAX; avail++)
            assert_int_equal(fmt_entry_check(&m, &x, avail, INO, GEN, NOVA_FILE) == NULL, avail >= x.e.lines);
    }
    union entry x = good_xattr("user.x", 100, 0, 0, 0);
    flips_detected(&x, NOVA_FILE);
    x = good_xattr("user.x", 8192, 2, d, 1);
    flips_detected(&x, NOVA_FILE);
    char name[256];
    memset(name, 'n', 255);
    name[255] = '\0';
    x = good_xattr(name, NOVA_XATTR_MAX, 16, d, 1);
    assert_null(check(&x, NOVA_DIR));
    x = good_xattr(name, NOVA_XATTR_MAX, 1, d, 16);
    assert_null(check(&x, NOVA_DIR));
    const struct {
        uint32_t len;
        uint8_t n;
        uint32_t blk, count;
    } bad[] = {
        {NOVA_XATTR_MAX + 1, 1, d, 17},
        {8192, 2, d, 2}, /* too many blocks */
        {8193, 2, d, 1}, /* too few */
        {0, 1, d, 1},    /* blocks for nothing */
        {0, 1, d, 0},
        {8192, 2, d - 1, 1},
        {8192, 2, m.data_end - 1, 1},
        {4096, 1, UINT32_MAX, 1},
        {4096, 1, d, UINT32_MAX},
        {17 * 4096, 17, d, 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        x = good_xattr("user.x", bad[i].len, bad[i].n, bad[i].blk, bad[i].count);
        assert_non_null(check(&x, NOVA_FILE));
    }
    const union entry good = good_xattr("user.x", 10, 0, 0, 0);
    struct fmt_xattr_body body;
#define BAD_IF(field, value)                                                                                           \
    do {                                                                                                               \
        x = good;                                                                                                      \
        memcpy(&body, x.e.payload, sizeof body);                                                                       \
        body.field = (value);                                                                                          \
        memcpy(x.e.payload, &body, sizeof body);                                                                       \
        fmt_entry_seal(&m, &x);                                                                                        \
        if (check(&x, NOVA_FILE) == NULL)                                                                              \
            fail_msg("%s = %lld", #field, (long long)(value));                                                         \
    } while (0)
    BAD_IF(value_crc, 1u);
    BAD_IF(zero, 1);
    BAD_IF(op, 0);
    BAD_IF(op, 3);
    BAD_IF(op, FMT_XATTR_REMOVE); /* with a value */
    BAD_IF(name_len, 0);
    BAD_IF(name_len, 5);    /* a byte behind its end */
    BAD_IF(value_len, 9u);  /* the same */
    BAD_IF(value_len, 80u); /* another line */
    BAD_IF(name[1], '\0');
#undef BAD_IF
    x = good;
    x.e.lines = 2;
    fmt_entry_seal(&m, &x);
    assert_non_null(check(&x, NOVA_FILE));
    x = good_xattr("user.x", 0, 0, 0, 0);
    memcpy(&body, x.e.payload, sizeof body);
    body.op = FMT_XATTR_REMOVE;
    memcpy(x.e.payload, &body, sizeof body);
    fmt_entry_seal(&m, &x);
    assert_null(check(&x, NOVA_FILE));
}

static bool dentry_ok(const struct fmt_dentry_body *d, uint8_t lines, enum fmt_kind kind, uint8_t type) {
    union entry x = {0};
    x.e.kind = (uint8_t)kind;
    x.e.lines = lines;
    memcpy(x.e.payload, d, sizeof *d);
    header(&x.e);
    return check(&x, type) == NULL;
}

static void dentries(void **state) {
    (void)state;
    const struct fmt_dentry_body good = {.ino = 33, .gen = 1, .type = NOVA_FILE, .name_len = 3, .name = "abc"};
    struct fmt_dentry_body d;
#define OK_IF(expect, field, value)                                                                                    \
    do {                                                                                                               \
        d = good;                                                                                                      \
        d.field = (value);                                                                                             \
        if (dentry_ok(&d, 1, FMT_DENTRY_ADD, NOVA_DIR) != (expect) ||                                                  \
            dentry_ok(&d, 1, FMT_DENTRY_REMOVE, NOVA_DIR) != (expect))                                                 \
            fail_msg("%s = %lld", #field, (long long)(value));                                                         \
    } while (0)
    assert_true(dentry_ok(&good, 1, FMT_DENTRY_ADD, NOVA_DIR));
    assert_false(dentry_ok(&good, 1, FMT_DENTRY_ADD, NOVA_FILE));
    assert_false(dentry_ok(&good, 1, FMT_DENTRY_REMOVE, NOVA_SYMLINK));
    OK_IF(false, ino, 0u);
    OK_IF(false, ino, NOVA_ROOT_INO);
    OK_IF(true, ino, 2u);
    OK_IF(true, ino, m.inodes_max - 1);
    OK_IF(false, ino, m.inodes_max);
    OK_IF(false, ino, UINT32_MAX);
    OK_IF(false, gen, 0u);
    OK_IF(true, gen, UINT32_MAX);
    OK_IF(false, zero, 1u);
    for (unsigned type = 0; type < 256; type++)
        OK_IF(type >= NOVA_FILE && type <= NOVA_SYMLINK, type, (uint8_t)type);
    for (unsigned len = 0; len < 256; len++) /* any other length leaves bytes behind the name, or takes zeros into it */
        OK_IF(len == 3, name_len, (uint8_t)len);
    for (uint8_t lines = 2; lines <= 5; lines++)
        assert_false(dentry_ok(&good, lines, FMT_DENTRY_ADD, NOVA_DIR));
    for (unsigned c = 0; c < 256; c++)
        OK_IF(c != 0 && c != '/', name[1], (char)c);
    OK_IF(false, name[3], 'x');
    OK_IF(false, name[19], 'x');
#undef OK_IF
    union entry x = good_dentry(".");
    assert_non_null(check(&x, NOVA_DIR));
    x = good_dentry("..");
    assert_non_null(check(&x, NOVA_DIR));
    x = good_dentry("...");
    assert_null(check(&x, NOVA_DIR));
    x = good_dentry(".a");
    assert_null(check(&x, NOVA_DIR));
}

/* Whatever bytes are sealed: an answer, and no read beyond the entry (under ASan the buffer ends with it). */
static void random_entries_are_judged(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    unsigned good = 0;
    for (int i = 0; i < 100000; i++) {
        uint32_t avail = 1 + rng_below(&r, FMT_ENTRY_LINES_MAX);
        union entry *x = malloc(avail * FMT_LINE);
        assert_non_null(x);
        for (size_t k = 0; k < avail * FMT_LINE; k++)
            x->bytes[k] = (uint8_t)(rng_below(&r, 2) ? rng_next(&r) : 0);
        if (rng_below(&r, 8) != 0) {
            x->e.kind = (uint8_t)rng_below(&r, 13);
            x->e.lines = (uint8_t)(1 + rng_below(&r, avail));
            x->e.ino = INO;
            x->e.gen = GEN;
            x->e.zero = 0;
            fmt_entry_seal(&m, x);
        }
        good += fmt_entry_check(&m, x, avail, INO, GEN, (uint8_t)(1 + rng_below(&r, 3))) == NULL;
        free(x);
    }
    assert_true(good > 100 && good < 50000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pointers_round_trip),
        cmocka_unit_test(pointers_outside_the_data_area_fail),
        cmocka_unit_test(pointers_prove_what_they_belong_to),
        cmocka_unit_test(tails_round_trip),
        cmocka_unit_test(every_flipped_bit_of_a_tail_is_detected),
        cmocka_unit_test(states),
        cmocka_unit_test(snapshots),
        cmocka_unit_test(inodes),
        cmocka_unit_test(page_tails),
        cmocka_unit_test(every_flipped_bit_of_an_entry_is_detected),
        cmocka_unit_test(headers),
        cmocka_unit_test(entries_end_with_their_page),
        cmocka_unit_test(write_entries),
        cmocka_unit_test(certified_entries),
        cmocka_unit_test(truncate_entries),
        cmocka_unit_test(range_entries),
        cmocka_unit_test(alloc_entries),
        cmocka_unit_test(setattr_entries),
        cmocka_unit_test(xattr_entries),
        cmocka_unit_test(dentries),
        cmocka_unit_test(random_entries_are_judged),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
