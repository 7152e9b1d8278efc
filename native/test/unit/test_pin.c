/* SPDX-License-Identifier: Apache-2.0 */
/* Pinned pages: what is stored and loaded through a mapping of the pool's file that the core knows nothing of. */
#include "write_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "api/handles.h"
#include "lazy.h"

static void sound(void) {
    struct nova_fsck_summary sum = image_no_findings(path);
    assert_int_equal(sum.clean, 1);
    assert_int_equal(sum.blocks_used + sum.blocks_free, sum.blocks_total);
}

static void write_at(struct store_file *f, uint64_t off, uint64_t len, uint32_t salt) {
    uint8_t *bytes = malloc(len);
    assert_non_null(bytes);
    fill_pattern(bytes, len, salt);
    must(store_write(f, off, bytes, len));
    free(bytes);
}

static bool shows(const uint8_t *p, uint64_t len, uint32_t salt) {
    uint8_t *bytes = malloc(len);
    assert_non_null(bytes);
    fill_pattern(bytes, len, salt);
    bool same = memcmp(p, bytes, len) == 0;
    free(bytes);
    return same;
}

static bool same_as_file(struct store_file *f, const struct store_pin *pin) {
    uint8_t *bytes = malloc(pin->len);
    assert_non_null(bytes);
    uint64_t n = store_read(f, pin->off, bytes, pin->len);
    bool same = memcmp(pin->addr, bytes, n) == 0;
    free(bytes);
    return same;
}

/* Two files whose pages lie by turns. */
static void interleave(struct store_file *f, struct store_file *g, uint32_t pages) {
    must(store_file_open(&s, "f", true, f));
    must(store_file_open(&s, "g", true, g));
    for (uint32_t i = 0; i < pages; i++) {
        write_at(f, i * BLK, BLK, i);
        write_at(g, i * BLK, BLK, 1000 + i);
    }
}

static void test_what_lies_apart_is_moved(void **state) {
    (void)state;
    struct store_file f, g;
    struct store_pin pin;
    struct nova_stat before, after;
    interleave(&f, &g, 40);
    must(store_truncate(&f, 60 * BLK)); /* a hole */
    must(store_setattr(&s, "f", NOVA_ATTR_MTIME, 0, 0, 0, 0, 4711, 0));
    assert_int_equal(nova_inode_stat(f.inode, &before), NOVA_OK);
    uint64_t free = blocks_free();
    must(store_pin(&f, 2 * BLK, 50 * BLK, &pin));
    assert_int_equal(nova_inode_stat(f.inode, &after), NOVA_OK);
    assert_int_equal(after.mtime, before.mtime);
    assert_int_equal(after.ctime, before.ctime);
    for (uint32_t i = 2; i < 40; i++)
        assert_true(shows(pin.addr + (i - 2) * BLK, BLK, i));
    for (uint64_t i = 38 * BLK; i < 50 * BLK; i++)
        assert_int_equal(pin.addr[i], 0);
    assert_true(blocks_free() <= free - 12 && blocks_free() >= free - 12 - 4 /* log pages */);
    pin.addr[45 * BLK + 3] = 9;
    assert_true(same_as_file(&f, &pin));
    store_unpin(&pin);
    must(store_file_close(&f));
    must(store_file_close(&g));
    assert_int_equal(store_close(&s), NOVA_OK);
    sound();
    must(store_open(&s, path, NOVA_OPT_EMULATED));
}

/* What lies in a row stays, and so does what has room behind it. */
static void test_what_lies_in_a_row_stays(void **state) {
    (void)state;
    struct store_file f;
    struct store_pin pin, more;
    must(store_file_open(&s, "f", true, &f));
    write_at(&f, 0, 20 * BLK, 5);
    uint32_t blk = block_map_get(&f.map, 0);
    must(store_pin(&f, 0, 20 * BLK, &pin));
    assert_int_equal(pin.pool_off, blk * BLK);
    assert_int_equal(*f.appended, 0); /* nothing was logged */
    must(store_truncate(&f, 30 * BLK));
    must(store_pin(&f, 10 * BLK, 20 * BLK, &more));
    assert_int_equal(more.pool_off, (blk + 10) * BLK);
    store_unpin(&pin);
    assert_true(same_as_file(&f, &more));
    store_unpin(&more);
    must(store_file_close(&f));
}

