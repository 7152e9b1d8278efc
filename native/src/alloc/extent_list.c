/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "alloc/alloc.h"

void extent_list_init(struct extent_list *l) {
    l->n = 0;
    l->cap = EXTENT_LIST_INLINE;
    l->ext = l->few;
}

void extent_list_free(struct extent_list *l) {
    if (l->ext != l->few)
        free(l->ext);
    extent_list_init(l);
}

static bool grow(struct extent_list *l) {
    if (!l->ext) { /* zero-initialised */
        extent_list_init(l);
        return true;
    }
    if (l->cap > UINT32_MAX / 2)
        return false;
    bool few = l->ext == l->few;
    struct nova_extent *more = realloc(few ? NULL : l->ext, 2 * (size_t)l->cap * sizeof *more);
    if (!more)
        return false;
    if (few)
        memcpy(more, l->few, sizeof l->few);
    l->ext = more;
    l->cap *= 2;
    return true;
}

bool extent_list_add(struct extent_list *l, uint32_t blk, uint32_t count) {
    if (l->n) {
        struct nova_extent *last = &l->ext[l->n - 1];
        if (last->blk != 0 && last->blk + last->count == blk) {
            last->count += count;
            return true;
        }
    }
    if (l->n == l->cap && !grow(l))
        return false;
    l->ext[l->n++] = (struct nova_extent){blk, count};
    return true;
}
