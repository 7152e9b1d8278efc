/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "image.h"
#include "victim.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)
#define POOL_SIZE ((uint64_t)NOVA_POOL_SIZE_MIN)
#define TABLE_BLKS 3u
#define SLOTS (TABLE_BLKS * FMT_SLOTS_PER_BLK - 1) /* of the inode table, but that of inode 0 */

/* ---- what the pool holds ---- */

/* Bytes that tell where they belong. */
static void put(struct store *s, const char *name, uint64_t off, uint64_t len) {
    static uint8_t src[8 * NOVA_BLOCK_SIZE];
    static uint32_t salt;
    struct store_file f;
    salt++;
    for (uint64_t i = 0; i < len; i++)
        src[i] = (uint8_t)((off + i) * 7 + (off + i) / 251 + salt * 31 + 1);
    assert_int_equal(store_file_open(s, name, true, &f), NOVA_OK);
    if (len != 0)
        assert_int_equal(store_write(&f, off, src, len), NOVA_OK);
    assert_int_equal(store_file_close(&f), NOVA_OK);
}

static void cut(struct store *s, const char *name, uint64_t size) {
    struct store_file f;
    assert_int_equal(store_file_open(s, name, true, &f), NOVA_OK);
    assert_int_equal(store_truncate(&f, size), NOVA_OK);
    assert_int_equal(store_file_close(&f), NOVA_OK);
}

/* Directories, links, attributes; "dir/moved" is for the dirty pool. */
static void fill_tree(struct store *s) {
    static const char target[] = "a target of a symbolic link, as long as a line and a bit more than that";
    assert_int_equal(store_mkdir(s, "dir", 0750), NOVA_OK);
    assert_int_equal(store_mkdir(s, "dir/sub", 0700), NOVA_OK);
    put(s, "dir/file", 0, 100);
    put(s, "dir/moved", 0, 10);
    assert_int_equal(store_link(s, "dir/file", "second"), NOVA_OK);
    assert_int_equal(store_link(s, "dir/file", "dir/sub/third"), NOVA_OK);
    assert_int_equal(store_unlink(s, "second"), NOVA_OK);
    assert_int_equal(store_symlink(s, target, sizeof target - 1, "dir/sub/symlink"), NOVA_OK);
    assert_int_equal(store_setattr(s, "once",
                                   NOVA_ATTR_MODE | NOVA_ATTR_UID | NOVA_ATTR_GID | NOVA_ATTR_MTIME | NOVA_ATTR_BTIME,
                                   0751, 1234, 99, 0, 1700000000000000000, 1500000000000000000),
                     NOVA_OK);
    assert_int_equal(store_setattr(s, "dir", NOVA_ATTR_MODE | NOVA_ATTR_ATIME, 0555, 0, 0, 1600000000000000000, 0, 0),
                     NOVA_OK);
}

static void fill_ranges(struct store *s) {
    struct store_file f;
    put(s, "ranges", 0, 5 * BLK);
    assert_int_equal(store_file_open(s, "ranges", false, &f), NOVA_OK);
    assert_int_equal(store_punch(&f, BLK + 1, BLK), NOVA_OK); /* two edges, no hole */
    assert_int_equal(store_punch(&f, BLK, BLK), NOVA_OK);
    assert_int_equal(store_collapse(&f, 2 * BLK, BLK), NOVA_OK);
    assert_int_equal(store_insert(&f, 3 * BLK, 2 * BLK), NOVA_OK);
    assert_int_equal(store_allocate(&f, 3 * BLK, 2 * BLK + 1, true), NOVA_OK); /* two holes, pages 3 and 4 */
    assert_int_equal(store_allocate(&f, 6 * BLK, 2 * BLK, true), NOVA_OK);     /* beyond the size */
    assert_int_equal(store_file_close(&f), NOVA_OK);
}

static void fill_attributes(struct store *s) {
    static uint8_t value[9000];
    static const struct {
        const char *path;
        uint32_t large;
    } files[] = {{"once", 600}, {"dir/file", 5000}, {"dir/sub/symlink", 700}};
    struct store_file f;
    for (uint32_t i = 0; i < sizeof value; i++)
        value[i] = (uint8_t)(i * 11 + i / 251 + 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(store_file_open(s, files[i].path, false, &f), NOVA_OK);
        assert_int_equal(store_setxattr(&f, "user.small", value, 100 * i), NOVA_OK);
        assert_int_equal(store_setxattr(&f, "user.large", value + i, files[i].large), NOVA_OK);
        assert_int_equal(store_setxattr(&f, "user.gone", value, 9000), NOVA_OK);
        assert_int_equal(store_removexattr(&f, "user.gone"), NOVA_OK);
        assert_int_equal(store_file_close(&f), NOVA_OK);
    }
    assert_int_equal(store_dir_setxattr(s, "", "user.root", value, 5), NOVA_OK);
    assert_int_equal(store_dir_setxattr(s, "dir", "user.dir", value, 9000), NOVA_OK);
    assert_int_equal(store_dir_setxattr(s, "dir", "user.dir", value, 513), NOVA_OK); /* replaces */
}

