/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery of any image ends, whatever its bytes, and what it opens can be used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "names.h"
#include "image.h"
#include "rng.h"
#include "store.h"

static struct nova_error err;

static uint64_t byte_of(uint32_t blk) {
    return (uint64_t)blk * NOVA_BLOCK_SIZE;
}

#define POOL_SIZE (1u << 20)

/* A small pool with files, holes, long names, log pages and a few orphans, as a crash leaves it; or closed in order. */
static uint8_t *small_pool(const char *path, bool clean) {
    static const struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    static const uint8_t data[9000] = {1, 2, 3};
    const char *copy = store_path("rebuild-copy");
    struct store s;
    struct store_file f, gone;
    assert_int_equal(nova_pool_create(path, POOL_SIZE, &opt, &err), NOVA_OK);
    assert_int_equal(store_open(&s, path, NOVA_OPT_EMULATED), NOVA_OK);
    for (unsigned i = 0; i < 12; i++) {
        char name[256];
        (void)snprintf(name, sizeof name, "%*u", (int)(1 + i * 23), i);
        for (char *p = name; *p == ' '; p++)
            *p = 'n';
        assert_int_equal(store_file_open(&s, name, true, &f), NOVA_OK);
        for (unsigned k = 0; k < (i % 4 == 0 ? 80 : i); k++)
            assert_int_equal(store_write(&f, k * 3000 % 20000, data, 1 + k * 97 % 9000), NOVA_OK);
        assert_int_equal(store_truncate(&f, i * 1111), NOVA_OK);
        assert_int_equal(store_file_close(&f), NOVA_OK);
        if (i % 5 == 4)
            assert_int_equal(store_unlink(&s, name), NOVA_OK);
    }
    assert_int_equal(store_file_open(&s, "gone", true, &gone), NOVA_OK);
    assert_int_equal(store_write(&gone, 0, data, 9000), NOVA_OK);
    assert_int_equal(store_unlink(&s, "gone"), NOVA_OK);
    store_copy_file(path, copy);
    assert_int_equal(store_file_close(&gone), NOVA_OK);
    assert_int_equal(store_close(&s), NOVA_OK);
    if (clean)
        unlink(copy);
    else
        assert_int_equal(rename(copy, path), 0);
    uint8_t *bytes = malloc(POOL_SIZE);
    FILE *in = fopen(path, "r");
    assert_true(bytes != NULL && in != NULL && fread(bytes, 1, POOL_SIZE, in) == POOL_SIZE);
    fclose(in);
    return bytes;
}

/* A user of the pool: reads all, writes, removes. Any answer will do; what counts is that there is one. */
static void use(const char *path, unsigned *opened) {
    struct store s;
    struct nova_fsck_summary sum;
    size_t needed;
    static char report[4096];
    static uint8_t buf[30000];
    (void)nova_fsck(path, report, sizeof report, &needed, &sum, &err);
    (void)nova_dump(path, NULL, report, sizeof report, &needed, &err);
    if (store_open(&s, path, NOVA_OPT_EMULATED) != NOVA_OK)
        return;
    ++*opened;
    uint32_t it = 0;
    const struct dir_name *d;
    while ((d = dir_map_next(&s.names, &it)) != NULL) {
        char name[256];
        memcpy(name, d->name, d->name_len);
        name[d->name_len] = 0;
        (void)nova_dump(path, name, report, sizeof report, &needed, &err);
        struct store_file f;
        if (store_file_open(&s, name, false, &f) != NOVA_OK)
            continue;
        (void)store_read(&f, 0, buf, sizeof buf);
        (void)store_write(&f, f.size < 20000 ? f.size : 20000, buf, 5000);
        (void)store_truncate(&f, 100);
        (void)store_file_close(&f);
        (void)store_unlink(&s, name);
    }
    (void)store_close(&s);
}

/* The same without an index, by inode number: what the saved state of a clean pool says is believed, so it may be at
 * odds with the logs. */
static void use_blindly(const char *path, unsigned *opened) {
    static const struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    static const uint8_t data[10000];
    static struct nova_io io;
    nova_pool *pool;
    if (nova_pool_open(path, &opt, &pool, &err) != NOVA_OK)
        return;
    ++*opened;
    for (uint32_t ino = 1; ino < 20; ino++) {
        nova_inode *inode;
        struct nova_record rec[16];
        struct nova_stat st;
        uint32_t blk = 0, steps = 0;
        if (nova_inode_open(pool, ino, 0, &inode, &err) != NOVA_OK)
            continue;
        while (nova_replay(inode, rec, 16, &io) == NOVA_OK && io.record_count != 0) {
            assert_true(++steps < 2000);
            if (rec[0].kind == NOVA_REC_WRITE && rec[0].u.write.count != 0)
                blk = rec[0].u.write.blk;
        }
        nova_inode_stat(inode, &st);
        (void)nova_write(inode, st.size, data, 5000, blk, 0, blk, &io);
        (void)nova_free(pool, &(struct nova_extent){blk, 2}, 1, &err);
        (void)nova_truncate(inode, 77, blk, &io);
        (void)flat_create(inode, "new", 3, NOVA_FILE, 0, &io);
        (void)flat_unlink(inode, "1", 1, 3, 1, &io);
        if (ino % 3 == 0)
            (void)nova_inode_release(pool, ino, 0, &err);
        if (ino % 2 == 0)
            (void)nova_inode_close(inode, &err);
    }
    for (uint32_t ino = 2; ino < 20; ino += 2)
        (void)nova_inode_release(pool, ino, 0, &err);
    (void)nova_pool_close(pool, &err);
}

