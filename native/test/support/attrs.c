/* SPDX-License-Identifier: Apache-2.0 */
#include "attrs.h"

#include <stdlib.h>
#include <string.h>

void attrs_free(struct attrs *a) {
    free(a->attr);
    *a = (struct attrs){0};
}

static struct attr *find(const struct attrs *a, const char *name, uint32_t len) {
    for (uint32_t i = 0; i < a->n; i++)
        if (a->attr[i].name_len == len && memcmp(a->attr[i].name, name, len) == 0)
            return &a->attr[i];
    return NULL;
}

const struct attr *attrs_get(const struct attrs *a, const char *name) {
    return find(a, name, (uint32_t)strlen(name));
}

static struct attr *add(struct attrs *a) {
    if (a->n == a->cap) {
        a->cap = a->cap == 0 ? 8 : a->cap * 2;
        a->attr = realloc(a->attr, a->cap * sizeof *a->attr);
        if (a->attr == NULL)
            abort();
    }
    return &a->attr[a->n++];
}

bool attrs_apply(struct attrs *a, const struct nova_record *r) {
    if (r->kind != NOVA_REC_XATTR)
        return true;
    struct attr *at = find(a, r->u.xattr.name, r->u.xattr.name_len);
    if (r->u.xattr.removed) {
        if (at != NULL)
            *at = a->attr[--a->n];
        return at != NULL;
    }
    if (at == NULL)
        at = add(a);
    *at = (struct attr){.name_len = r->u.xattr.name_len,
                        .value_len = r->u.xattr.value_len,
                        .blocks = r->u.xattr.blocks,
                        .log_blk = r->log_blk,
                        .log_idx = r->log_idx};
    memcpy(at->name, r->u.xattr.name, at->name_len);
    return true;
}

int attrs_set(const struct attrs *a, nova_inode *inode, const char *name, const void *value, uint32_t len,
              struct nova_io *io) {
    const struct attr *old = attrs_get(a, name);
    return nova_setxattr(inode, name, (uint32_t)strlen(name), value, len, old == NULL ? 0 : old->log_blk,
                         old == NULL ? NOVA_NO_LINE : old->log_idx, io);
}

int attrs_remove(const struct attrs *a, nova_inode *inode, const char *name, struct nova_io *io) {
    const struct attr *old = attrs_get(a, name);
    return old == NULL ? NOVA_ENOENT
                       : nova_removexattr(inode, name, (uint32_t)strlen(name), old->log_blk, old->log_idx, io);
}