/* Logs that have been cut: of "cleaned", and of a directory. */
static void fill_cleaned(struct store *s) {
    struct store_file f;
    struct store_log log;
    uint32_t freed;
    put(s, "cleaned", 0, 3 * BLK);
    assert_int_equal(store_file_open(s, "cleaned", false, &f), NOVA_OK);
    for (uint8_t i = 0; i < 70; i++)
        assert_int_equal(store_write(&f, BLK, &i, 1), NOVA_OK);
    log = store_log_of(&f);
    assert_int_equal(store_clean(&log, 1, &freed), NOVA_OK);
    assert_int_equal(freed, 1);
    for (uint8_t i = 0; i < 70; i++) /* a second page, which might be taken for the first */
        assert_int_equal(store_write(&f, BLK, &i, 1), NOVA_OK);
    assert_int_equal(store_file_close(&f), NOVA_OK);
    for (uint32_t i = 0; i < 40; i++) {
        put(s, "dir/sub/passing", 0, 1);
        assert_int_equal(store_unlink(s, "dir/sub/passing"), NOVA_OK);
    }
    log = store_log_of_dir(s, "dir/sub");
    assert_int_equal(store_clean(&log, 1, &freed), NOVA_OK);
    assert_int_equal(freed, 1);
}

static void fill(struct store *s) {
    char name[256];
    for (uint32_t i = 0; i < 5;
         i++) { /* long names: entries of several lines, the first too long for the slot: padding */
        memset(name, 'a' + (int)i, sizeof name);
        name[i == 0 ? 255 : i * 50] = '\0';
        put(s, name, 0, i);
    }
    for (uint64_t i = 0; i < 3 + 2 * FMT_PAGE_LINES + 4; i++) /* in place; log pages side by side */
        put(s, "log", i * 11, 11);
    put(s, "extents", 0, 5 * BLK);
    put(s, "extents", 2 * BLK + 100, BLK);    /* replaces, merges both ends */
    put(s, "extents", 20 * BLK + 5, 3);       /* a hole before it */
    put(s, "extents", 7 * BLK, 2 * BLK + 50); /* into the hole */
    cut(s, "extents", 22 * BLK + 1);
    cut(s, "extents", 21 * BLK);
    cut(s, "holes", 3 * BLK + 10);
    put(s, "once", 0, 1000);
    put(s, "gone", 0, 3 * BLK);
    assert_int_equal(store_unlink(s, "gone"), NOVA_OK);
    put(s, "old", 0, 77);
    put(s, "replaced", 0, 5);
    assert_int_equal(store_rename(s, "old", "replaced"), NOVA_OK);
    memset(name, 'e', 200);
    name[200] = '\0';
    assert_int_equal(store_rename(s, name, "renamed"), NOVA_OK);
    fill_tree(s);
    fill_ranges(s);
    fill_attributes(s);
    fill_cleaned(s);
    for (uint32_t i = 0; i < 18; i++) { /* a last block of the inode table, without a named inode in the end */
        snprintf(name, sizeof name, "small%u", i);
        put(s, name, 0, 0);
    }
    for (uint32_t i = 2; i < 18; i++) {
        snprintf(name, sizeof name, "small%u", i);
        assert_int_equal(store_unlink(s, name), NOVA_OK);
    }
}

