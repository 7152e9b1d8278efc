/* SPDX-License-Identifier: Apache-2.0 */
/* A pool for tests of writing. */
#ifndef NOVA_TEST_UNIT_WRITE_POOL_H
#define NOVA_TEST_UNIT_WRITE_POOL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "image.h"
#include "store.h"

#define MIB ((uint64_t)1 << 20)
#define BLK ((uint64_t)NOVA_BLOCK_SIZE)

static const struct nova_pool_options emulated = {.flags = NOVA_OPT_EMULATED};
static const char *path;
static struct store s;

static inline void must(int rc) {
    if (rc != NOVA_OK)
        fail_msg("status %d: %s", rc, s.err.msg);
}

static inline void make_pool(uint64_t size) {
    struct nova_error err;
    path = store_path("write");
    assert_int_equal(nova_pool_create(path, size, &emulated, &err), NOVA_OK);
    must(store_open(&s, path, NOVA_OPT_EMULATED));
}

static inline void drop_pool(void) {
    assert_int_equal(store_close(&s), NOVA_OK);
    unlink(path);
}

static inline int set_up(void **state) {
    (void)state;
    make_pool(8 * MIB);
    return 0;
}

static inline int tear_down(void **state) {
    (void)state;
    drop_pool();
    return 0;
}

static inline uint64_t blocks_free(void) {
    return image_blocks_free(s.pool);
}

static inline uint32_t log_pages(nova_inode *inode) {
    struct nova_stat st;
    assert_int_equal(nova_inode_stat(inode, &st), NOVA_OK);
    return st.log_pages;
}

/* Nothing read that was not written: every block that can be had is full of a byte that no test writes. */
#define POISON 0xee

static inline void poison(void) {
    struct store_file f;
    must(store_file_open(&s, "poison", true, &f));
    uint64_t len = MIB;
    uint8_t *bytes = malloc(len);
    assert_non_null(bytes);
    memset(bytes, POISON, len);
    for (uint64_t off = 0; len >= BLK;) {
        if (store_write(&f, off, bytes, len) == NOVA_OK)
            off += len;
        else
            len /= 2;
    }
    free(bytes);
    must(store_file_close(&f));
    must(store_unlink(&s, "poison"));
}

static inline void fill_pattern(uint8_t *p, uint64_t len, uint32_t salt) {
    for (uint64_t i = 0; i < len; i++) {
        uint8_t b = (uint8_t)(salt * 131 + i * 7 + (i >> 8) * 13 + 1);
        p[i] = b == POISON || b == 0 ? 1 : b;
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