static void test_writes_go_in_place(void **state) {
    (void)state;
    struct store_file f, g;
    struct store_pin pin;
    interleave(&f, &g, 20);
    must(store_pin(&f, 4 * BLK, 8 * BLK, &pin));
    pin.addr[100] = 77;
    write_at(&f, 4 * BLK + 200, 3 * BLK, 50); /* inside */
    assert_true(shows(pin.addr + 200, 3 * BLK, 50));
    assert_int_equal(pin.addr[100], 77);
    write_at(&f, 0, 20 * BLK, 51); /* over all, and beyond the end */
    write_at(&f, 20 * BLK - 7, BLK, 52);
    assert_true(same_as_file(&f, &pin));
    must(store_punch(&f, 5 * BLK + 10, 20));
    assert_int_equal(pin.addr[BLK + 15], 0);
    assert_true(same_as_file(&f, &pin));
    must(store_copy(&g, 0, &f, 3 * BLK, 6 * BLK));
    assert_true(same_as_file(&f, &pin));
    uint32_t blk = block_map_get(&f.map, 16);
    write_at(&f, 16 * BLK, 10, 53); /* what is not pinned is replaced, as ever */
    assert_int_not_equal(block_map_get(&f.map, 16), blk);
    store_unpin(&pin);
    blk = block_map_get(&f.map, 5);
    write_at(&f, 5 * BLK, 10, 54);
    assert_int_not_equal(block_map_get(&f.map, 5), blk);
    must(store_file_close(&f));
    must(store_file_close(&g));
}

/* Fills the rest of the pool; then no byte of it may have come to where the mapping looks. */
static void nobody_gets_it(const struct store_pin *pin, uint32_t salt) {
    poison();
    assert_true(shows(pin->addr, pin->len, salt));
}

enum gone { CUT, PUNCHED, COLLAPSED, UNLINKED, RENAMED_OVER };

static void test_what_is_gone_is_kept(void **state) {
    (void)state;
    for (enum gone how = CUT; how <= RENAMED_OVER; how++) {
        struct store_file f;
        struct store_pin pin;
        must(store_file_open(&s, "f", true, &f));
        must(store_create(&s, "other", 0644));
        write_at(&f, 0, 16 * BLK, 5);
        must(store_pin(&f, 0, 16 * BLK, &pin));
        if (how == CUT)
            must(store_truncate(&f, 0));
        else if (how == PUNCHED)
            must(store_punch(&f, 0, 16 * BLK));
        else if (how == COLLAPSED)
            must(store_collapse(&f, 0, 15 * BLK));
        must(store_file_close(&f));
        if (how == UNLINKED)
            must(store_unlink(&s, "f"));
        else if (how == RENAMED_OVER)
            must(store_rename(&s, "other", "f"));
        nobody_gets_it(&pin, 5);
        pin.addr[3] = 1; /* nor is anybody hurt */
        uint64_t free = blocks_free();
        uint32_t held = alloc_held_free(s.pool->alloc); /* they count as used */
        assert_int_equal(held, how == COLLAPSED ? 15 : 16);
        store_unpin(&pin);
        assert_int_equal(alloc_held_free(s.pool->alloc), 0);
        assert_int_equal(blocks_free(), free + held);
        if (how != UNLINKED)
            must(store_unlink(&s, "f"));
        if (how != RENAMED_OVER)
            must(store_unlink(&s, "other"));
    }
    assert_int_equal(store_close(&s), NOVA_OK);
    sound();
    must(store_open(&s, path, NOVA_OPT_EMULATED));
}