static void make_pool(struct victim *v) {
    struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED, .lanes = 1};
    struct store s;
    struct store_file f;
    snprintf(v->path, sizeof v->path, "%s", store_path(v->clean ? "clean" : "dirty"));
    assert_int_equal(nova_pool_create(v->path, POOL_SIZE, &opt, NULL), NOVA_OK);
    assert_int_equal(store_open_with(&s, v->path, &opt), NOVA_OK);
    fill(&s);
    assert_int_equal(store_close(&s), NOVA_OK);
    if (v->clean)
        return;
    char copy[128];
    snprintf(copy, sizeof copy, "%s", store_path("crashed"));
    assert_int_equal(store_open_with(&s, v->path, &opt), NOVA_OK);
    assert_int_equal(store_file_open(&s, "orphan", true, &f), NOVA_OK);
    assert_int_equal(store_write(&f, 0, "orphan", 6), NOVA_OK);
    assert_int_equal(store_unlink(&s, "orphan"), NOVA_OK);
    assert_int_equal(store_rename(&s, "dir/moved", "dir/sub/moved"), NOVA_OK); /* its record stays */
    store_copy_file(v->path, copy);
    assert_int_equal(store_file_close(&f), NOVA_OK);
    assert_int_equal(store_close(&s), NOVA_OK);
    assert_int_equal(rename(copy, v->path), 0);
}

/* ---- looking ---- */

static void say(struct victim_look *look, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct victim_look *look, const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (look->why[0] == '\0')
        vsnprintf(look->why, sizeof look->why, format, args);
    va_end(args);
}

static void refused(struct victim_look *look, const char *what, const struct nova_error *err) {
    look->placed = (!look->error || look->placed) && err->code == NOVA_ECORRUPT && err->pool_off != NOVA_NO_OFF;
    look->error = true;
    say(look, "%.40s: status %d: %s", what, err->code, err->msg);
}

static void wrong(struct victim_look *look, const char *what, const char *how) {
    if (!look->wrong)
        look->why[0] = '\0';
    look->wrong = true;
    say(look, "%.40s: %s", what, how);
}

static const char *stat_differs(const struct nova_stat *a, const struct nova_stat *b) {
    return a->size != b->size                                           ? "size"
           : a->mtime != b->mtime || a->ctime != b->ctime               ? "mtime or ctime"
           : a->atime != b->atime || a->btime != b->btime               ? "atime or btime"
           : a->ino != b->ino || a->gen != b->gen || a->type != b->type ? "identity"
           : a->nlink != b->nlink                                       ? "number of names"
           : a->mode != b->mode || a->uid != b->uid || a->gid != b->gid ? "attributes"
           : a->log_pages != b->log_pages || a->entries != b->entries   ? "length of the log"
                                                                        : NULL;
}

/* What is wrong with the extended attributes, NULL if nothing is, or if reading them was refused. */
static const char *look_at_attrs(struct store *s, nova_inode *inode, const struct attrs *attrs,
                                 const struct victim_file *want, struct victim_look *look) {
    static uint8_t got[NOVA_XATTR_MAX];
    uint32_t len;
    if (attrs->n != want->attrs)
        return "number of extended attributes";
    for (uint32_t i = 0; i < want->attrs; i++) {
        const struct attr *a = attrs_get(attrs, want->attr[i].name);
        if (a == NULL)
            return "name of an extended attribute";
        if (nova_xattr_read(inode, a->log_blk, a->log_idx, got, sizeof got, &len, &s->err) != NOVA_OK)
            refused(look, want->path, &s->err);
        else if (len != want->attr[i].len || memcmp(got, want->attr[i].value, len) != 0)
            return "value of an extended attribute";
    }
    return NULL;
}

static const char *look_at_dir(struct store *s, const struct victim_file *want, struct victim_look *look) {
    const struct dir_map *names;
    const struct attrs *attrs;
    nova_inode *dir;
    struct nova_stat st;
    if (store_dir_open(s, want->path, &names) != NOVA_OK) {
        refused(look, want->path, &s->err);
        return NULL;
    }
    look->opened++;
    assert_int_equal(store_dir_attrs(s, want->path, &dir, &attrs), NOVA_OK);
    assert_int_equal(nova_inode_stat(dir, &st), NOVA_OK);
    const char *differs = stat_differs(&st, &want->st);
    if (names->live != want->names)
        differs = "number of names";
    return differs != NULL ? differs : look_at_attrs(s, dir, attrs, want, look);
}

static const char *look_at_content(struct store *s, const struct victim_file *want, struct victim_look *look) {
    static uint8_t got[64 * NOVA_BLOCK_SIZE];
    struct store_file f;
    struct nova_stat st;
    if (store_file_open(s, want->path, false, &f) != NOVA_OK) {
        refused(look, want->path, &s->err);
        return NULL;
    }
    look->opened++;
    assert_int_equal(nova_inode_stat(f.inode, &st), NOVA_OK);
    const char *differs = stat_differs(&st, &want->st);
    if (f.size != want->st.size)
        differs = "size as replayed";
    if (differs == NULL && (store_read(&f, 0, got, f.size) != f.size || memcmp(got, want->bytes, f.size) != 0))
        differs = "bytes";
    if (differs == NULL)
        differs = look_at_attrs(s, f.inode, &f.attrs, want, look);
    (void)store_file_close(&f);
    return differs;
}

