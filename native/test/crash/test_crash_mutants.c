/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The explorer must be able to fail: every flush, drain, store, copy, zeroing and checksum of every operation is left
 * out, delayed, torn or swapped, one at a time (mutant.h), and the explorer must find an image that is judged bad. What
 * does no harm is listed with its reason, and the list must be true: a mutant that is listed for one workload and dies
 * there fails the test, and so does an entry that fits no survivor.
 *
 * The file crash-mutants.txt beside the program says which workload kills which mutant, and with what image. All but
 * the checksums (mutant.c has to know their structures) goes by the stores of a recording, so that new steps of the
 * protocol (a journal's) are covered as soon as an operation takes them.
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

#include "api/handles.h"
#include "lazy.h"
#include "map/region.h"
#include "mutant.h"
#include "operations.h"
#include "report.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)

/* ---- workloads beside the operations ---- */

/* Events of the recording that are mutated, if not all. What follows, as an orderly close, only shows the harm. */
static size_t upto;

static void hole(struct world *w, const struct workload *row) {
    (void)row;
    make(w, "a");
    record(w);
    put(w, "a", 77, 100);
}

/* An entry that no longer fits the slot, or the page. */
static void to_page(struct world *w, const struct workload *row) {
    make(w, "a");
    for (uint64_t i = 0; i < row->a; i++)
        put(w, "a", i, 1);
    record(w);
    put(w, "a", 100, 100);
}

static void padded(struct world *w, const struct workload *row) {
    static const char name[] = "a name that takes a line more than is left of the inode's slot, so that it goes to a "
                               "page: a name that takes a line more than is left of the inode's slot, so that it goes "
                               "to a page";
    (void)row;
    make(w, "b");
    record(w);
    make(w, name);
}

static void used_slot(struct world *w, const struct workload *row) {
    (void)row;
    put(w, "a", 0, 100);
    drop(w, "a");
    record(w);
    make(w, "b");
}

/* One thread grows the table and is held up; another one makes a file there. */
static void table(struct world *w, const struct workload *row) {
    struct inode_table *t = &w->s.pool->itable;
    char name[8];
    uint32_t ino;
    (void)row;
    for (int i = 0; i < 14; i++) {
        snprintf(name, sizeof name, "f%d", i);
        make(w, name);
    }
    record(w);
    assert_int_equal(itable_alloc(t, &ino, &w->s.err), NOVA_OK);
    recorder_set_actor(1);
    make(w, "last");
    recorder_set_actor(0);
    upto = w->trace.n;
    itable_free(t, ino);
}

static void close_clean(struct world *w, const struct workload *row) {
    (void)row;
    put(w, "a", 0, 100);
    record(w);
    close_pool(w);
}

static void open_clean(struct world *w, const struct workload *row) {
    (void)row;
    recorder_set_actor(1);
    put(w, "a", 0, 100);
    recorder_set_actor(0);
    close_pool(w);
    record(w);
    open_pool(w);
    upto = w->trace.n;
    recorder_set_actor(1); /* another thread's drain does nothing for what open left */
    put(w, "a", 0, 200);
    close_pool(w);
    recorder_set_actor(0);
}

static void recover(struct world *w, const struct workload *row) {
    (void)row;
    put(w, "a", 0, 100);
    put(w, "b", 0, 100);
    drop_open(w, "a");
    crash_pool(w);
    record(w);
    open_pool(w);
    upto = w->trace.n;
    recorder_set_actor(1);
    close_pool(w);
    recorder_set_actor(0);
}

static void grow(struct world *w, const struct workload *row) {
    put(w, "a", 0, 100);
    put(w, "b", 0, 100);
    drop_open(w, "b");
    if (row->a != 0)
        crash_pool(w);
    else
        close_pool(w);
    w->superblocks = true;
    record(w);
    resize_pool(w, (uint64_t)NOVA_POOL_SIZE_MIN + 9 * BLK);
}

/* ---- calls on names in several logs, and what ends them ---- */

/* "d/a" with one name, "b" and "d/c" the two of another file, "e/f" with one. */
static void small_tree(struct world *w) {
    make_dir(w, "d");
    make_dir(w, "e");
    put(w, "d/a", 0, 100);
    put(w, "b", 0, 100);
    add_link(w, "b", "d/c");
    put(w, "e/f", 0, 100);
    close_file(w, "d/a");
    close_file(w, "b");
    close_file(w, "e/f");
}

static void names_call(struct world *w, uint64_t which) {
    switch (which) {
    case 0: move(w, "d/a", "e/g"); break;
    case 1: move(w, "e/f", "b"); break; /* three logs */
    case 2: exchange(w, "d/a", "e/f"); break;
    case 3: add_link(w, "d/a", "e/g"); break;
    case 4: drop(w, "d/c"); break;
    case 5: move(w, "d/a", "e/f"); break; /* releases */
    case 6: make_dir(w, "e/g"); break;
    case 7: make_symlink(w, "e/g", 300); break;
    case 8: set_attr(w, "d/a", NOVA_ATTR_MODE | NOVA_ATTR_MTIME); break;
    case 10: set_xattr(w, "d", "user.x", 5000); break;
    case 11: set_xattr(w, "b", "user.x", 20); break;
    default: drop_dir(w, "g");
    }
}

static void names(struct world *w, const struct workload *row) {
    small_tree(w);
    if (row->a == 9)
        make_dir(w, "g");
    record(w);
    names_call(w, row->a);
    if (row->b != 0) /* which clears the journal: until then its record makes up for lost tails */
        close_pool(w);
}

/* A transaction of which the record is durable, and the tails that come first in the pool. */
static void recover_names(struct world *w, const struct workload *row) {
    w->s.pool->journal.lanes_n = 1; /* so that there is one record, whatever the CPU */
    small_tree(w);
    record(w);
    names_call(w, row->a);
    crash_in_call(w, 2, (uint32_t)row->b, true);
    record(w);
    open_pool(w);
    upto = w->trace.n;
    recorder_set_actor(1); /* another thread's drain does nothing for what open left */
    close_pool(w);         /* no clean pool has a record */
    recorder_set_actor(0);
}

/* Half a record of two moves over an older one of three: it is cleared, and must not turn whole on the way. */
static void recover_half(struct world *w, const struct workload *row) {
    (void)row;
    w->s.pool->journal.lanes_n = 1;
    small_tree(w);
    names_call(w, 1);
    record(w);
    names_call(w, 0);
    crash_in_call(w, 1, 1, false);
    record(w);
    open_pool(w);
    upto = w->trace.n;
    recorder_set_actor(1);
    close_pool(w);
    recorder_set_actor(0);
}

/* ---- mapped files ---- */

/* Stores to holes: one fault's batch, whose entry needs a new log page, and one's with several entries. */
static void fill(struct world *w, const struct workload *row) {
    if (row->b != 0)
        fragment(w, 60);
    put(w, "a", 11 * BLK, 100);
    for (uint64_t i = 1; i < row->a; i++)
        put(w, "a", 11 * BLK + 100 + i, 1);
    map_file(w, "a", 0, 12 * BLK, 0);
    record(w);
    store_bytes(w, "a", BLK + 5, 10);
    force(w, "a", BLK, BLK);
}

static void eager(struct world *w, const struct workload *row) {
    put(w, "a", 2 * BLK, 100);
    record(w);
    map_file(w, "a", 0, 4 * BLK, NOVA_MAP_EAGER);
    store_bytes(w, "a", 5, 10);
    force(w, "a", 0, BLK);
    if (row->a != 0)
        put(w, "a", 2 * BLK + 50, 2 * BLK); /* in place, and beyond the end */
}

static void moves(struct world *w, const struct workload *row) {
    (void)row;
    for (uint64_t i = 0; i < 8; i++) {
        put(w, "a", i * BLK, BLK);
        put(w, "b", i * BLK, BLK);
    }
    if (lazy_possible()) /* what is eager takes more */
        region_vmas_limit(8);
    map_file(w, "a", 0, 8 * BLK, 0);
    record(w);
    load_all(w, "a");
    region_vmas_limit(0);
    store_bytes(w, "a", 5, 10);
    force(w, "a", 0, 8 * BLK);
    put(w, "b", 0, 5 * BLK); /* where the blocks were */
}

static void pin(struct world *w, const struct workload *row) {
    (void)row;
    for (uint64_t i = 0; i < 8; i++) {
        if (i != 5) /* a hole */
            put(w, "a", i * BLK, BLK);
        put(w, "b", i * BLK, BLK);
    }
    record(w);
    assert_true(pin_file(w, "a", 0, 8 * BLK));
    for (uint64_t i = 0; i < 4; i++)
        put(w, "b", i * BLK, BLK); /* where the blocks were */
    load_pinned(w, "a");
}

static void operation(struct world *w, const struct workload *row) {
    scene_set(w, SCENE_PLAIN);
    record(w);
    operations[row->a].run(w);
}

/* The page that comes free is the next one to be taken. */
static void cut_off(struct world *w, const struct workload *row) {
    (void)row;
    put(w, "b", 0, 300);
    put(w, "a", 0, 2 * NOVA_BLOCK_SIZE);
    for (uint32_t i = 0; i < FMT_INLINE_LINES + FMT_PAGE_LINES; i++)
        set_attr(w, "a", NOVA_ATTR_ATIME);
    record(w);
    clean_log(w, "a", 1);
    put(w, "b", 0, 300);
}

static void cut_out(struct world *w, const struct workload *row) {
    (void)row;
    put(w, "b", 0, 300);
    put(w, "a", 0, 2 * NOVA_BLOCK_SIZE);
    for (uint32_t i = 0; i < FMT_INLINE_LINES; i++)
        put(w, "a", 7, 3);
    clean_log(w, "a", 1);
    for (uint32_t i = 0; i < 2 * FMT_PAGE_LINES; i++)
        put(w, "a", NOVA_BLOCK_SIZE, 3);
    record(w);
    cut_dead(w, "a");
    put(w, "b", 0, 300);
}

/* The directory's tail comes back to where a transaction found it, whose record is still there. */
static void come_back(struct world *w, const struct workload *row) {
    (void)row;
    make_dir(w, "d");
    make_dir(w, "e");
    put(w, "d/a", 0, 300);
    move(w, "d/a", "e/a");
    set_attr(w, "d", NOVA_ATTR_MODE);
    set_attr(w, "d", NOVA_ATTR_MODE);
    record(w);
    restart_log(w, "d");
    put(w, "e/a", 0, 300);
}

static const struct workload special[] = {
    {"into a hole", hole, 0, 0, 0, 0},
    {"slot to page", to_page, 3, 0, 0, 0},
    {"page to page", to_page, 66, 0, 0, 0},
    {"padding", padded, 0, 0, 0, 0},
    {"make in a used slot", used_slot, 0, 0, 0, 0},
    {"table growth", table, 0, 0, 0, 0},
    {"close", close_clean, 0, 0, 0, 0},
    {"open after close", open_clean, 0, 0, 0, 0},
    {"recovery", recover, 0, 0, 0, 0},
    {"growing", grow, 0, 0, 0, 0},
    {"growing after a crash", grow, 1, 0, 0, 0},
    /* names in several logs */
    {"rename across", names, 0, 1, 0, 0},
    {"rename over a link", names, 1, 1, 0, 0},
    {"exchange across", names, 2, 1, 0, 0},
    {"link", names, 3, 1, 0, 0},
    {"unlink a link", names, 4, 1, 0, 0},
    {"rename over a file, across", names, 5, 1, 0, 0},
    {"mkdir", names, 6, 0, 0, 0},
    {"symlink", names, 7, 0, 0, 0},
    {"setattr", names, 8, 0, 0, 0},
    {"rmdir", names, 9, 0, 0, 0},
    {"set of a directory", names, 10, 0, 0, 0},
    {"set of what has two names", names, 11, 0, 0, 0},
    {"recovery of a rename", recover_names, 0, 1, 0, 0},
    {"recovery of a rename over a link", recover_names, 1, 1, 0, 0},
    {"recovery of half a record", recover_half, 0, 0, 0, 0},
    {"cut a page off", cut_off, 0, 0, 0, 0},
    {"cut a page out", cut_out, 0, 0, 0, 0},
    {"tail comes back", come_back, 0, 0, 0, 0},
    /* mapped files */
    {"fill", fill, 1, 0, 0, 0},
    {"fill, in a new log page", fill, 3, 0, 0, 0},
    {"fill, several entries", fill, 2, 1, 0, 0},
    {"eager mapping", eager, 0, 0, 0, 0},
    {"eager mapping, written beyond the end", eager, 1, 0, 0, 0},
    {"moves", moves, 0, 0, 0, 0},
    {"pin", pin, 0, 0, 0, 0},
};
#define SPECIAL (sizeof special / sizeof *special)

/* ---- mutants that do no harm ---- */

static bool is_head_word(const struct trace_event *e) {
    return e->kind == TRACE_COPY && e->len == sizeof(fmt_ptr) && e->off % FMT_SLOT == offsetof(struct fmt_inode, head);
}

static bool is_tail_cleared(const struct trace_event *e) {
    return e->kind == TRACE_STORE8 && e->data == 0 && e->off % FMT_SLOT == offsetof(struct fmt_inode, tail);
}

/* The tail behind a write that certifies itself: stored, and not flushed. */
static bool is_lazy_tail(const struct trace_event *e) {
    return e->kind == TRACE_STORE8 && e->data != 0 && e->off % FMT_SLOT == offsetof(struct fmt_inode, tail) &&
           e[1].kind != TRACE_FLUSH;
}

#define BIT(mutation) (1u << (mutation))
#define ENDING_DRAIN (BIT(MUTANT_NO_DRAIN) | BIT(MUTANT_EARLY_DRAIN) | BIT(MUTANT_EARLY_STORE) | BIT(MUTANT_SWAP_STEPS))
#define ENDING_RECORD                                                                                                  \
    (ENDING_DRAIN | BIT(MUTANT_NO_FLUSH) | BIT(MUTANT_EARLY_FLUSH) | BIT(MUTANT_OTHER_LINE) | BIT(MUTANT_NO_STORE) |   \
     BIT(MUTANT_TORN) | BIT(MUTANT_LATE_STORE))
#define COPIES (BIT(MUTANT_NO_COPY) | BIT(MUTANT_CACHED_COPY) | BIT(MUTANT_LATE_STORE))
#define MAPPED "the same thread's nova_force() drains the tail, too; until then no store is durable for certain"
/* Here that is the drain of what was read, which matters after a kill: test_crash_kill.c. */
#define CLEARED "the zeros over a record that is none any more need no order"

/* What cleaning appends again changes nothing until the log is cut, and the head lies in the tail's line, behind it. */
#define CUT "the log is cut by the next store to the tail's line, which does not become durable before the tail"

#define STEP (BIT(MUTANT_NO_DRAIN) | BIT(MUTANT_EARLY_DRAIN) | BIT(MUTANT_SWAP_STEPS))
#define MARKED "what recovery stores may come late: nothing goes by the pool's size before the file is longer"
#define ANNOUNCED "the first superblock is whole: as long as the new replica is not, it has not happened"
#define GROWN "the new replica is whole: the old one is a free block, and the first superblock is written anew"

static const struct harmless {
    const char *host; /* NULL: wherever `is` is true */
    bool (*is)(const struct trace_event *e);
    uint32_t mutations;   /* BIT each */
    uint32_t first, last; /* of a host: among its mutants of that kind, from 1 */
    const char *why;
} harmless[] = {
    {NULL, is_head_word, BIT(MUTANT_CACHED_COPY), 0, 0,
     "the head word shares its line with the tail, is stored before it, and is flushed with it"},
    {NULL, is_tail_cleared, BIT(MUTANT_TORN), 0, 0, "the slot has lost its name: recovery clears whatever is there"},
    {NULL, is_tail_cleared, BIT(MUTANT_LATE_STORE), 0, 0,
     "the slot has lost its name: recovery clears it, whatever order it was stored in"},
    {NULL, is_lazy_tail, BIT(MUTANT_NO_STORE) | BIT(MUTANT_LATE_STORE), 0, 0,
     "the entry before it certifies itself: recovery finds it without"},
    {"create a pool", NULL, BIT(MUTANT_NO_ZERO) | BIT(MUTANT_CACHED_ZERO), 1, 1, "the blocks of a new file are zero"},
    {"create a pool", NULL, BIT(MUTANT_TORN), 1, 1, "until the superblocks are there nobody reads the table's pointer"},
    {"create a pool", NULL, BIT(MUTANT_NO_DRAIN) | BIT(MUTANT_EARLY_DRAIN) | BIT(MUTANT_EARLY_STORE), 1, 1,
     "the drain behind the table's pointer is for other threads; there are none yet"},
    {"create a pool", NULL, BIT(MUTANT_LATE_STORE), 2, 2, "the same"},
    {"create a pool", NULL, BIT(MUTANT_LATE_STORE), 4, 7, "a state or snapshot that is lost costs a scan"},
    {"create a pool", NULL, BIT(MUTANT_EARLY_DRAIN), 2, 2, "the same"},
    {"rename over a file, across", NULL, BIT(MUTANT_EARLY_STORE), 3, 3,
     "the record has committed the rename: the inode whose slot is cleared has lost its name"},
    {"clean a file's log", NULL, BIT(MUTANT_NO_FLUSH) | BIT(MUTANT_EARLY_FLUSH) | BIT(MUTANT_OTHER_LINE), 4, 4, CUT},
    {"clean a file's log", NULL, BIT(MUTANT_NO_DRAIN) | BIT(MUTANT_EARLY_DRAIN), 8, 8, CUT},
    {"clean a file's log", NULL, BIT(MUTANT_EARLY_STORE), 5, 5, CUT},
    {"clean a directory's log", NULL, BIT(MUTANT_NO_FLUSH) | BIT(MUTANT_EARLY_FLUSH) | BIT(MUTANT_OTHER_LINE), 4, 4,
     CUT},
    {"clean a directory's log", NULL, BIT(MUTANT_NO_DRAIN) | BIT(MUTANT_EARLY_DRAIN), 6, 6, CUT},
    {"clean a directory's log", NULL, BIT(MUTANT_EARLY_STORE), 5, 5, CUT},
    {"cut a page off", NULL, BIT(MUTANT_NO_FLUSH) | BIT(MUTANT_EARLY_FLUSH) | BIT(MUTANT_OTHER_LINE), 1, 1, CUT},
    {"cut a page off", NULL, BIT(MUTANT_NO_DRAIN) | BIT(MUTANT_EARLY_DRAIN) | BIT(MUTANT_EARLY_STORE), 2, 2, CUT},
    {"tail comes back", NULL, BIT(MUTANT_NO_FLUSH) | BIT(MUTANT_EARLY_FLUSH) | BIT(MUTANT_OTHER_LINE), 1, 1, CUT},
    {"tail comes back", NULL, BIT(MUTANT_NO_DRAIN) | BIT(MUTANT_EARLY_DRAIN), 2, 2, CUT},
    {"tail comes back", NULL, BIT(MUTANT_EARLY_STORE), 2, 2,
     "the record's transaction has ended: it may go at any time"},
    {"tail comes back", NULL, BIT(MUTANT_LATE_STORE), 2, 3, "the same; and the record's place is in no log"},
    {"tail comes back", NULL, BIT(MUTANT_TORN), 2, 2, "a record with half a checksum, or magic, is none"},
    {"clean a directory's log", NULL, BIT(MUTANT_NO_COPY), 9, 9,
     "the slot's first line still holds an entry of the same name and inode from before"},
    {"give up a write", NULL, COPIES, 1, 1, "the bytes are nobody's"},
    {"give up a write in place", NULL, COPIES, 1, 1, "the same"},
    {"recovery of a rename", NULL, ENDING_RECORD, 2, 2, "a whole record of an ended transaction may end it again"},
    {"recovery of a rename over a link", NULL, ENDING_RECORD & ~ENDING_DRAIN, 3, 3, "the same"},
    {"recovery of a rename over a link", NULL, ENDING_DRAIN, 2, 2, "the same"},
    {"recovery of a rename", NULL, ENDING_DRAIN | BIT(MUTANT_LATE_STORE), 3, 3, CLEARED},
    {"recovery of a rename over a link", NULL, ENDING_DRAIN, 3, 3, CLEARED},
    {"recovery of a rename over a link", NULL, BIT(MUTANT_LATE_STORE), 4, 4, CLEARED},
    {"recovery of half a record", NULL, ENDING_DRAIN | BIT(MUTANT_LATE_STORE), 2, 2, CLEARED},
    {"eager mapping", NULL, BIT(MUTANT_NO_DRAIN) | BIT(MUTANT_EARLY_DRAIN), 2, 2, MAPPED},
    {"eager mapping", NULL, BIT(MUTANT_LATE_STORE), 3, 3, MAPPED},
    {"eager mapping, written beyond the end", NULL, BIT(MUTANT_NO_DRAIN) | BIT(MUTANT_EARLY_DRAIN), 2, 2, MAPPED},
    {"eager mapping, written beyond the end", NULL, BIT(MUTANT_LATE_STORE), 3, 3, MAPPED},
    {"growing", NULL, STEP | BIT(MUTANT_EARLY_STORE), 1, 1, MARKED},
    {"growing", NULL, BIT(MUTANT_LATE_STORE), 1, 1, MARKED},
    {"growing", NULL, STEP, 3, 3, ANNOUNCED},
    {"growing", NULL, BIT(MUTANT_EARLY_STORE), 2, 2, ANNOUNCED},
    {"growing", NULL, BIT(MUTANT_LATE_STORE), 3, 3, ANNOUNCED},
    {"growing", NULL, BIT(MUTANT_NO_ZERO) | BIT(MUTANT_CACHED_ZERO), 1, 1, GROWN},
    {"growing", NULL, STEP, 4, 5, GROWN},
    {"growing", NULL, BIT(MUTANT_EARLY_STORE), 3, 4, GROWN},
    {"growing", NULL, BIT(MUTANT_LATE_STORE), 4, 5, GROWN},
    {"growing after a crash", NULL, STEP | BIT(MUTANT_EARLY_STORE), 1, 1, MARKED},
    {"growing after a crash", NULL, BIT(MUTANT_LATE_STORE), 1, 2, MARKED},
    {"growing after a crash", NULL, STEP, 3, 3, ANNOUNCED},
    {"growing after a crash", NULL, BIT(MUTANT_EARLY_STORE), 2, 2, ANNOUNCED},
    {"growing after a crash", NULL, BIT(MUTANT_LATE_STORE), 4, 4, ANNOUNCED},
    {"growing after a crash", NULL, BIT(MUTANT_NO_ZERO) | BIT(MUTANT_CACHED_ZERO), 1, 1, GROWN},
    {"growing after a crash", NULL, STEP, 4, 5, GROWN},
    {"growing after a crash", NULL, BIT(MUTANT_EARLY_STORE), 3, 4, GROWN},
    {"growing after a crash", NULL, BIT(MUTANT_LATE_STORE), 5, 6, GROWN},
    {"recovery of half a record", NULL, BIT(MUTANT_TORN), 1, 1, "a record with half a checksum, or magic, is none"},
};
#define HARMLESS (sizeof harmless / sizeof *harmless)

/* The entry that the mutant fits, or NULL. */
static const struct harmless *find_harmless(const char *host, enum mutation m, uint32_t nth,
                                            const struct trace_event *e) {
    for (size_t i = 0; i < HARMLESS; i++) {
        const struct harmless *h = &harmless[i];
        if ((h->mutations & BIT(m)) == 0)
            continue;
        if (h->host == NULL ? h->is(e) : nth >= h->first && nth <= h->last && strcmp(h->host, host) == 0)
            return h;
    }
    return NULL;
}

/* ---- the test ---- */

struct tally {
    uint32_t killed[MUTANT_KINDS], equivalent[MUTANT_KINDS];
};

static struct {
    struct tally all;
    uint32_t survived;   /* and are not listed */
    uint32_t wrong;      /* these, and what is wrong with the list */
    bool fits[HARMLESS]; /* a survivor */
    struct explore_limits limits;
    struct explore_limits listed; /* of what is listed: nearly all images are those of a sound program */
    struct explore_stats st;
    FILE *list, *table;
    char *table_text;
    size_t table_len;
} hunting;

static void table_row(const char *name, const struct tally *t) {
    fprintf(hunting.table, "%-30.30s", name);
    for (int m = 0; m < MUTANT_KINDS; m++)
        if (t == NULL)
            fprintf(hunting.table, " %11s", mutation_name((enum mutation)m));
        else if (t->killed[m] + t->equivalent[m] == 0)
            fprintf(hunting.table, " %11s", "-");
        else if (t->equivalent[m] == 0)
            fprintf(hunting.table, " %11u", t->killed[m]);
        else
            fprintf(hunting.table, " %7u + %u", t->killed[m], t->equivalent[m]);
    fputc('\n', hunting.table);
}

static void hunt(const struct trace *t, const char *host, enum mutation m, uint32_t nth, size_t i,
                 const struct trace *mutant, struct tally *tally) {
    static char failure[2000];
    const struct trace_event *e = &t->ev[i];
    const struct harmless *h = find_harmless(host, m, nth, e);
    bool survived = explore(mutant, 0, h == NULL ? &hunting.limits : &hunting.listed, &hunting.st, failure,
                            sizeof failure);
    failure[strcspn(failure, "\n")] = '\0';
    fprintf(hunting.list, "%s: %s %u (%s at %#llx, %llu bytes): %s: %s\n", host, mutation_name(m), nth,
            trace_kind_name(e->kind), (unsigned long long)e->off, (unsigned long long)e->len,
            !survived   ? "killed"
            : h == NULL ? "SURVIVED"
                        : "equivalent",
            !survived   ? failure
            : h != NULL ? h->why
                        : "");
    tally->killed[m] += !survived;
    tally->equivalent[m] += survived;
    if (survived && h != NULL)
        hunting.fits[h - harmless] = true;
    hunting.survived += survived && h == NULL;
    if (survived ? h != NULL : h == NULL || h->host == NULL)
        return;
    hunting.wrong++;
    print_error("%s: %s %u (event %zu, %s at %#llx, %llu bytes) %s\n", host, mutation_name(m), nth, i,
                trace_kind_name(e->kind), (unsigned long long)e->off, (unsigned long long)e->len,
                survived ? "survives" : "is listed as harmless but dies");
}

static void hunt_all(const struct trace *t, const char *host, size_t n) {
    struct tally tally = {0};
    for (int m = 0; m < MUTANT_KINDS; m++) {
        uint32_t nth = 0;
        for (size_t i = 0; i < n; i++) {
            struct trace mutant;
            if (!mutant_make(t, (enum mutation)m, i, &mutant))
                continue;
            hunt(t, host, (enum mutation)m, ++nth, i, &mutant, &tally);
            mutant_free(t, &mutant);
        }
        hunting.all.killed[m] += tally.killed[m];
        hunting.all.equivalent[m] += tally.equivalent[m];
    }
    table_row(host, &tally);
}

static void hunt_host(const struct workload *host) {
    static struct world w;
    upto = 0;
    world_init(&w, (uint64_t)NOVA_POOL_SIZE_MIN);
    host->run(&w, host);
    size_t n = upto != 0 ? upto : w.trace.n;
    if (w.is_open)
        close_pool(&w);
    record_end(&w);
    n = mutant_strip(&w.trace, n);
    hunt_all(&w.trace, host->name, n);
    world_free(&w);
}

static void hunt_in_create(void) {
    struct trace t;
    record_create(&t, (uint64_t)NOVA_POOL_SIZE_MIN);
    hunt_all(&t, "create a pool", t.n);
    trace_free(&t);
}

static FILE *open_beside_program(const char *name) {
    char path[4200];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 100);
    assert_true(n > 0);
    while (n > 0 && path[n - 1] != '/')
        n--;
    snprintf(path + n, sizeof path - (size_t)n, "%s", name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    return f;
}

static void test_mutants(void **state) {
    (void)state;
    const char *only = getenv("NOVA_ONLY"); /* part of a workload's name */
    uint32_t stride = explore_limits_default().stride;
    /* The same in every build: a mutant must not live because few images were looked at. */
    hunting.limits = (struct explore_limits){
        .seed = explore_limits_default().seed, .exhaustive = 1024, .samples = 64, .lines = 1024};
    hunting.listed = hunting.limits;
    if (getenv("NOVA_FULL") == NULL) {
        hunting.listed.exhaustive /= 16;
        hunting.listed.samples /= 16;
        hunting.listed.lines /= 16;
    }
    hunting.list = open_beside_program("crash-mutants.txt");
    hunting.table = open_memstream(&hunting.table_text, &hunting.table_len);
    assert_non_null(hunting.table);
    printf("NOVA_SEED=%llu\n", (unsigned long long)hunting.limits.seed);
    table_row("killed + equivalent", NULL);
    if (only == NULL || strstr("create a pool", only) != NULL)
        hunt_in_create();
    for (size_t i = hunting.limits.seed % stride; i < SPECIAL + operations_n; i += stride) {
        struct workload host = {.run = operation, .a = i - SPECIAL};
        if (i < SPECIAL)
            host = special[i];
        else
            host.name = operations[host.a].name;
        if (only == NULL || strstr(host.name, only) != NULL)
            hunt_host(&host);
    }
    table_row("all", &hunting.all);
    fclose(hunting.table);
    fprintf(hunting.list, "\n%s", hunting.table_text);
    fclose(hunting.list);
    if (getenv("NOVA_VERBOSE") != NULL)
        fputs(hunting.table_text, stdout);
    free(hunting.table_text);
    uint32_t killed = 0, equivalent = 0;
    for (int m = 0; m < MUTANT_KINDS; m++) {
        killed += hunting.all.killed[m];
        equivalent += hunting.all.equivalent[m];
    }
    for (size_t i = 0; stride == 1 && only == NULL && i < HARMLESS; i++)
        if (!hunting.fits[i]) {
            hunting.wrong++;
            print_error("no survivor fits the entry \"%s\"\n", harmless[i].why);
        }
    report_line("crash: mutants: %u killed, %u equivalent (listed with reasons), %u survived; %llu images", killed,
                equivalent - hunting.survived, hunting.survived, (unsigned long long)hunting.st.images);
    assert_int_equal(hunting.wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mutants)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
