/* SPDX-License-Identifier: Apache-2.0 */
#include "log/xattr_replay.h"

#include <string.h>

void xattr_map_free(struct xattr_map *x) {
    if (x->any)
        dir_map_free(&x->names);
    x->any = false;
}

bool xattr_map_get(const struct xattr_map *x, const char *name, uint8_t len, struct log_pos *at) {
    const struct dir_name *n = x->any ? dir_map_get(&x->names, name, len) : NULL;
    if (n != NULL)
        *at = (struct log_pos){n->ino, n->gen};
    return n != NULL;
}

bool xattr_apply(struct xattr_map *x, const struct fmt_entry *e, struct log_pos at) {
    if (e->kind != FMT_XATTR)
        return true;
    struct fmt_xattr_body body;
    memcpy(&body, e->payload, sizeof body);
    const char *name = (const char *)e + FMT_XATTR_NAME_OFF;
    if (!x->any) {
        dir_map_init(&x->names);
        x->any = true;
    }
    if (body.op == FMT_XATTR_SET)
        return dir_map_put(&x->names, name, body.name_len, at.blk, at.idx, 0);
    (void)dir_map_remove(&x->names, name, body.name_len); /* of a name that is not there: no effect */
    return true;
}

bool xattr_map_each(const struct xattr_map *x, const struct log *log, xattr_fn fn, void *arg) {
    uint32_t it = 0;
    if (!x->any)
        return true;
    for (const struct dir_name *n; (n = dir_map_next(&x->names, &it)) != NULL;) {
        const uint8_t *line = log_line(log, (struct log_pos){n->ino, n->gen});
        if (!fn(arg, (const struct fmt_entry *)(const void *)line))
            return false;
    }
    return true;
}

struct extents {
    xattr_extent_fn fn;
    void *arg;
};

static bool each_extent(void *arg, const struct fmt_entry *e) {
    const struct extents *x = arg;
    struct fmt_xattr_body body;
    memcpy(&body, e->payload, sizeof body);
    for (uint32_t i = 0; i < body.extents; i++)
        if (!x->fn(x->arg, fmt_xattr_extent(e, i)))
            return false;
    return true;
}

bool xattr_map_extents(const struct xattr_map *x, const struct log *log, xattr_extent_fn fn, void *arg) {
    struct extents extents = {fn, arg};
    return xattr_map_each(x, log, each_extent, &extents);
}