/* Wherever the allocator puts the pages of a file that fills the pool: every block of an odd number is freed. */
static void test_no_blocks_in_a_row(void **state) {
    (void)state;
    struct store_file f, g;
    struct store_pin pin;
    must(store_file_open(&s, "f", true, &f));
    must(store_file_open(&s, "g", true, &g));
    must(store_truncate(&g, 100 * BLK));
    uint32_t pages = 0;
    for (int rc = NOVA_OK; rc == NOVA_OK; pages += rc == NOVA_OK) {
        uint8_t one = 1;
        rc = store_write(&f, pages * BLK, &one, 1);
        assert_true(rc == NOVA_OK || rc == NOVA_ENOSPC);
    }
    assert_int_equal(store_pin(&g, 0, 100 * BLK, &pin), NOVA_ENOSPC);
    for (uint32_t page = 0; page < pages; page++)
        if (block_map_get(&f.map, page) % 2 != 0)
            must(store_punch(&f, page * BLK, BLK));
    assert_true(blocks_free() > 100 + pages / 4);
    assert_int_equal(store_pin(&g, 0, 100 * BLK, &pin), NOVA_ENOSPC);
    assert_non_null(strstr(s.err.msg, "in a row"));
    assert_int_equal(*g.appended, 0);  /* neither of the two logged anything */
    must(store_pin(&g, 0, BLK, &pin)); /* one page is always in a row */
    store_unpin(&pin);
    must(store_file_close(&f));
    must(store_file_close(&g));
    must(store_unlink(&s, "f"));
    must(store_unlink(&s, "g"));
}

static void test_pinned_pages_do_not_move(void **state) {
    (void)state;
    struct store_file f, g;
    struct store_pin pin, two, more;
    interleave(&f, &g, 20);
    must(store_pin(&f, 0, BLK, &pin)); /* a block of g is behind it */
    assert_int_equal(store_pin(&f, 0, 4 * BLK, &more), NOVA_EBUSY);
    must(store_pin(&f, 2 * BLK, BLK, &two));
    assert_int_equal(store_pin(&f, 0, 4 * BLK, &more), NOVA_EBUSY); /* two that do not agree */
    must(store_pin(&f, 0, BLK, &more));                             /* once more */
    assert_int_equal(more.pool_off, pin.pool_off);
    store_unpin(&pin);
    store_unpin(&two);
    assert_int_equal(store_pin(&f, 0, 4 * BLK, &two), NOVA_EBUSY);
    store_unpin(&more);
    must(store_pin(&f, 0, 4 * BLK, &more));
    assert_true(same_as_file(&f, &more));
    store_unpin(&more);
    must(store_file_close(&f));
    must(store_file_close(&g));
}

static void test_regions_show_the_same(void **state) {
    (void)state;
    struct store_file f, g;
    struct store_pin pin;
    struct store_region r;
    interleave(&f, &g, 20);
    must(store_map(&f, 0, 20 * BLK, 0, &r));
    r.addr[5 * BLK] = 3;
    bool lazy = r.lazy;
    int rc = store_pin(&f, 4 * BLK, 8 * BLK, &pin);
    if (!lazy) { /* what it shows cannot be held */
        assert_int_equal(rc, NOVA_EBUSY);
        nova_region_free(r.r);
        must(store_pin(&f, 4 * BLK, 8 * BLK, &pin));
        must(store_map(&f, 0, 20 * BLK, 0, &r));
    } else {
        must(rc);
        assert_int_equal(pin.addr[BLK], 3);
    }
    r.addr[6 * BLK + 1] = 11;
    pin.addr[3 * BLK + 1] = 12;
    assert_int_equal(pin.addr[2 * BLK + 1], 11);
    assert_int_equal(r.addr[7 * BLK + 1], 12);
    write_at(&f, 4 * BLK, 8 * BLK, 99);
    assert_memory_equal(r.addr + 4 * BLK, pin.addr, 8 * BLK);
    nova_region_free(r.r);
    /* An eager region over what lies in a row already. */
    must(store_map(&f, 4 * BLK, 8 * BLK, NOVA_MAP_EAGER, &r));
    store_unpin(&pin);
    must(store_pin(&f, 4 * BLK, 8 * BLK, &pin));
    assert_memory_equal(r.addr, pin.addr, 8 * BLK);
    store_unpin(&pin);
    assert_int_equal(store_pin(&f, 3 * BLK, 9 * BLK, &pin), NOVA_EBUSY);
    nova_region_free(r.r);
    must(store_file_close(&f));
    must(store_file_close(&g));
}

