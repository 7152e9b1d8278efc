/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process is killed in a call, and then the power fails. The kill loses nothing: the next process sees all stores of
 * the first one, those too that were still in the caches. What it shows, and what it builds on, must not vanish with
 * the power: a tail that was stored and not flushed, say, while the blocks that it set free are written anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "crash_image.h"
#include "format/layout.h"
#include "operations.h"
#include "report.h"
#include "workload.h"

static struct judge judge;
static struct explore_stats total;
static uint32_t kills;

/* Judges the store between two calls. */
static uint64_t state_of(struct store *s) {
    char why[300];
    uint64_t state, used;
    if (!judge_store(&judge, s, &state, &used, why, sizeof why))
        fail_msg("after the kill: %s", why);
    return state;
}

/* The state before the call that was cut short: it may still be lost as long as nobody has seen more. */
static uint64_t state_before(const struct trace *t, uint64_t state) {
    for (size_t i = t->n; i-- != 0;) {
        if (t->ev[i].kind == TRACE_BEGIN)
            return t->ops[t->ev[i].op].before;
        if (t->ev[i].kind == TRACE_END)
            break;
    }
    return state;
}

static void open_and_write(struct trace *t, const char *path, uint64_t state) {
    static struct store s;
    static const uint8_t bytes[4 * NOVA_BLOCK_SIZE] = "written after the kill";
    struct store_file f;
    recorder_resume(t);
    uint32_t op = recorder_begin("open after the kill", state_before(t, state), NULL);
    assert_int_equal(store_open(&s, path, NOVA_OPT_EMULATED), NOVA_OK);
    recorder_end(op, state, NULL); /* from here on the user may have seen it */
    op = recorder_begin("make after the kill", state, NULL);
    assert_int_equal(store_file_open(&s, "after the kill", true, &f), NOVA_OK);
    store_file_close(&f);
    recorder_end(op, state = state_of(&s), NULL);
    for (uint32_t pages = 1; pages <= 4; pages += 3) { /* into the first free block, and the first four in a row */
        op = recorder_begin("write after the kill", state, NULL);
        assert_int_equal(store_file_open(&s, "after the kill", false, &f), NOVA_OK);
        assert_int_equal(store_write(&f, 0, bytes, pages * NOVA_BLOCK_SIZE), NOVA_OK);
        store_file_close(&f);
        recorder_end(op, state = state_of(&s), NULL);
    }
    recorder_stop();
    store_close(&s);
}

/* A repair shows nobody the files: what the killed call did may still be lost, but only wholly. */
static void repair(struct trace *t, const char *path, uint64_t state) {
    const struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    char text[1 << 12];
    size_t needed;
    recorder_resume(t);
    uint32_t op = recorder_begin("repair after the kill", state_before(t, state), NULL);
    assert_int_equal(nova_fsck_repair(path, &opt, text, sizeof text, &needed, NULL, NULL), NOVA_OK);
    recorder_stop();
    t->ops[op].after = state;
}

/* The same goes for what makes the pool larger. */
static void resize(struct trace *t, const char *path, uint64_t state) {
    const struct nova_pool_options opt = {.flags = NOVA_OPT_EMULATED};
    t->superblocks = true;
    recorder_resume(t);
    uint32_t op = recorder_begin("make larger after the kill", state_before(t, state), NULL);
    assert_int_equal(nova_pool_resize(path, 2 * (uint64_t)NOVA_POOL_SIZE_MIN, &opt, NULL), NOVA_OK);
    recorder_stop();
    t->ops[op].after = state;
}

/* What the next process does. */
enum next { OPENS, REPAIRS, RESIZES };

