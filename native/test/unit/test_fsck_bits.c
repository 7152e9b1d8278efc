/* SPDX-License-Identifier: Apache-2.0 */
/* fsck. Every bit, and forged pools: fsck finds what open refuses, and nothing crashes. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "fsck_images.h"
#include "metadata_map.h"
#include "rng.h"

/* ---- every bit ---- */

static bool line_is_zero(const uint8_t *p) {
    for (unsigned i = 0; i < FMT_LINE; i++)
        if (p[i] != 0)
            return false;
    return true;
}

/* fsck of the file with one bit turned: found if and only if the bit says something. */
static void turn(int fd, struct image *im, uint64_t off, unsigned bit, bool covered) {
    uint8_t was = im->bytes[off], is = (uint8_t)(was ^ 1u << bit);
    assert_int_equal(pwrite(fd, &is, 1, (off_t)off), 1);
    assert_int_equal(fsck(im->path), NOVA_OK);
    if ((sum.errors + sum.warnings != 0) != covered)
        fail_msg("bit %u of byte %llu (block %llu, byte %llu): %s", bit, (unsigned long long)off,
                 (unsigned long long)(off / BLK), (unsigned long long)(off % BLK), covered ? "not found" : report);
    assert_int_equal(pwrite(fd, &was, 1, (off_t)off), 1);
}

/* Mapping the file anew costs much under a race detector, which has nothing to find here: one byte of 16 then. */
#if defined(__SANITIZE_THREAD__)
#define BYTES_EVERY 16
#define FORGED_POOLS 400
#else
#define BYTES_EVERY 1
#define FORGED_POOLS 4000
#endif

