/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "format/layout.h"
#include "model.h"
#include "operations.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)

/* ---- scenes ---- */

#define LINES (FMT_INLINE_LINES + FMT_PAGE_LINES)
static_assert((LINES - 1 - 3) % 2 == 0, "pairs of entries leave one line");

void scene_set(struct world *w, enum scene scene) {
    if (scene == SCENE_FRAGMENTED)
        fragment(w, 60);
    if (scene == SCENE_LOG_END) { /* with "a" and "b", all lines of the root's slot and first page but one */
        make(w, "stays");
        for (uint32_t i = 0; i < (LINES - 1 - 3) / 2; i++) {
            make(w, "passing");
            drop(w, "passing");
        }
    }
    put(w, "a", 0, 5000);
    put(w, "b", 0, 100);
    if (scene == SCENE_LOG_END) /* the same of "a", with its first write and the cut */
        for (uint32_t i = 0; i < LINES - 1 - 2; i++)
            put(w, "a", 5000 + i, 1);
    cut(w, "a", 4500);
    struct nova_stat root;
    nova_inode_stat(w->s.root, &root);
    if (scene == SCENE_LOG_END && root.entries != LINES - 1)
        abort();
}

/* ---- operations ---- */

static void have(struct world *w, const char *name) {
    if (size_of(w, name) == 0)
        put(w, name, 0, 300);
}

static void append_in_block(struct world *w) {
    put(w, "a", size_of(w, "a"), 50);
}
static void append_over_block(struct world *w) {
    put(w, "a", size_of(w, "a"), 4100);
}
static void append_blocks(struct world *w) {
    put(w, "a", size_of(w, "a"), 15000);
}
static void overwrite(struct world *w) {
    put(w, "a", 60, 10);
}
static void overwrite_over_block(struct world *w) {
    put(w, "a", 4090, 20);
}
static void gap_in_block(struct world *w) {
    put(w, "a", size_of(w, "a") + 30, 100);
}
static void gap_over_blocks(struct world *w) {
    put(w, "a", size_of(w, "a") + 9000, 10);
}
static void by_pieces(struct world *w) {
    have(w, "a"), put_pieces(w, "a", 50, 4200, 1000, true);
}
static void write_other(struct world *w) {
    put(w, "b", 10, 100);
}
static void give_up(struct world *w) {
    have(w, "a"), put_abort(w, "a", size_of(w, "a") / 2, 6000, 3500);
}
static void give_up_behind(struct world *w) {
    have(w, "a"), put_abort(w, "a", size_of(w, "a") + 10, 100, 60);
}
static void no_space(struct world *w) {
    have(w, "a"), put_fails(w, "a", 100, w->s.len);
}

static void grow_in_block(struct world *w) {
    have(w, "a"), cut(w, "a", size_of(w, "a") + 50);
}
static void grow_over_blocks(struct world *w) {
    have(w, "a"), cut(w, "a", size_of(w, "a") + 5000);
}
static void shrink(struct world *w) {
    have(w, "a"), cut(w, "a", size_of(w, "a") / 2 + 1);
}
static void empty(struct world *w) {
    have(w, "a"), cut(w, "a", 0);
}

static void make_new(struct world *w) {
    if (model_get(w->now[0], "d") != NULL)
        drop(w, "d");
    make(w, "d");
}
static void drop_closed(struct world *w) {
    have(w, "a"), drop(w, "a");
}
static void drop_while_open(struct world *w) {
    have(w, "a"), drop_open(w, "a");
}
static void drop_then_close(struct world *w) {
    have(w, "a"), drop_open(w, "a"), put(w, "d", 0, 10), drop_close(w, "a");
}
static void move_away(struct world *w) {
    have(w, "a"), move(w, "a", "c");
}
static void move_closed(struct world *w) {
    have(w, "a"), close_file(w, "a"), move(w, "a", "a-name-of-two-lines-and-a-bit-more");
}
static void move_onto(struct world *w) {
    have(w, "a"), have(w, "b"), move(w, "a", "b");
}
static void move_onto_closed(struct world *w) {
    have(w, "a"), have(w, "b"), close_file(w, "a"), move(w, "b", "a");
}

/* A range lies in the first pages of a file that has them. */
static void need(struct world *w, uint64_t size) {
    if (size_of(w, "a") < size)
        put(w, "a", size_of(w, "a"), size - size_of(w, "a"));
}
/* "a" ends with a hole and some bytes; "b" gets all of it over its own, and holes where it had blocks. */
static void copy_holes(struct world *w) {
    have(w, "b"), put(w, "b", 0, 4 * BLK), need(w, BLK + 10);
    put(w, "a", size_of(w, "a") + 3 * BLK, 70), copy_range(w, "a", 0, "b", 0, size_of(w, "a"));
}
static void copy_hole_last(struct world *w) {
    have(w, "a"), have(w, "b"), cut(w, "a", size_of(w, "a") + 5 * BLK);
    copy_range(w, "a", size_of(w, "a") - 3 * BLK, "b", size_of(w, "b") + 100, 3 * BLK);
}
static void punch_page(struct world *w) {
    need(w, 2 * BLK + 10), punch(w, "a", BLK, BLK);
}
static void punch_edges(struct world *w) {
    need(w, 2 * BLK + 300), punch(w, "a", 4000, 4300);
}
static void punch_end(struct world *w) {
    have(w, "a"), punch(w, "a", size_of(w, "a") - 5, 10 * BLK);
}
static void collapse_page(struct world *w) {
    need(w, BLK + 10), collapse(w, "a", 0, BLK);
}
static void insert_first(struct world *w) {
    have(w, "a"), insert(w, "a", 0, BLK);
}
static void insert_between(struct world *w) {
    need(w, BLK + 10), insert(w, "a", BLK, 2 * BLK);
}
static void allocate_all(struct world *w) {
    have(w, "a"), allocate(w, "a", 0, size_of(w, "a") + 5000, false);
}
static void allocate_behind(struct world *w) {
    have(w, "a"), allocate(w, "a", size_of(w, "a"), 3 * BLK, true);
}