static void kill_behind(const struct trace *t, size_t n, enum next next, const char *name,
                        const struct explore_limits *limits) {
    static char failure[2000];
    struct trace killed;
    struct crash_cursor c;
    struct verdict v;
    char path[128];
    trace_prefix(t, n, &killed);
    crash_cursor_init(&c, &killed);
    while (c.at < n)
        crash_cursor_step(&c);
    for (uint32_t i = 0; i < c.line_n; i++)
        crash_image_all(&c, i);
    judge.superblocks = t->superblocks;
    judge.damaged = t->damaged;
    judge.untimed = t->untimed;
    judge_image(&judge, c.image, c.file_len, &v);
    assert_true(v.ok);
    snprintf(path, sizeof path, "%s", store_path("crash-killed"));
    FILE *file = fopen(path, "wb");
    assert_true(file != NULL && fwrite(c.image, c.file_len, 1, file) == 1 && fclose(file) == 0);
    crash_cursor_free(&c);
    (next == OPENS ? open_and_write : next == REPAIRS ? repair : resize)(&killed, path, v.state);
    for (size_t i = n; i < killed.n; i++) /* its drains do nothing for what the first process flushed */
        if (killed.ev[i].kind <= TRACE_DRAIN)
            killed.ev[i].actor = 1;
    unlink(path);
    bool ok = explore(&killed, n, limits, &total, failure, sizeof failure);
    trace_free(&killed);
    kills++;
    if (!ok)
        fail_msg("%s, killed behind event %zu (NOVA_SEED=%llu): %s", name, n, (unsigned long long)limits->seed,
                 failure);
}

static bool worth_a_kill(const struct trace *t, size_t n) {
    return t->ev[n].kind == TRACE_DRAIN || (n > 0 && t->ev[n - 1].kind == TRACE_STORE8);
}

static bool is_loose(const struct model *m) {
    return m != NULL && m->loose != NULL;
}

/* Killed behind each store of a word, and before each drain, up to where bytes are loose: those a kill leaves in the
 * caches, to be lost or not one by one. set: instead of the scene, or NULL. */
static void kill_everywhere(void (*set)(struct world *w), void (*run)(struct world *w), enum scene scene,
                            enum next next, const char *name, const struct explore_limits *limits) {
    static struct world w;
    world_init(&w, (uint64_t)NOVA_POOL_SIZE_MIN);
    if (set != NULL)
        set(&w);
    else
        scene_set(&w, scene);
    record(&w);
    run(&w);
    record_end(&w);
    for (size_t n = 0; n < w.trace.n; n++) {
        const struct trace_event *e = &w.trace.ev[n];
        if (e->kind == TRACE_BEGIN &&
            (is_loose(w.trace.ops[e->op].model_before) || is_loose(w.trace.ops[e->op].model_after)))
            break;
        if (worth_a_kill(&w.trace, n))
            kill_behind(&w.trace, n, next, name, limits);
    }
    world_free(&w);
}

/* The last of them finds no slot but in a new block of the table. */
static void make_many(struct world *w) {
    char name[8];
    for (int i = 0; i < 14; i++) {
        snprintf(name, sizeof name, "f%d", i);
        make(w, name);
    }
}

/* A log with pages in its middle that hold nothing of effect. */
static void dead_pages(struct world *w) {
    put(w, "a", 0, 2 * NOVA_BLOCK_SIZE);
    for (uint32_t i = 0; i < FMT_INLINE_LINES + FMT_PAGE_LINES; i++)
        put(w, "a", i, 1);
    put(w, "a", NOVA_BLOCK_SIZE, 100);
    clean_log(w, "a", 1);
    for (uint32_t i = 0; i < 3 * FMT_PAGE_LINES; i++)
        put(w, "a", i, 1);
}

static void cut_dead_pages(struct world *w) {
    cut_dead(w, "a");
}

/* ---- superblocks ---- */

/* Of a pool from before there were features; opening it says in both superblocks that there are. */
static void old_pool(struct world *w) {
    put(w, "a", 0, 5000);
    close_pool(w);
    downgrade(w);
    w->superblocks = true;
}

static void closed(struct world *w) {
    put(w, "a", 0, 5000);
    put(w, "b", 0, 100);
    close_pool(w);
    w->superblocks = true;
}

