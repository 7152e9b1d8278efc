/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every ordered pair of calls on a small tree: crashes are explored in the second call of each pair, with whatever the
 * first one left behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "random_tree.h"

static struct explore_limits less(void) {
    struct explore_limits l = explore_limits_default();
    l.exhaustive = l.exhaustive / 8 + 1;
    l.samples = l.samples / 4 + 1;
    l.lines = l.lines < 16 ? l.lines : 16;
    l.nested_every *= 4;
    return l;
}

/* ---- pairs: each works on what the other call left, and makes what it misses first ---- */

static void have_file(struct world *w, const char *path) {
    if (tree_has(w, path) && !tree_is(w, path, NOVA_FILE))
        tree_lose(w, path);
    if (!tree_has(w, path))
        put(w, path, 0, 300);
}

static void have_dir(struct world *w, const char *path) {
    if (tree_has(w, path) && !tree_is(w, path, NOVA_DIR))
        tree_lose(w, path);
    if (!tree_has(w, path))
        make_dir(w, path);
}

static void two_names(struct world *w) {
    have_file(w, "f");
    if (tree_has(w, "e/l") && model_nlink(w->now[0], "e/l") == 1)
        tree_lose(w, "e/l");
    if (!tree_has(w, "e/l"))
        add_link(w, "f", "e/l");
}

static void mkdir_(struct world *w) {
    tree_lose(w, "d/sub"), make_dir(w, "d/sub");
}
static void rmdir_(struct world *w) {
    have_dir(w, "d/sub"), drop_dir(w, "d/sub");
}
static void create(struct world *w) {
    tree_lose(w, "d/new"), make(w, "d/new");
}
static void symlink_(struct world *w) {
    tree_lose(w, "d/s"), make_symlink(w, "d/s", 70);
}
static void link_(struct world *w) {
    have_file(w, "f"), tree_lose(w, "e/l"), add_link(w, "f", "e/l");
}
static void link_again(struct world *w) {
    two_names(w), tree_lose(w, "l2"), add_link(w, "e/l", "l2");
}
static void unlink_(struct world *w) {
    have_file(w, "d/x"), drop(w, "d/x");
}
static void unlink_link(struct world *w) {
    two_names(w), drop(w, "e/l");
}
static void unlink_first(struct world *w) {
    two_names(w), drop(w, "f");
}
static void unlink_open(struct world *w) {
    have_file(w, "d/x"), put(w, "d/x", 0, 10), drop_close(w, "d/x"), drop_open(w, "d/x");
}
static void write_link(struct world *w) {
    two_names(w), put(w, "e/l", size_of(w, "e/l"), 5000);
}
static void rename_within(struct world *w) {
    have_file(w, "d/x"), tree_lose(w, "d/y"), move(w, "d/x", "d/y");
}
static void rename_across(struct world *w) {
    have_file(w, "d/x"), tree_lose(w, "e/x"), move(w, "d/x", "e/x");
}
static void rename_back(struct world *w) {
    have_file(w, "e/x"), tree_lose(w, "d/x"), move(w, "e/x", "d/x");
}
static void rename_over(struct world *w) {
    have_file(w, "d/x"), have_file(w, "g"), move(w, "d/x", "g");
}
static void rename_over_link(struct world *w) {
    two_names(w), have_file(w, "d/x"), move(w, "d/x", "e/l");
}
static void rename_over_name(struct world *w) {
    two_names(w), have_file(w, "g"), move(w, "g", "f");
}
static void rename_link(struct world *w) {
    two_names(w), tree_lose(w, "d/l"), move(w, "e/l", "d/l");
}
static void rename_dir(struct world *w) {
    have_dir(w, "d/sub"), tree_lose(w, "e/sub"), move(w, "d/sub", "e/sub");
}
static void rename_dir_over(struct world *w) {
    have_dir(w, "d/sub"), have_dir(w, "void"), move(w, "d/sub", "void");
}
static void rename_parent(struct world *w) {
    tree_lose(w, "h"), tree_lose(w, "e/h"), move(w, "d", "h"), make_dir(w, "d"), move(w, "h", "e/h"),
        put(w, "e/h/x", 0, 10);
}
static void exchange_files(struct world *w) {
    have_file(w, "d/x"), have_file(w, "g"), exchange(w, "d/x", "g");
}
static void exchange_dir(struct world *w) {
    have_dir(w, "d/sub"), have_file(w, "g"), exchange(w, "d/sub", "g");
}
static void exchange_within(struct world *w) {
    two_names(w), have_file(w, "g"), exchange(w, "f", "g");
}
static void setattr_file(struct world *w) {
    have_file(w, "d/x"), set_attr(w, "d/x", NOVA_ATTR_MODE | NOVA_ATTR_MTIME);
}
static void setattr_dir(struct world *w) {
    set_attr(w, "d", NOVA_ATTR_UID | NOVA_ATTR_GID | NOVA_ATTR_ATIME | NOVA_ATTR_MTIME);
}
static void xattr_file(struct world *w) {
    two_names(w), set_xattr(w, "e/l", "user.x", 5000);
}
static void xattr_dir(struct world *w) {
    have_dir(w, "d/sub"), set_xattr(w, "d/sub", "user.x", 5000);
}
static void punch_link(struct world *w) {
    two_names(w), put(w, "e/l", 0, 9000), punch(w, "e/l", 100, 6000);
}
static void reopen(struct world *w) {
    close_pool(w), open_pool(w);
}
static void crash(struct world *w) {
    (void)w; /* nothing but what the first call of the pair left */
}