static void test_arguments(void **state) {
    (void)state;
    struct store_file f;
    struct store_pin pin;
    must(store_file_open(&s, "f", true, &f));
    write_at(&f, 0, 100, 1);
    assert_int_equal(store_pin(&f, 1, 10, &pin), NOVA_EINVAL);
    assert_int_equal(store_pin(&f, 0, 0, &pin), NOVA_EINVAL);
    assert_int_equal(store_pin(&f, 0, BLK + 1, &pin), NOVA_EINVAL); /* beyond the end's page */
    must(store_pin(&f, 0, BLK, &pin));
    store_unpin(&pin);
    nova_unpin(NULL);
    must(store_file_close(&f));
}

/* ---- failures ---- */

static unsigned drains_left;
static struct nova_inode *to_fail;

/* The commit that this belongs to is made, but its inode cannot follow it, as without memory. */
static int drain_then_fail(const struct pmem_ops *ops) {
    (void)ops;
    if (drains_left != 0 && --drains_left == 0)
        to_fail->map->failed = true;
    return pmem_ops_cpu.drain(&pmem_ops_cpu);
}

/* Whatever step it happens in: what has been committed by then keeps its blocks, although the map does not have them.
 */
static void test_a_log_that_cannot_be_followed(void **state) {
    (void)state;
    enum { PAGES = 600 };
    drop_pool();
    make_pool(32 * MIB); /* room in a row, whatever processors this thread runs on */
    for (unsigned step = 1; step <= 3; step++) {
        struct store_file f, g;
        struct store_pin pin;
        interleave(&f, &g, PAGES);
        must(store_pin(&f, 0, BLK, &pin)); /* it has a map */
        store_unpin(&pin);
        struct pmem_ops ops = pmem_ops_cpu;
        const struct pmem_ops *real = s.pool->media.ops;
        ops.drain = drain_then_fail;
        drains_left = 2 * step;
        to_fail = f.inode;
        s.pool->media.ops = &ops;
        int rc = store_pin(&f, 0, PAGES * BLK, &pin);
        s.pool->media.ops = real;
        assert_int_equal(rc, NOVA_ENOMEM);
        must(store_catch_up(&f));
        for (uint32_t i = 0; i < PAGES; i++)
            assert_true(alloc_is_used(s.pool->alloc, block_map_get(&f.map, i)));
        assert_int_equal(store_pin(&f, 0, BLK, &pin), NOVA_ENOMEM); /* and so on */
        poison();
        uint8_t bytes[BLK];
        for (uint32_t i = 0; i < PAGES; i++) {
            assert_int_equal(store_read(&f, i * BLK, bytes, BLK), BLK);
            assert_true(shows(bytes, BLK, i));
        }
        must(store_file_close(&f));
        must(store_file_close(&g));
        assert_int_equal(store_close(&s), NOVA_OK);
        must(store_open(&s, path, NOVA_OPT_EMULATED)); /* finds what nobody has */
        must(store_unlink(&s, "f"));
        must(store_unlink(&s, "g"));
        assert_int_equal(store_close(&s), NOVA_OK);
        sound();
        must(store_open(&s, path, NOVA_OPT_EMULATED));
    }
}

