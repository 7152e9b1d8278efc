/* SPDX-License-Identifier: Apache-2.0 */
#include "check/inspect.h"

#include <stdlib.h>

#include "journal/journal.h"
#include "recovery/pool_state.h"
#include "recovery/superblock.h"

const fmt_ptr *inspect_ptrs(const struct inspect *in) {
    return (const fmt_ptr *)(const void *)media_blk(&in->m, in->m.itable_blk);
}

uint32_t inspect_ptr_count(const struct inspect *in) {
    return in->m.itable_count * FMT_PTRS_PER_BLK;
}

static int load_table(struct inspect *in, struct nova_error *err) {
    const fmt_ptr *ptrs = inspect_ptrs(in);
    uint32_t n = inspect_ptr_count(in);
    while (n != 0 && ptrs[n - 1] == 0)
        n--;
    in->table_n = n;
    in->table = calloc(n == 0 ? 1 : n, sizeof *in->table);
    if (in->table == NULL)
        return nova_fail(err, NOVA_ENOMEM, "no memory for an inode table of %u blocks", n);
    for (uint32_t i = 0; i < n; i++)
        if (!fmt_ptr_get(&in->m, FMT_TAG_ITABLE, i, 0, 0, ptrs[i], &in->table[i]))
            in->table[i] = 0;
    return NOVA_OK;
}

static struct fmt_inode *find_slot(const void *in, uint32_t ino) {
    return inspect_slot(in, ino);
}

/* 0 or an errno. */
static int end_resize(struct inspect *in) {
    in->resize = in->m.resize;
    return in->resize == MEDIA_WHOLE ? 0 : superblock_settle(&in->m);
}

/* 0 or an errno. */
static int end_transactions(struct inspect *in) {
    struct pool_state state;
    pool_state_read(&in->m, &state);
    if (state.clean)
        return 0;
    int os = journal_settle(&in->m);
    return os != 0 ? os : journal_redo(&in->m, find_slot, in, &in->redone);
}

int inspect_reload(struct inspect *in, struct nova_error *err) {
    free(in->table);
    in->table = NULL;
    return load_table(in, err);
}

/* Takes up the mapped file. */
static int take_up(struct inspect *in, struct nova_error *err) {
    bool from_replica;
    int rc = media_attach(&in->m, in->file.base, in->file.len, &in->file.ops, &from_replica, err);
    int os = 0;
    if (rc == NOVA_OK)
        os = end_resize(in);
    if (rc == NOVA_OK && os == 0)
        rc = load_table(in, err);
    if (rc == NOVA_OK && os == 0)
        os = end_transactions(in);
    if (os != 0)
        rc = nova_fail_os(err, NOVA_EOS, os, "cannot finish what a crash cut short");
    if (rc != NOVA_OK)
        inspect_close(in);
    return rc;
}

int inspect_open(struct inspect *in, const char *path, struct nova_error *err) {
    *in = (struct inspect){0};
    if (path == NULL || path[0] == '\0')
        return nova_fail(err, NOVA_EINVAL, "no pool path given");
    int rc = pool_file_inspect(&in->file, path, err);
    return rc == NOVA_OK ? take_up(in, err) : rc;
}

int inspect_open_writable(struct inspect *in, const char *path, bool emulated, struct nova_error *err) {
    *in = (struct inspect){0};
    if (path == NULL || path[0] == '\0')
        return nova_fail(err, NOVA_EINVAL, "no pool path given");
    int rc = pool_file_open(&in->file, path, emulated, media_probe, err);
    if (rc != NOVA_OK)
        return rc;
    rc = pool_file_sync_length(&in->file, path, err); /* its length, should take_up() find that the pool has grown */
    if (rc != NOVA_OK) {
        inspect_close(in);
        return rc;
    }
    return take_up(in, err);
}

void inspect_close(struct inspect *in) {
    free(in->table);
    in->table = NULL;
    pool_file_close(&in->file);
}

uint32_t inspect_slots(const struct inspect *in) {
    uint64_t n = (uint64_t)in->table_n * FMT_SLOTS_PER_BLK;
    return n < in->m.inodes_max ? (uint32_t)n : in->m.inodes_max;
}

struct fmt_inode *inspect_slot(const struct inspect *in, uint32_t ino) {
    if (ino == 0 || ino >= inspect_slots(in) || in->table[ino / FMT_SLOTS_PER_BLK] == 0)
        return NULL;
    uint8_t *blk = media_blk(&in->m, in->table[ino / FMT_SLOTS_PER_BLK]);
    return (struct fmt_inode *)(void *)(blk + (size_t)(ino % FMT_SLOTS_PER_BLK) * FMT_SLOT);
}