/* Regions stay until the file is closed: what follows works beneath one. */
static void have_map(struct world *w) {
    have(w, "a"), map_file(w, "a", 0, 64 * BLK, 0);
}
static void store_in_hole(struct world *w) {
    have_map(w), cut(w, "a", 0), cut(w, "a", 3 * BLK);
    store_bytes(w, "a", BLK + 7, 30), force(w, "a", BLK, BLK);
}
static void store_over(struct world *w) {
    need(w, BLK + 10), have_map(w);
    store_bytes(w, "a", BLK - 5, 10), force(w, "a", 0, 2 * BLK);
}
static void write_in_place(struct world *w) {
    need(w, BLK + 10), have_map(w), set_in_place(w, "a", true);
    put(w, "a", 60, size_of(w, "a")), set_in_place(w, "a", false);
}
static void write_itself(struct world *w) {
    need(w, 2 * BLK + 10), have_map(w), put_mapped(w, "a", 100, BLK, BLK + 3);
}
static void unmap(struct world *w) {
    have_map(w), store_bytes(w, "a", 0, 10), force(w, "a", 0, BLK), unmap_file(w, "a");
}

/* One page is in a row in any case. */
static void have_pin(struct world *w) {
    need(w, BLK + 10);
    if (!pin_file(w, "a", 0, 2 * BLK) && !pin_file(w, "a", 0, BLK))
        abort();
}
static void store_to_pinned(struct world *w) {
    have_pin(w), store_pinned(w, "a", 7, 30), force_pinned(w, "a"), load_pinned(w, "a");
}
static void write_pinned(struct world *w) {
    have_pin(w), put(w, "a", 60, size_of(w, "a")), load_pinned(w, "a");
    unpin_file(w, "a"), put(w, "a", 100, 200);
}

static void set_in_entry(struct world *w) {
    have(w, "a"), set_xattr(w, "a", "user.x", 30);
}
static void set_in_blocks(struct world *w) {
    have(w, "a"), set_xattr(w, "a", "user.x", 5000);
}
static void remove_blocks(struct world *w) {
    have(w, "a"), set_xattr(w, "a", "user.l", 5000), remove_xattr(w, "a", "user.l");
}
static void set_of_root(struct world *w) {
    set_xattr(w, "", "user.x", 5000);
}

/* Cleaned, cut, and back into the slot if it fits; what comes behind takes the page that came free. */
static void clean_file(struct world *w) {
    have(w, "a"), have(w, "b");
    for (int i = 0; i < 3; i++)
        set_attr(w, "a", NOVA_ATTR_ATIME);
    restart_log(w, "a"), put(w, "b", 10, 100);
}
static void gather_file(struct world *w) {
    have(w, "a"), put(w, "a", 0, 10), put(w, "a", 5000, 10), put(w, "a", 0, 10), put(w, "a", 5000, 10);
    (void)gather_log(w, "a"), put(w, "a", 10, 100);
}
static void clean_dir(struct world *w) {
    have(w, "b"), make_new(w), drop(w, "d"), restart_log(w, ""), put(w, "b", 10, 100);
}

static void note_read(struct world *w) {
    have(w, "a"), set_attr(w, "a", NOVA_ATTR_ATIME | NOVA_ATTR_KEEP_CTIME);
}

static void reopen(struct world *w) {
    close_pool(w), open_pool(w);
}

const struct operation operations[] = {
    {"append in the block", append_in_block},
    {"append over the block's end", append_over_block},
    {"append blocks", append_blocks},
    {"overwrite", overwrite},
    {"overwrite over a block's end", overwrite_over_block},
    {"gap in the block", gap_in_block},
    {"gap over blocks", gap_over_blocks},
    {"write by pieces", by_pieces},
    {"write another", write_other},
    {"give up a write", give_up},
    {"give up a write in place", give_up_behind},
    {"write without space", no_space},
    {"grow in the block", grow_in_block},
    {"grow over blocks", grow_over_blocks},
    {"shrink", shrink},
    {"empty", empty},
    {"make", make_new},
    {"drop", drop_closed},
    {"drop while open", drop_while_open},
    {"drop while open, then close", drop_then_close},
    {"move away", move_away},
    {"move a closed file", move_closed},
    {"move onto", move_onto},
    {"move onto a closed file", move_onto_closed},
    {"copy with holes", copy_holes},
    {"copy a hole behind the end", copy_hole_last},
    {"punch a page", punch_page},
    {"punch edges", punch_edges},
    {"punch the end", punch_end},
    {"collapse", collapse_page},
    {"insert at the start", insert_first},
    {"insert between", insert_between},
    {"allocate all", allocate_all},
    {"allocate behind the end", allocate_behind},
    {"store into a hole", store_in_hole},
    {"store over bytes", store_over},
    {"write in place", write_in_place},
    {"write what is mapped", write_itself},
    {"unmap", unmap},
    {"store to pinned pages", store_to_pinned},
    {"write pinned pages", write_pinned},
    {"set, in the entry", set_in_entry},
    {"set, in blocks", set_in_blocks},
    {"set and remove blocks", remove_blocks},
    {"set of the root", set_of_root},
    {"clean a file's log", clean_file},
    {"gather what counts of a file's log", gather_file},
    {"clean a directory's log", clean_dir},
    {"note a read", note_read},
    {"reopen", reopen},
};
const size_t operations_n = sizeof operations / sizeof *operations;