/*
 * Damage, most of it under good checksums: pointers, tails, entries and slots that are sealed but wrong. Nothing may
 * crash or hang.
 */
static void survive(bool clean, struct rng r) {
    const char *path = store_path("rebuild");
    uint8_t *bytes = small_pool(path, clean);
    struct media m;
    image_map_file(&m, path);
    unsigned opened = 0;
    const int rounds = getenv("NOVA_FULL") != NULL ? 40000 : 400;
    struct fmt_inode *slots[15];
    for (uint32_t ino = 1; ino < 15; ino++)
        slots[ino] = image_slot(&m, ino);
    for (int round = 0; round < rounds; round++) {
        memcpy(m.base, bytes, POOL_SIZE);
        for (uint32_t k = 1 + rng_below(&r, 4); k != 0; k--) {
            uint32_t ino = 1 + rng_below(&r, 14), blk = m.data_blk + rng_below(&r, 60);
            struct fmt_inode *slot = slots[ino];
            struct fmt_page *page = (struct fmt_page *)(void *)media_blk(&m, blk);
            uint32_t idx = rng_below(&r, FMT_PAGE_LINES);
            struct fmt_entry *e = (struct fmt_entry *)(void *)(rng_below(&r, 3) == 0
                                                                   ? slot->lines[idx % FMT_INLINE_LINES]
                                                                   : page->lines[idx]);
            switch (rng_below(&r, 10)) {
            case 0: /* anything */ m.base[rng_below(&r, POOL_SIZE)] ^= (uint8_t)(1u << rng_below(&r, 8)); break;
            case 1: /* the bytes that are in use */
                m.base[byte_of(blk) + rng_below(&r, NOVA_BLOCK_SIZE)] = (uint8_t)rng_next(&r);
                break;
            case 2: slot->head = fmt_ptr_make(&m, FMT_TAG_HEAD, ino, slot->gen, 0, blk); break;
            case 3:
                slot->tail = fmt_tail_make(
                    &m, ino, slot->gen,
                    (struct log_end){{rng_below(&r, 2) ? blk : 0, rng_below(&r, 64)}, rng_below(&r, 2) != 0});
                break;
            case 4:
                page->tail.next = fmt_ptr_make(&m, FMT_TAG_NEXT, page->tail.ino, page->tail.gen, blk,
                                               m.data_blk + rng_below(&r, 60));
                break;
            case 5:
                slot->gen = rng_below(&r, 3);
                slot->type = (uint8_t)rng_below(&r, 4);
                fmt_inode_seal(&m, slot);
                break;
            case 6: { /* itable pointers */
                fmt_ptr *p = (fmt_ptr *)(void *)media_blk(&m, m.itable_blk);
                p[rng_below(&r, 2)] = rng_below(&r, 4) == 0
                                          ? 0
                                          : fmt_ptr_make(&m, FMT_TAG_ITABLE, rng_below(&r, 2), 0, 0, blk);
                break;
            }
            default: /* an entry's field, resealed */
                if (e->lines == 0 || e->lines > FMT_PAGE_LINES - idx || e->lines > 5 || (uint8_t *)e < page->lines[0] ||
                    (uint8_t *)e > page->lines[62])
                    break;
                switch (rng_below(&r, 6)) {
                case 0: e->kind = (uint8_t)rng_below(&r, 8); break;
                case 1:
                    e->seq = rng_below(&r, 2) ? rng_below(&r, 200) : UINT64_MAX - rng_below(&r, 2) * (UINT64_MAX / 2);
                    break;
                case 2: {
                    struct fmt_write_body w;
                    memcpy(&w, e->payload, sizeof w);
                    w.pgoff = rng_below(&r, 2) ? rng_next(&r) >> rng_below(&r, 64) : w.pgoff;
                    w.blk = rng_below(&r, 2) ? m.data_blk + rng_below(&r, 230) : w.blk;
                    w.count = rng_below(&r, 2) ? rng_below(&r, 300) : w.count;
                    w.size = rng_below(&r, 2) ? rng_next(&r) >> rng_below(&r, 64) : w.size;
                    memcpy(e->payload, &w, sizeof w);
                    break;
                }
                case 3: {
                    struct fmt_dentry_body d;
                    memcpy(&d, e->payload, sizeof d);
                    d.ino = rng_below(&r, 40);
                    d.gen = rng_below(&r, 3);
                    d.type = (uint8_t)rng_below(&r, 4);
                    memcpy(e->payload, &d, sizeof d);
                    break;
                }
                default: ((uint8_t *)e)[4 + rng_below(&r, 60)] = (uint8_t)rng_next(&r);
                }
                if (e->lines >= 1 && e->lines <= FMT_PAGE_LINES - idx && e->lines <= 5)
                    fmt_entry_seal(&m, e);
            }
        }
        if (clean || round % 4 == 0)
            use_blindly(path, &opened);
        else
            use(path, &opened);
    }
    assert_true(opened > (unsigned)rounds / 20 && (clean || opened < (unsigned)rounds));
    image_unmap_file(&m);
    free(bytes);
    unlink(path);
}

static void any_crashed_image_is_survived(void **state) {
    (void)state;
    survive(false, rng_start(__func__));
}

static void any_clean_image_is_survived(void **state) {
    (void)state;
    survive(true, rng_start(__func__));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_crashed_image_is_survived),
        cmocka_unit_test(any_clean_image_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