static void every_bit_that_says_something_is_checked(void **state) {
    (void)state;
    struct metadata_map map;
    struct rng r = rng_start(__func__);
    struct image im = load(clean_bytes);
    uint64_t turned = 0;
    metadata_map_init(&map, &im.m);
    write_file(im.path, im.bytes, POOL_SIZE);
    int fd = open(im.path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    for (uint64_t line = 0; line < POOL_SIZE; line += FMT_LINE) {
        bool zero = line_is_zero(im.bytes + line);
        for (uint64_t off = line; off < line + FMT_LINE; off++) {
            if (map.kind[off] == META_DATA ||
                (zero && off % FMT_LINE != line / FMT_LINE % FMT_LINE)) /* one byte of a line of zeros */
                continue;
            if (off % BYTES_EVERY != rng_below(&r, BYTES_EVERY))
                continue;
            for (unsigned bit = 0; bit < 8; bit++, turned++)
                if (!zero || bit == rng_below(&r, 8))
                    turn(fd, &im, off, bit, meta_has_meaning(map.kind[off]));
        }
    }
    close(fd);
    unlink(im.path);
    metadata_map_free(&map);
    assert_true(turned > 50000 / BYTES_EVERY);
}

/* ---- forged and random damage: nothing crashes, and what open refuses fsck has found ---- */

static void open_agrees(struct image *im) {
    struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    struct nova_error err = {0};
    nova_pool *pool;
    uint64_t errors = sum.errors, warnings = sum.warnings;
    int rc = nova_pool_open(im->path, &opt, &pool, &err);
    if (rc != NOVA_OK && errors == 0)
        fail_msg("open says '%s', fsck found nothing wrong:\n%s", err.msg, report);
    if (rc != NOVA_OK)
        return;
    rc = nova_pool_close(pool, NULL);
    if (errors != 0)
        return;
    assert_int_equal(rc, NOVA_OK);
    assert_int_equal(fsck(im->path), NOVA_OK);
    if (sum.errors != 0 || (sum.warnings != 0 && warnings == 0))
        fail_msg("after opening and closing a sound pool:\n%s", report);
}

static void forge_entry(struct image *im, struct rng *r) {
    uint32_t inos[] = {NOVA_ROOT_INO, ino_of(im, "many"), ino_of(im, "two"), ino_of(im, "ranges"), ino_of(im, "attrs")};
    struct fmt_entry *e = entry_of(im, inos[rng_below(r, 5)], rng_below(r, 80));
    uint8_t *p = (uint8_t *)e;
    for (uint32_t n = 1 + rng_below(r, 3); n != 0; n--) {
        uint32_t at = 4 + rng_below(r, FMT_LINE - 4);
        p[at] = rng_below(r, 3) ? (uint8_t)rng_next(r) : (uint8_t)(p[at] + 1);
    }
    if (e->lines >= 1 && e->lines <= FMT_ENTRY_LINES_MAX)
        fmt_entry_seal(&im->m, e);
}

static void forge_slot(struct image *im, struct rng *r) {
    struct fmt_inode *slot = slot_of(im, 1 + rng_below(r, 30));
    uint8_t *p = (uint8_t *)slot;
    p[4 + rng_below(r, 44)] = (uint8_t)rng_below(r, 4);
    if (rng_below(r, 2))
        slot->tail = fmt_tail_make(
            &im->m, slot->ino, slot->gen,
            (struct log_end){{rng_below(r, 2) ? 0 : im->m.data_blk + rng_below(r, 40), rng_below(r, 4)},
                             rng_below(r, 2) != 0});
    fmt_inode_seal(&im->m, slot);
}

static void forge_pointer(struct image *im, struct rng *r) {
    uint32_t ino = ino_of(im, "many"), head = 0, blk = im->m.data_blk + rng_below(r, 60);
    struct fmt_inode *slot = slot_of(im, ino);
    assert_true(fmt_ptr_get(&im->m, FMT_TAG_HEAD, ino, slot->gen, 0, slot->head, &head));
    struct fmt_page *page = (struct fmt_page *)(void *)media_blk(&im->m, head);
    if (rng_below(r, 2))
        slot->head = fmt_ptr_make(&im->m, FMT_TAG_HEAD, ino, slot->gen, 0, blk);
    else
        page->tail.next = fmt_ptr_make(&im->m, FMT_TAG_NEXT, ino, slot->gen, head, blk);
}

static void scribble(struct image *im, struct rng *r) {
    uint64_t off = rng_below(r, (uint32_t)(rng_below(r, 2) ? POOL_SIZE : 60 * BLK)),
             len = 1 + rng_below(r, rng_below(r, 2) ? 16 : 5000);
    for (; len != 0 && off < POOL_SIZE; off++, len--)
        im->bytes[off] = rng_below(r, 2) ? 0 : (uint8_t)rng_next(r);
}

static void forged_pools_are_survived(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    static char text[1 << 20];
    uint64_t sound = 0, refused = 0;
    for (int round = 0; round < FORGED_POOLS; round++) {
        struct image im = load(rng_below(&r, 2) ? clean_bytes : dirty_bytes);
        void (*const forges[])(struct image *, struct rng *) = {forge_entry, forge_slot, forge_pointer, scribble};
        for (uint32_t n = rng_below(&r, 8) ? 1 : 1 + rng_below(&r, 3), first = 1; n != 0; n--, first = 0)
            forges[first ? rng_below(&r, 4) : 3](&im, &r);
        write_file(im.path, im.bytes, POOL_SIZE);
        int rc = fsck(im.path);
        if (rc == NOVA_OK) {
            sound += sum.errors == 0;
            (void)nova_dump(im.path, round % 3 ? "many" : NULL, text, sizeof text, NULL, NULL);
            open_agrees(&im);
        } else {
            refused++;
        }
        unlink(im.path);
    }
    assert_true(sound > FORGED_POOLS / 40 && sound < FORGED_POOLS - FORGED_POOLS / 8); /* both sides were seen */
    assert_true(refused < FORGED_POOLS / 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_that_says_something_is_checked),
        cmocka_unit_test(forged_pools_are_survived),
    };
    return cmocka_run_group_tests(tests, make_images, NULL);
}