static void look_at_file(struct store *s, const struct victim_file *want, struct victim_look *look) {
    struct dir_name d;
    int rc = store_lookup(s, want->path, &d);
    const char *differs = NULL;
    if (rc == NOVA_ENOENT || rc == NOVA_ENOTDIR)
        differs = "the name is missing";
    else if (rc != NOVA_OK)
        refused(look, want->path, &s->err);
    else if (d.type != want->st.type)
        differs = "type by its name";
    else
        differs = d.type == NOVA_DIR ? look_at_dir(s, want, look) : look_at_content(s, want, look);
    if (differs != NULL)
        wrong(look, want->path[0] == '\0' ? "root directory" : want->path, differs);
}

/* New files, in every free slot of the inode table, and all free blocks but the reserve for one of them. */
static void use_free_space(const struct victim *v, struct store *s, struct victim_look *look) {
    static uint8_t src[NOVA_BLOCK_SIZE];
    struct store_file f;
    char name[16];
    int rc = NOVA_OK;
    memset(src, 0xee, sizeof src);
    for (uint32_t i = 0; i < SLOTS - v->info.inodes_used; i++) {
        snprintf(name, sizeof name, "new%u", i);
        if (i != 0)
            (void)store_file_close(&f);
        if (store_file_open(s, name, true, &f) != NOVA_OK) {
            refused(look, name, &s->err);
            return;
        }
    }
    for (uint64_t i = 0; (rc = store_write(&f, i * BLK, src, BLK)) == NOVA_OK; i++)
        ;
    if (rc != NOVA_ENOSPC)
        refused(look, "new", &s->err);
    (void)store_file_close(&f);
}

void victim_look(struct victim *v, bool use, struct victim_look *look) {
    static const struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED, .lanes = 1, .recovery_threads = 1};
    struct store s;
    struct nova_pool_info info;
    memset(look, 0, sizeof *look);
    if (store_open_with(&s, v->path, &opt) != NOVA_OK) {
        refused(look, "open", &s.err);
        return;
    }
    (void)nova_pool_info(s.pool, &info);
    look->recovered = info.recovered != 0;
    if (info.blocks_free != v->info.blocks_free || info.inodes_used != v->info.inodes_used)
        wrong(look, "pool", "number of free blocks, or of inodes");
    if (info.created != v->info.created || memcmp(info.uuid, v->info.uuid, sizeof info.uuid) != 0 ||
        info.compat != v->info.compat)
        wrong(look, "pool", "identity");
    look_at_file(&s, &v->file[0], look);
    if (use)
        use_free_space(v, &s, look);
    for (uint32_t i = 1; i < v->files; i++)
        look_at_file(&s, &v->file[i], look);
    if (s.strays != 0)
        wrong(look, "pool", "a name or attribute is removed that is not there");
    if (store_close(&s) != NOVA_OK)
        refused(look, "close", &s.err);
}

uint64_t victim_fsck(struct victim *v, char *report, size_t cap) {
    struct nova_fsck_summary sum;
    struct nova_error err;
    size_t needed;
    if (nova_fsck(v->path, report, cap, &needed, &sum, &err) != NOVA_OK) {
        snprintf(report, cap, "%s\n", err.msg);
        return 1;
    }
    uint64_t known = sum.clean ? 0 : v->fsck.warnings;
    return sum.errors + (sum.warnings > known ? sum.warnings - known : 0);
}

/* ---- the pool as it should be ---- */

static struct victim_file *take_path(struct victim *v, const char *path) {
    struct victim_file *f = &v->file[v->files++];
    assert_true(v->files <= VICTIM_FILES);
    snprintf(f->path, sizeof f->path, "%s", path);
    return f;
}

