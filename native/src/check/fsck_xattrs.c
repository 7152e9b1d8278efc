/* SPDX-License-Identifier: Apache-2.0 */
/* nova_fsck(): extended attributes, of inodes of any type. */
#include <string.h>

#include "check/fsck.h"

void fsck_xattr_entry(struct fsck *f, struct xattr_map *x, const struct log *log, const struct fmt_entry *e,
                      struct log_pos at) {
    struct fmt_xattr_body body;
    struct log_pos old;
    if (e->kind != FMT_XATTR)
        return;
    memcpy(&body, e->payload, sizeof body);
    if (body.op == FMT_XATTR_REMOVE && !log->slot_cut && /* else its entry may have been cleaned away */
        !xattr_map_get(x, (const char *)e + FMT_XATTR_NAME_OFF, body.name_len, &old))
        fsck_warning(f, "attribute", fsck_off(f, e), "inode %u removes an attribute that it does not have: no effect",
                     log->ino);
    f->oom = !xattr_apply(x, e, at);
}

struct values {
    struct fsck *f;
    const struct log *log;
};

static bool check_value(void *arg, const struct fmt_entry *e) {
    const struct values *v = arg;
    struct fmt_xattr_body body;
    memcpy(&body, e->payload, sizeof body);
    for (uint32_t i = 0; i < body.extents; i++) {
        struct nova_extent ext = fmt_xattr_extent(e, i);
        fsck_claim(v->f, ext.blk, ext.count, v->log->ino, "an attribute");
    }
    if (!fmt_xattr_value_ok(&v->f->in.m, e))
        fsck_error(v->f, "attribute", fsck_off(v->f, e), "value of an attribute of inode %u is damaged", v->log->ino);
    return true;
}

void fsck_xattr_values(struct fsck *f, const struct xattr_map *x, const struct log *log) {
    struct values v = {f, log};
    xattr_map_each(x, log, check_value, &v);
}
