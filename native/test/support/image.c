/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "image.h"
#include "recovery/pool_state.h"

/* ---- persistence that counts and fails ---- */

static int counting_drain(const struct pmem_ops *ops) {
    struct image_ops *o = ops->ctx;
    o->drains++;
    if (o->fail_from != 0 && --o->fail_from == 0) {
        o->fail_from = 1; /* stays broken, as msync does */
        return EIO;
    }
    return pmem_ops_cpu.drain(&pmem_ops_cpu);
}

void image_ops_init(struct image_ops *o) {
    *o = (struct image_ops){.ops = pmem_ops_cpu};
    o->ops.ctx = o;
    o->ops.drain = counting_drain;
}

/* ---- pools in memory ---- */

void image_new(struct image *im, uint64_t size, uint32_t lanes) {
    struct fmt_sb sb;
    struct nova_error err;
    bool from_replica;
    memset(im, 0, sizeof *im);
    image_ops_init(&im->ops);
    assert_int_equal(media_layout(size, &sb, &err), NOVA_OK);
    memset(sb.uuid, 0x3c, sizeof sb.uuid);
    fmt_sb_seal(&sb);
    uint8_t *base = aligned_alloc(NOVA_BLOCK_SIZE, sb.size);
    assert_non_null(base);
    memset(base, 0, sb.size);
    memcpy(base, &sb, sizeof sb);
    memcpy(base + sb.size - NOVA_BLOCK_SIZE, &sb, sizeof sb);
    assert_int_equal(media_attach(&im->m, base, sb.size, &im->ops.ops, &from_replica, &err), NOVA_OK);
    assert_false(from_replica);
    im->a = alloc_new(im->m.blocks, im->m.data_blk, im->m.data_end, lanes);
    assert_non_null(im->a);
    assert_int_equal(itable_load(&im->t, &im->m, im->a, &err), NOVA_OK);
    alloc_ready(im->a);
    assert_true(itable_ready(&im->t));
}

void image_delete(struct image *im) {
    itable_unload(&im->t);
    alloc_delete(im->a);
    free(im->m.base);
}

void image_inode(struct image *im, uint8_t type, struct log *log) {
    struct nova_error err;
    uint32_t ino;
    struct fmt_inode proto = {.type = type, .mode = 0644, .btime = 1};
    assert_int_equal(itable_alloc(&im->t, &ino, &err), NOVA_OK);
    itable_init_slot(&im->t, ino, 0, &proto);
    assert_int_equal(log_open(log, &im->m, im->a, itable_slot(&im->t, ino), &err), NOVA_OK);
}

void image_append(struct log *log, struct fmt_entry *e) {
    struct log_batch b;
    struct nova_error err;
    log_begin(&b, log, 0);
    assert_int_equal(log_append(&b, e, &err), NOVA_OK);
    assert_int_equal(log_commit(&b, &err), NOVA_OK);
}

/* ---- entries ---- */

void image_write_entry(struct fmt_entry *e, uint64_t pgoff, uint32_t blk, uint32_t count, uint64_t size) {
    struct fmt_write_body w = {.pgoff = pgoff, .blk = blk, .count = count, .size = size, .mtime = 7};
    *e = (struct fmt_entry){.kind = FMT_WRITE, .lines = 1};
    memcpy(e->payload, &w, sizeof w);
}

void image_truncate_entry(struct fmt_entry *e, uint64_t size) {
    image_write_entry(e, 0, 0, 0, size);
    e->kind = FMT_TRUNCATE;
}

void image_dentry(void *entry, enum fmt_kind kind, const char *name, uint32_t ino, uint32_t gen, uint8_t type) {
    size_t len = strlen(name);
    struct fmt_dentry_body d = {.ino = ino, .gen = gen, .time = 7, .type = type, .name_len = (uint8_t)len};
    struct fmt_entry *e = entry;
    size_t lines = (FMT_DENTRY_NAME_OFF + len + FMT_LINE - 1) / FMT_LINE;
    memset(entry, 0, lines * FMT_LINE);
    e->kind = (uint8_t)kind;
    e->lines = (uint8_t)lines;
    memcpy(e->payload, &d, sizeof d);
    memcpy((char *)entry + FMT_DENTRY_NAME_OFF, name, len);
}

/* ---- pool files ---- */

void image_map_file(struct media *m, const char *path) {
    struct stat st;
    struct nova_error err;
    bool from_replica;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    assert_ptr_not_equal(p, MAP_FAILED);
    assert_int_equal(media_attach(m, p, (uint64_t)st.st_size, &pmem_ops_cpu, &from_replica, &err), NOVA_OK);
}

void image_unmap_file(struct media *m) {
    munmap(m->base, m->size);
    m->base = NULL;
}

struct fmt_inode *image_slot(const struct media *m, uint32_t ino) {
    const fmt_ptr *ptrs = (const fmt_ptr *)(const void *)media_blk(m, m->itable_blk);
    uint32_t i = ino / FMT_SLOTS_PER_BLK, blk;
    assert_true(fmt_ptr_get(m, FMT_TAG_ITABLE, i, 0, 0, ptrs[i], &blk));
    return (struct fmt_inode *)(void *)(media_blk(m, blk) + (size_t)(ino % FMT_SLOTS_PER_BLK) * FMT_SLOT);
}

void image_log(const struct media *m, uint32_t ino, struct log *log) {
    struct nova_error err;
    assert_int_equal(log_open(log, m, NULL, image_slot(m, ino), &err), NOVA_OK);
}

struct nova_fsck_summary image_no_findings(const char *path) {
    struct nova_fsck_summary sum;
    struct nova_error err;
    char report[1000];
    assert_int_equal(nova_fsck(path, report, sizeof report, NULL, &sum, &err), NOVA_OK);
    if (sum.errors + sum.warnings != 0)
        fail_msg("fsck: %s", report);
    return sum;
}

uint64_t image_blocks_free(nova_pool *pool) {
    struct nova_pool_info info;
    assert_int_equal(nova_pool_info(pool, &info), NOVA_OK);
    return info.blocks_free;
}
