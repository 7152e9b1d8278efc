/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A region: address space that shows pages of a file. What each page shows is known here, so that pages need no system
 * call that show already what they should, and so that the mappings which the kernel makes of them can be counted: it
 * has a limit (vm.max_map_count), and fragments of a file take one each.
 *
 * The functions on pages do not fail: if the kernel refuses, the whole region raises SIGBUS from then on, or SIGSEGV if
 * it refuses that too. No page ever shows what it should not, and no store is lost without notice.
 */
#ifndef NOVA_MAP_REGION_H
#define NOVA_MAP_REGION_H

#include <stdbool.h>

#include "pmem/pool_file.h"

/* What a page shows, if not a block. */
#define PAGE_MISSING 0u             /* nothing yet: any access is a fault (lazy regions) */
#define PAGE_HELD UINT32_MAX        /* the same, for a moment: it showed something before, and will again */
#define PAGE_ZERO (UINT32_MAX - 1)  /* zeros; a store is a fault */
#define PAGE_APART (UINT32_MAX - 2) /* the same, in a mapping of its own */
#define PAGE_BUS (UINT32_MAX - 3)   /* any access raises SIGBUS */

struct file_map;

struct page_run {
    uint64_t page, n;
};

#define HOLD_STEPS 128u
#define REGION_SPAN 4096u

/* What one fault brings along of holes: twice as many pages as the one before, if it goes on where that ended. */
struct run_ahead {
    uint64_t next;
    uint32_t n;
};

struct region {
    struct region *next;   /* of those of the same file; guarded by logLock, as all that has no other comment */
    struct file_map *file; /* never changes */
    const struct pool_file *pool;
    uint8_t *addr;         /* never changes, nor do the next five */
    uint64_t pages, pgoff; /* of the file */
    uint64_t len;          /* bytes asked for */
    int prot;
    bool lazy;
    bool open, had_zeros;
    bool refused;            /* some page raises SIGBUS for lack of space; atomic */
    uint32_t *shows;         /* per page: block, or PAGE_* */
    uint32_t *shown;         /* per REGION_SPAN pages: how many show anything */
    uint64_t *seam;          /* a bit per page, see region.c */
    uint64_t mapped;         /* pages that show a block */
    uint64_t zeros;          /* pages that show zeros */
    uint64_t seams;          /* bits set */
    uint64_t vmas;           /* atomic */
    uint64_t used;           /* when a fault was served in it last, by the count of all; atomic */
    uint64_t hand;           /* where to look next for pages to hide */
    struct page_run *zeroed; /* the latest runs of zeros: a ring, made with the first, */
    uint64_t runs_zeroed;    /* and how many there have been */
    uint64_t *refused_page;  /* the latest pages that raise SIGBUS for lack of space: a ring, made with the first, */
    uint32_t refused_at;     /* where the next one goes, */
    uint32_t refused_n;      /* and how many there are */
    struct run_ahead fill, zero;                    /* holes given blocks, and shown as zeros */
    uint64_t faults, allocated, moved, hold_max_ns; /* statistics, */
    uint32_t holds[HOLD_STEPS];                     /* and faults by how long each held logLock (fault.c) */
    uint32_t busy; /* who uses `file`; guarded by the table's lock, as is the next one */
    bool detached; /* `file` is gone */
};

/*
 * Takes address space for a region, and enters it in the table of regions. All of it is missing (lazy), or raises
 * SIGBUS. lazy: if possible. ENOMEM also if all regions take too many of the kernel's mappings already; EOS.
 */
int region_new(struct region **out, struct file_map *file, const struct pool_file *pool, uint64_t pgoff, uint64_t len,
               int prot, bool lazy, struct nova_error *err);
/* Gives it back, when nobody uses it any more; its file has forgotten it. */
void region_delete(struct region *r);

/*
 * Keeps a region's file from going away, until region_done(); region_find(): of the region that an address lies in.
 * False, or NULL, if it has gone. Any thread, without locks.
 */
bool region_hold(struct region *r);
struct region *region_find(const void *addr);
void region_done(struct region *r);

/* Says that a page of the region was refused a block; or takes such a region, which is then held, until there is none.
 * *after: NULL at first; each comes once, so that those which are refused again keep nobody here. */
void region_refuse(struct region *r);
struct region *region_take_refused(const void **after);

/* A region of any file, to be held, that takes several mappings of the kernel and has had no fault for a while; or
 * NULL. Another one each time. */
struct region *region_take_unused(void);
/* Notes a fault in it. */
void region_use(struct region *r);

/* Before a file goes away: closes all its regions, and waits until nobody uses them. */
void region_detach(struct file_map *file, void (*close)(struct region *r));

/* ---- pages [page, page + n) of the region, n >= 1; the caller holds logLock ---- */

/* They show blocks from blk on. populate: the kernel's page tables too. */
void region_show(struct region *r, uint64_t page, uint64_t n, uint32_t blk, bool populate);
/* They are missing from now on; as: PAGE_MISSING or PAGE_HELD. Lazy regions only. */
void region_hide(struct region *r, uint64_t page, uint64_t n, uint32_t as);
/* Missing pages show zeros, until a few hundred later runs do. In a short run each takes memory. */
void region_zero(struct region *r, uint64_t page, uint64_t n);
/* A load of a page that shows zeros waits: they are put there again if somebody has dropped them (madvise(2)). */
void region_zero_again(struct region *r, uint64_t page);
/* They raise SIGBUS. */
void region_bus(struct region *r, uint64_t page, uint64_t n);
/* It raises SIGBUS for lack of space, as the latest ones of the region do. */
void region_bus_refused(struct region *r, uint64_t page);
/* Some of these, below page `end`, are missing again. Whether there are more. */
bool region_ask_again(struct region *r, uint64_t end);
/* From now on all raise SIGBUS, and none of these functions is called any more. */
void region_close(struct region *r);
/* The first of the pages [page, end) that shows anything else than all do in a new region: a lazy one's are missing,
 * the others raise SIGBUS. `end` if none does; it takes time in few of the pages before. */
uint64_t region_next_shown(const struct region *r, uint64_t page, uint64_t end);
/* Of pages that have been hidden: those that are PAGE_HELD are PAGE_MISSING. */
void region_release(struct region *r, uint64_t page, uint64_t n);
/* Whether hiding the page changes anything: for itself, or for the number of mappings. */
bool region_is_shown(const struct region *r, uint64_t page);
/* Lets whoever waits for them look again. */
void region_wake(struct region *r, uint64_t page, uint64_t n);

/* Mappings of the kernel that all regions take, and half of what it allows a process. */
uint64_t region_vmas(void);
uint64_t region_vmas_max(void);
/* For tests: another such limit from now on; 0: the usual one from the next region on. */
void region_vmas_limit(uint64_t max);

#endif