/* In another process, by another open file. */
static bool others_can_open(void) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int fd = open(path, O_RDWR);
        _exit(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void test_pins_outlive_the_pool(void **state) {
    (void)state;
    struct store_file f;
    struct store_pin kept, gone;
    must(store_file_open(&s, "f", true, &f));
    write_at(&f, 0, 32 * BLK, 5);
    must(store_pin(&f, 0, 16 * BLK, &kept));
    must(store_pin(&f, 16 * BLK, 16 * BLK, &gone));
    must(store_truncate(&f, 16 * BLK)); /* what `gone` shows is nobody's */
    must(store_file_close(&f));
    assert_int_equal(store_close(&s), NOVA_OK);
    assert_false(others_can_open());
    sound(); /* here it may be looked at; on the media they are free */
    gone.addr[0] = 1;
    must(store_open(&s, path, NOVA_OPT_EMULATED));
    gone.addr[0] = 2;
    struct nova_pool *second;
    struct nova_error err;
    assert_int_equal(nova_pool_open(path, &emulated, &second, &err), NOVA_EBUSY);
    nobody_gets_it(&kept, 5);
    must(store_file_open(&s, "f", false, &f));
    assert_true(same_as_file(&f, &kept));
    must(store_unlink(&s, "f"));
    must(store_file_close(&f));
    poison();
    assert_true(shows(kept.addr, kept.len, 5));
    assert_int_equal(alloc_held_free(s.pool->alloc), 32);
    uint64_t free = blocks_free();
    store_unpin(&gone);
    assert_int_equal(blocks_free(), free + 16);
    assert_int_equal(alloc_held_free(s.pool->alloc), 16);
    assert_int_equal(store_close(&s), NOVA_OK);
    assert_false(others_can_open());
    store_unpin(&kept); /* with no pool open */
    assert_true(others_can_open());
    sound();
    must(store_open(&s, path, NOVA_OPT_EMULATED));
    assert_int_equal(alloc_held_free(s.pool->alloc), 0);
}

/* A block that a writing call gives back may be the next one that is written, but not as long as a pin shows it. */
static void test_what_is_given_back_is_kept(void **state) {
    (void)state;
    struct store_file f;
    struct store_pin pin;
    must(store_file_open(&s, "f", true, &f));
    write_at(&f, 0, 4 * BLK, 5);
    must(store_pin(&f, 0, 4 * BLK, &pin));
    must(store_file_close(&f));
    must(store_file_open(&s, "f", false, &f)); /* with no mapping */
    uint8_t bytes[BLK];
    for (uint32_t i = 0; i < 8; i++) {
        uint64_t page = i % 4;
        uint32_t blk = block_map_get(&f.map, page);
        fill_pattern(bytes, BLK, 60 + i);
        must(nova_write(f.inode, page * BLK, bytes, BLK, blk, blk, 0, &f.io));
        assert_int_equal(f.io.free_count, 0);
        assert_true(block_map_set(&f.map, page, f.io.records[0].u.write.blk, 1, NULL, NULL));
        f.io.frees[f.io.free_count++] = (struct nova_extent){blk, 1}; /* for the next one */
    }
    assert_true(shows(pin.addr, pin.len, 5));
    assert_int_equal(alloc_held_free(s.pool->alloc), 4);
    must(store_write(&f, 0, bytes, BLK));
    store_unpin(&pin);
    must(store_file_close(&f));
    must(store_unlink(&s, "f"));
    assert_int_equal(store_close(&s), NOVA_OK);
    sound();
    must(store_open(&s, path, NOVA_OPT_EMULATED));
}

static void test_a_pool_that_grows_under_pins(void **state) {
    (void)state;
    struct store_file f;
    struct store_pin kept, gone;
    struct nova_error err;
    must(store_file_open(&s, "f", true, &f));
    write_at(&f, 0, 32 * BLK, 5);
    must(store_pin(&f, 0, 16 * BLK, &kept));
    must(store_pin(&f, 16 * BLK, 16 * BLK, &gone));
    must(store_truncate(&f, 16 * BLK));
    gone.addr[0] = 1;
    must(store_file_close(&f));
    assert_int_equal(nova_pool_resize(path, 16 * MIB, &emulated, &err), NOVA_EBUSY);
    assert_int_equal(store_close(&s), NOVA_OK);
    assert_int_equal(nova_pool_resize(path, 16 * MIB, &emulated, &err), NOVA_OK);
    assert_false(others_can_open());
    must(store_open(&s, path, NOVA_OPT_EMULATED));
    assert_int_equal(alloc_held_free(s.pool->alloc), 16);
    nobody_gets_it(&kept, 5);
    assert_int_equal(gone.addr[0], 1);
    must(store_file_open(&s, "f", false, &f));
    assert_true(same_as_file(&f, &kept));
    store_unpin(&kept);
    store_unpin(&gone);
    must(store_unlink(&s, "f"));
    must(store_file_close(&f));
    assert_int_equal(store_close(&s), NOVA_OK);
    sound();
    assert_true(others_can_open());
    must(store_open(&s, path, NOVA_OPT_EMULATED));
}

/* Somebody copies a smaller pool over the file: there is nothing to hold, and nothing is touched. */
static void test_a_pool_that_is_overwritten(void **state) {
    (void)state;
    struct store_file f, g;
    struct store_pin pin;
    struct nova_error err;
    const char *other = store_path("pin-other");
    interleave(&f, &g, 60);
    must(store_pin(&f, 0, 60 * BLK, &pin));
    assert_true(pin.pool_off > 2 * MIB);
    must(store_file_close(&f));
    must(store_file_close(&g));
    assert_int_equal(store_close(&s), NOVA_OK);
    assert_int_equal(nova_pool_create(other, 2 * MIB, &emulated, &err), NOVA_OK);
    store_copy_file(other, path);
    assert_int_equal(store_open(&s, path, NOVA_OPT_EMULATED), NOVA_EBUSY);
    assert_non_null(strstr(s.err.msg, "pinned"));
    assert_false(others_can_open());
    store_unpin(&pin);
    assert_true(others_can_open());
    must(store_open(&s, path, NOVA_OPT_EMULATED));
    assert_int_equal(store_close(&s), NOVA_OK);
    unlink(other);
    unlink(path);
    make_pool(8 * MIB);
}

/* Beside an inspection under the kept lock, nobody opens the pool; the lock goes with the last who has it. */
static void test_inspection_of_a_kept_pool(void **state) {
    (void)state;
    struct store_file f;
    struct store_pin pin;
    struct pool_file look;
    struct nova_error err;
    must(store_file_open(&s, "f", true, &f));
    write_at(&f, 0, BLK, 5);
    must(store_pin(&f, 0, BLK, &pin));
    must(store_file_close(&f));
    assert_int_equal(store_close(&s), NOVA_OK);
    assert_int_equal(pool_file_inspect(&look, path, &err), NOVA_OK);
    assert_int_equal(store_open(&s, path, NOVA_OPT_EMULATED), NOVA_EBUSY);
    store_unpin(&pin);
    assert_false(others_can_open());
    pool_file_close(&look);
    assert_true(others_can_open());
    must(store_open(&s, path, NOVA_OPT_EMULATED));
}

/* A crash while blocks are kept: the next open finds them free. */
static void test_after_a_crash(void **state) {
    (void)state;
    struct store_file f;
    struct store_pin pin;
    const char *copy = store_path("pin-copy");
    struct store other;
    must(store_file_open(&s, "f", true, &f));
    uint64_t free = blocks_free();
    write_at(&f, 0, 16 * BLK, 5);
    must(store_pin(&f, 0, 16 * BLK, &pin));
    must(store_truncate(&f, 0));
    assert_int_equal(blocks_free(), free - 16 - log_pages(f.inode));
    store_copy_file(path, copy);
    must(store_open(&other, copy, NOVA_OPT_EMULATED)); /* another file, which no pin is about */
    assert_true(image_blocks_free(other.pool) >= free - log_pages(f.inode));
    assert_int_equal(store_close(&other), NOVA_OK);
    unlink(copy);
    store_unpin(&pin);
    must(store_file_close(&f));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_what_lies_apart_is_moved),
        TEST(test_what_lies_in_a_row_stays),
        TEST(test_writes_go_in_place),
        TEST(test_what_is_gone_is_kept),
        TEST(test_no_blocks_in_a_row),
        TEST(test_pinned_pages_do_not_move),
        TEST(test_regions_show_the_same),
        TEST(test_arguments),
        TEST(test_a_log_that_cannot_be_followed),
        TEST(test_what_is_given_back_is_kept),
        TEST(test_pins_outlive_the_pool),
        TEST(test_a_pool_that_grows_under_pins),
        TEST(test_a_pool_that_is_overwritten),
        TEST(test_inspection_of_a_kept_pool),
        TEST(test_after_a_crash),
    };
    store_one_processor(); /* see interleave() */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