static void grow(struct world *w) {
    resize_pool(w, (uint64_t)NOVA_POOL_SIZE_MIN + 9 * NOVA_BLOCK_SIZE);
}

/* ---- transactions over several logs ---- */

static void tree(struct world *w) {
    make_dir(w, "d");
    make_dir(w, "e");
    put(w, "d/a", 0, 100);
    put(w, "b", 0, 100);
    add_link(w, "b", "d/c");
    put(w, "e/f", 0, 100);
}

static void rename_across(struct world *w) {
    move(w, "d/a", "e/g");
}
static void rename_over_link(struct world *w) {
    move(w, "e/f", "b");
}
static void exchange_across(struct world *w) {
    exchange(w, "d/a", "e/f");
}
static void link_across(struct world *w) {
    add_link(w, "d/a", "e/g");
}
static void unlink_link(struct world *w) {
    drop(w, "d/c");
}

static const struct {
    const char *name;
    void (*run)(struct world *w);
} transactions[] = {
    {"rename across", rename_across},     {"rename over a link", rename_over_link},
    {"exchange across", exchange_across}, {"link", link_across},
    {"unlink a link", unlink_link},
};

static struct explore_limits few(void) {
    struct explore_limits limits = explore_limits_default();
    limits.exhaustive = limits.exhaustive / 8 + 1;
    limits.samples = limits.samples / 8 + 1;
    limits.lines = limits.lines < 8 ? limits.lines : 8;
    limits.nested_every = 0;
    printf("NOVA_SEED=%llu\n", (unsigned long long)limits.seed);
    return limits;
}

static void all(enum next next) {
    struct explore_limits limits = few();
    for (size_t i = limits.seed % limits.stride; i < operations_n; i += limits.stride)
        for (int scene = 0; scene < SCENES; scene++)
            if (getenv("NOVA_FULL") != NULL || scene == (int)((i + limits.seed) % SCENES))
                kill_everywhere(NULL, operations[i].run, (enum scene)scene, next, operations[i].name, &limits);
    kill_everywhere(NULL, make_many, (enum scene)0, next, "make many", &limits);
    kill_everywhere(dead_pages, cut_dead_pages, (enum scene)0, next, "cut dead pages", &limits);
    kill_everywhere(old_pool, open_pool, (enum scene)0, next, "open an old pool", &limits);
    kill_everywhere(closed, grow, (enum scene)0, next, "grow", &limits);
    for (size_t i = 0; i < sizeof transactions / sizeof *transactions; i++)
        kill_everywhere(tree, transactions[i].run, (enum scene)0, next, transactions[i].name, &limits);
}

static void test_open_after_a_kill(void **state) {
    (void)state;
    all(OPENS);
}

static void test_repair_after_a_kill(void **state) {
    (void)state;
    all(REPAIRS);
}

static void test_resize_after_a_kill(void **state) {
    (void)state;
    struct explore_limits limits = few();
    kill_everywhere(old_pool, open_pool, (enum scene)0, RESIZES, "open an old pool", &limits);
    kill_everywhere(closed, grow, (enum scene)0, RESIZES, "grow", &limits);
    kill_everywhere(NULL, make_many, (enum scene)0, RESIZES, "make many", &limits);
}

static int start(void **state) {
    (void)state;
    judge_init(&judge, "crash-visible", (uint64_t)NOVA_POOL_SIZE_MIN);
    return 0;
}

static int end(void **state) {
    (void)state;
    judge_free(&judge);
    report_line("crash: power cut after a kill: %u kills, %llu images, %llu distinct", kills,
                (unsigned long long)total.images, (unsigned long long)total.distinct);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open_after_a_kill),
        cmocka_unit_test(test_repair_after_a_kill),
        cmocka_unit_test(test_resize_after_a_kill),
    };
    return cmocka_run_group_tests(tests, start, end);
}