static void take_inode(struct victim_file *f, nova_inode *inode, const struct attrs *attrs) {
    struct nova_error err;
    assert_int_equal(nova_inode_stat(inode, &f->st), NOVA_OK);
    assert_true(f->st.ino < (TABLE_BLKS - 1) * FMT_SLOTS_PER_BLK);
    for (uint32_t i = 0; i < attrs->n; i++) {
        const struct attr *a = &attrs->attr[i];
        assert_true(f->attrs < VICTIM_ATTRS);
        snprintf(f->attr[f->attrs].name, sizeof f->attr[0].name, "%s", a->name);
        f->attr[f->attrs].value = malloc(NOVA_XATTR_MAX);
        assert_non_null(f->attr[f->attrs].value);
        assert_int_equal(nova_xattr_read(inode, a->log_blk, a->log_idx, f->attr[f->attrs].value, NOVA_XATTR_MAX,
                                         &f->attr[f->attrs].len, &err),
                         NOVA_OK);
        f->attrs++;
    }
}

static void take_file(struct victim *v, struct store *s, const char *path) {
    struct victim_file *f = take_path(v, path);
    struct store_file open;
    assert_int_equal(store_file_open(s, path, false, &open), NOVA_OK);
    take_inode(f, open.inode, &open.attrs);
    f->bytes = malloc(f->st.size + 1);
    assert_non_null(f->bytes);
    assert_int_equal(store_read(&open, 0, f->bytes, f->st.size), f->st.size);
    assert_int_equal(store_file_close(&open), NOVA_OK);
}

static void take_dir(struct victim *v, struct store *s, const char *path) {
    struct victim_file *f = take_path(v, path);
    const struct dir_map *names;
    const struct attrs *attrs;
    nova_inode *dir;
    uint32_t it = 0;
    assert_int_equal(store_dir_open(s, path, &names), NOVA_OK);
    assert_int_equal(store_dir_attrs(s, path, &dir, &attrs), NOVA_OK);
    take_inode(f, dir, attrs);
    f->names = names->live;
    for (const struct dir_name *n; (n = dir_map_next(names, &it)) != NULL;) {
        char below[sizeof f->path];
        assert_true((size_t)snprintf(below, sizeof below, "%s%s%.*s", path, path[0] == '\0' ? "" : "/", n->name_len,
                                     n->name) < sizeof below);
        if (n->type == NOVA_DIR)
            take_dir(v, s, below);
        else
            take_file(v, s, below);
    }
}

static void take_down(struct victim *v) {
    static const struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED, .lanes = 1};
    struct store s;
    char report[4000];
    assert_int_equal(nova_fsck(v->path, report, sizeof report, NULL, &v->fsck, NULL), NOVA_OK);
    assert_int_equal(v->fsck.errors, 0);
    assert_int_equal(v->fsck.warnings, v->clean ? 0 : 1);
    assert_int_equal(store_open_with(&s, v->path, &opt), NOVA_OK);
    assert_int_equal(nova_pool_info(s.pool, &v->info), NOVA_OK);
    take_dir(v, &s, "");
    assert_int_equal(store_close(&s), NOVA_OK);
}

void victim_init(struct victim *v, bool clean) {
    memset(v, 0, sizeof *v);
    v->clean = clean;
    v->len = POOL_SIZE;
    make_pool(v);
    v->sound = malloc(v->len);
    v->page = calloc(v->len / BLK, sizeof *v->page);
    assert_true(v->sound != NULL && v->page != NULL);
    image_map_file(&v->m, v->path);
    v->bytes = v->m.base;
    memcpy(v->sound, v->bytes, v->len);
    metadata_map_init(&v->map, &v->m);
    take_down(v);
    for (uint32_t b = 0; b < v->len / BLK; b++) {
        bool metadata = false;
        for (uint64_t off = b * BLK; !metadata && off < (b + 1) * BLK; off++)
            metadata = v->map.kind[off] != META_DATA;
        if (metadata)
            v->page[v->pages++] = b;
    }
    uint32_t tables = 0;
    for (size_t i = 0; i < v->map.n; i++)
        tables += v->map.item[i].kind == META_TABLE_POINTER;
    assert_int_equal(tables, TABLE_BLKS);
    victim_restore(v, true);
}

void victim_free(struct victim *v) {
    for (uint32_t i = 0; i < v->files; i++) {
        for (uint32_t k = 0; k < v->file[i].attrs; k++)
            free(v->file[i].attr[k].value);
        free(v->file[i].bytes);
    }
    image_unmap_file(&v->m);
    metadata_map_free(&v->map);
    free(v->sound);
    free(v->page);
    unlink(v->path);
}

void victim_restore(struct victim *v, bool whole) {
    uint64_t n = whole ? v->len / BLK : v->pages;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t off = (whole ? i : v->page[i]) * BLK;
        if (memcmp(v->bytes + off, v->sound + off, BLK) != 0)
            memcpy(v->bytes + off, v->sound + off, BLK);
    }
}
