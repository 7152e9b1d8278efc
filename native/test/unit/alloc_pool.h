/* SPDX-License-Identifier: Apache-2.0 */
/* Allocators for tests. */
#ifndef NOVA_TEST_UNIT_ALLOC_POOL_H
#define NOVA_TEST_UNIT_ALLOC_POOL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alloc/alloc.h"

#define GROUP 512u

static inline struct allocator *fresh(uint32_t blocks, uint32_t data_blk, uint32_t data_end, uint32_t lanes) {
    struct allocator *a = alloc_new(blocks, data_blk, data_end, lanes);
    assert_non_null(a);
    alloc_ready(a);
    return a;
}

static inline uint32_t count_used(const struct allocator *a, uint32_t from, uint32_t to) {
    uint32_t n = 0;
    for (uint32_t b = from; b < to; b++)
        n += alloc_is_used(a, b);
    return n;
}

static inline uint32_t list_blocks(const struct extent_list *l) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < l->n; i++)
        n += l->ext[i].count;
    return n;
}

static inline void free_list(struct allocator *a, struct extent_list *l) {
    for (uint32_t i = 0; i < l->n; i++)
        assert_true(alloc_free(a, l->ext[i].blk, l->ext[i].count));
    extent_list_free(l);
}

#endif