static const struct {
    const char *name;
    void (*run)(struct world *w);
} calls[] = {
    {"mkdir", mkdir_},
    {"rmdir", rmdir_},
    {"create", create},
    {"symlink", symlink_},
    {"link", link_},
    {"link again", link_again},
    {"unlink", unlink_},
    {"unlink a link", unlink_link},
    {"unlink the first name", unlink_first},
    {"unlink while open", unlink_open},
    {"write a link", write_link},
    {"rename within", rename_within},
    {"rename across", rename_across},
    {"rename back", rename_back},
    {"rename over", rename_over},
    {"rename over a link", rename_over_link},
    {"rename over a first name", rename_over_name},
    {"rename a link", rename_link},
    {"rename a directory", rename_dir},
    {"rename a directory over one", rename_dir_over},
    {"rename a parent", rename_parent},
    {"exchange files", exchange_files},
    {"exchange with a directory", exchange_dir},
    {"exchange within", exchange_within},
    {"setattr of a file", setattr_file},
    {"setattr of a directory", setattr_dir},
    {"set of what has two names", xattr_file},
    {"set of a directory", xattr_dir},
    {"punch what has two names", punch_link},
    {"reopen", reopen},
    {"nothing", crash},
};
#define CALLS (sizeof calls / sizeof *calls)

static void pair(size_t first, size_t second, const struct explore_limits *limits, struct explore_stats *st) {
    static struct world w;
    char name[128];
    snprintf(name, sizeof name, "%s, then %s", calls[first].name, calls[second].name);
    world_init(&w, (uint64_t)NOVA_POOL_SIZE_MIN);
    make_dir(&w, "d");
    make_dir(&w, "e");
    put(&w, "f", 0, 300);
    put(&w, "d/x", 0, 100);
    record(&w);
    calls[first].run(&w);
    size_t from = w.trace.n;
    calls[second].run(&w);
    record_end(&w);
    explore_world(&w, name, from, limits, st);
    world_free(&w);
}

static void test_pairs(void **state) {
    (void)state;
    struct explore_limits limits = less();
    struct explore_stats st = {0};
    printf("NOVA_SEED=%llu\n", (unsigned long long)limits.seed);
    for (size_t i = limits.seed % limits.stride; i < CALLS * CALLS; i += limits.stride)
        pair(i / CALLS, i % CALLS, &limits, &st);
    explore_stats_print("tree: pairs of calls on names", &st);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
