/* SPDX-License-Identifier: Apache-2.0 */
/* The extended attributes of one inode as a user in C holds them: a replayed index over nova.h, for tests. */
#ifndef NOVA_TEST_SUPPORT_ATTRS_H
#define NOVA_TEST_SUPPORT_ATTRS_H

#include <stdbool.h>

#include "nova.h"

struct attr {
    char name[NOVA_NAME_MAX + 1];
    uint32_t name_len, value_len, blocks;
    uint32_t log_blk, log_idx;
};

struct attrs { /* zero-initialise */
    struct attr *attr;
    uint32_t n, cap;
};

void attrs_free(struct attrs *a);

/* Takes one record of any kind into the index. False: it removes what is not there, as only a damaged log does. */
bool attrs_apply(struct attrs *a, const struct nova_record *r);

const struct attr *attrs_get(const struct attrs *a, const char *name); /* or NULL */

/* The calls; io's records are not yet in the index afterwards. */
int attrs_set(const struct attrs *a, nova_inode *inode, const char *name, const void *value, uint32_t len,
              struct nova_io *io);
int attrs_remove(const struct attrs *a, nova_inode *inode, const char *name, struct nova_io *io);

#endif
