/* SPDX-License-Identifier: Apache-2.0 */
/* The table of all regions, their address space, and the account of the kernel's mappings that they take. */
#include "map/region.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "map/fault_server.h"
#include "map/file_map.h"
#include "util/error.h"
#include "util/lock_rank.h"

#define BLK ((uint64_t)NOVA_BLOCK_SIZE)
#define SEAM_REACH 1024u   /* anonymous pages that hiding makes anew with those before them, to save a seam */
#define UNUSED_FAULTS 256u /* elsewhere: more than one instruction, or a few threads, can need at once */
#define APART_MIN 128u     /* pages of zeros for which it is faster to make a mapping, and needs no memory */
#define ZERO_RUNS 256u     /* that a region keeps of pages of zeros: each page takes memory */
#define REFUSED_MAX 64u    /* pages without space that raise SIGBUS, in a region: each takes two mappings */
#define ASK_AT_ONCE 16u    /* of these, in one hold of logLock */

/* All regions of the process, by address. */
static struct {
    pthread_mutex_t lock; /* guards the table, and region.busy */
    pthread_cond_t idle;  /* some region became so */
    struct region **region;
    size_t n, cap;
    int bus_fd;        /* an empty file; -1 until there is a region */
    uint64_t vmas_max; /* 0 until there is a region */
    uint64_t vmas;     /* atomic */
    uint64_t faults;   /* atomic */
    size_t hand;       /* where to look next for one that is not used */
    bool refused;      /* atomic: some region is, maybe */
    bool fork_noted;
} table = {.lock = PTHREAD_MUTEX_INITIALIZER, .idle = PTHREAD_COND_INITIALIZER, .bus_fd = -1};

/*
 * mmap(2) as it is. A thread sanitizer takes the library's for a store to the pages, and one without order: whoever
 * waits for them is let go on by the kernel (region_wake()).
 */
static void *map_pages(void *addr, size_t len, int prot, int flags, int fd, uint64_t off) {
    return (void *)syscall(SYS_mmap, addr, len, prot, flags, fd, (off_t)off);
}

/* ---- the account of mappings ---- */

static bool is_blk(uint32_t shows) {
    return shows != PAGE_MISSING && shows < PAGE_BUS;
}

static bool is_zero(uint32_t shows) {
    return shows == PAGE_ZERO || shows == PAGE_APART;
}

static uint32_t kind_of(uint32_t shows) {
    return shows == PAGE_HELD || shows == PAGE_ZERO ? PAGE_MISSING : shows; /* all of them anonymous memory */
}

/*
 * Seams: anonymous memory that lies side by side is one mapping to the kernel, unless both sides have held pages of
 * zeros while they were apart (each has an anon_vma of its own then). What is hidden joins the side before it, but
 * maybe not the one behind. Mappings of zeros (PAGE_APART) never join each other.
 */
static bool is_seam(const struct region *r, uint64_t page) {
    return (r->seam[page / 64] >> page % 64 & 1) != 0;
}

static bool is_anonymous(const struct region *r, uint64_t page) {
    return kind_of(r->shows[page]) == PAGE_MISSING;
}

static void set_seam(struct region *r, uint64_t page, bool on) {
    if (is_seam(r, page) == on)
        return;
    r->seam[page / 64] ^= 1ull << page % 64;
    r->seams += on ? 1 : UINT64_MAX;
}

/* Mappings that begin with one of the pages [page, end]. */
static uint64_t starts(const struct region *r, uint64_t page, uint64_t end) {
    uint64_t n = 0;
    for (uint64_t i = page; i <= end && i < r->pages; i++) {
        if (i == 0) {
            n++;
            continue;
        }
        uint32_t before = kind_of(r->shows[i - 1]), now = kind_of(r->shows[i]);
        bool seam = (now == PAGE_MISSING || now == PAGE_APART) && is_seam(r, i);
        n += is_blk(before) ? now != before + 1 : now != before || seam;
    }
    return n;
}

static void add_vmas(struct region *r, uint64_t n) {
    __atomic_store_n(&r->vmas, r->vmas + n, __ATOMIC_RELAXED);
    __atomic_add_fetch(&table.vmas, n, __ATOMIC_RELAXED);
}

/* What all pages of a new region show. */
static uint32_t at_first(const struct region *r) {
    return r->lazy ? PAGE_MISSING : PAGE_BUS;
}

static void set_shows(struct region *r, uint64_t page, uint32_t shows) {
    uint32_t *at = &r->shows[page];
    uint32_t *shown = &r->shown[page / REGION_SPAN];
    r->mapped -= is_blk(*at);
    r->zeros -= is_zero(*at);
    *shown -= *at != at_first(r);
    *at = shows;
    r->mapped += is_blk(*at);
    r->zeros += is_zero(*at);
    *shown += *at != at_first(r);
}

/* Notes what the pages show. blk: of the first, or PAGE_*. fresh: in a mapping that has just been made. */
static void note(struct region *r, uint64_t page, uint64_t n, uint32_t shows, bool fresh) {
    uint64_t before = starts(r, page, page + n);
    for (uint64_t i = page; fresh && i < page + n; i++)
        set_seam(r, i, i == page && shows == PAGE_APART);
    if (fresh && page + n < r->pages)
        set_seam(r, page + n,
                 r->shows[page + n] == PAGE_APART ||
                     (r->had_zeros && kind_of(shows) == PAGE_MISSING && is_anonymous(r, page + n)));
    for (uint64_t i = 0; i < n; i++)
        set_shows(r, page + i, is_blk(shows) ? shows + (uint32_t)i : shows);
    add_vmas(r, starts(r, page, page + n) - before);
}

uint64_t region_next_shown(const struct region *r, uint64_t page, uint64_t end) {
    while (page < end) {
        if (r->shown[page / REGION_SPAN] == 0) /* and shows[] stays untouched: looking takes memory, too */
            page = (page / REGION_SPAN + 1) * REGION_SPAN;
        else if (r->shows[page] == at_first(r))
            page++;
        else
            return page;
    }
    return end;
}

uint64_t region_vmas(void) {
    return __atomic_load_n(&table.vmas, __ATOMIC_RELAXED);
}

uint64_t region_vmas_max(void) {
    return __atomic_load_n(&table.vmas_max, __ATOMIC_RELAXED);
}

void region_vmas_limit(uint64_t max) {
    __atomic_store_n(&table.vmas_max, max, __ATOMIC_RELAXED);
}

static uint64_t read_vmas_max(void) {
    unsigned long long max = 65530; /* the kernel's default */
    FILE *f = fopen("/proc/sys/vm/max_map_count", "re");
    if (f != NULL) {
        if (fscanf(f, "%llu", &max) != 1)
            max = 65530;
        fclose(f);
    }
    return max / 2;
}

/* ---- the table ---- */

static size_t place_locked(const void *addr) {
    size_t lo = 0, hi = table.n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (table.region[mid]->addr <= (const uint8_t *)addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo; /* regions before it start at or before addr */
}

static int enter(struct region *r, struct nova_error *err) {
    int rc = NOVA_OK;
    ranked_lock(&table.lock, RANK_MAP);
    if (table.n == table.cap) {
        size_t cap = table.cap == 0 ? 16 : 2 * table.cap;
        struct region **grown = realloc(table.region, cap * sizeof(struct region *));
        if (grown == NULL) {
            rc = nova_fail(err, NOVA_ENOMEM, "no memory for another region");
        } else {
            table.region = grown;
            table.cap = cap;
        }
    }
    if (rc == NOVA_OK) {
        size_t at = place_locked(r->addr);
        memmove(&table.region[at + 1], &table.region[at], (table.n - at) * sizeof(struct region *));
        table.region[at] = r;
        table.n++;
    }
    ranked_unlock(&table.lock, RANK_MAP);
    return rc;
}

/* When nobody uses it any more. */
static void leave(struct region *r) {
    ranked_lock(&table.lock, RANK_MAP);
    r->detached = true;
    while (r->busy != 0)
        pthread_cond_wait(&table.idle, &table.lock);
    size_t at = place_locked(r->addr);
    memmove(&table.region[at - 1], &table.region[at], (table.n - at) * sizeof(struct region *));
    table.n--;
    ranked_unlock(&table.lock, RANK_MAP);
}

bool region_hold(struct region *r) {
    ranked_lock(&table.lock, RANK_MAP);
    bool ok = !r->detached;
    r->busy += ok;
    ranked_unlock(&table.lock, RANK_MAP);
    return ok;
}

struct region *region_find(const void *addr) {
    struct region *r = NULL;
    ranked_lock(&table.lock, RANK_MAP);
    size_t at = place_locked(addr);
    if (at != 0)
        r = table.region[at - 1];
    if (r != NULL && (r->detached || (const uint8_t *)addr >= r->addr + r->pages * BLK))
        r = NULL;
    if (r != NULL)
        r->busy++;
    ranked_unlock(&table.lock, RANK_MAP);
    return r;
}

void region_done(struct region *r) {
    ranked_lock(&table.lock, RANK_MAP);
    if (--r->busy == 0)
        pthread_cond_broadcast(&table.idle);
    ranked_unlock(&table.lock, RANK_MAP);
}

/* A region of the file that has not been detached, marked busy; or NULL. */
static struct region *hold_one_of(const struct file_map *file) {
    struct region *found = NULL;
    ranked_lock(&table.lock, RANK_MAP);
    for (size_t i = 0; i < table.n && found == NULL; i++)
        if (table.region[i]->file == file && !table.region[i]->detached)
            found = table.region[i];
    if (found != NULL)
        found->busy++;
    ranked_unlock(&table.lock, RANK_MAP);
    return found;
}

void region_refuse(struct region *r) {
    __atomic_store_n(&r->refused, true, __ATOMIC_RELAXED);
    __atomic_store_n(&table.refused, true, __ATOMIC_SEQ_CST);
}

struct region *region_take_refused(const void **after) {
    struct region *found = NULL;
    if (*after == NULL && !__atomic_load_n(&table.refused, __ATOMIC_SEQ_CST))
        return NULL;
    ranked_lock(&table.lock, RANK_MAP);
    if (*after == NULL)
        __atomic_store_n(&table.refused, false, __ATOMIC_SEQ_CST); /* before looking for them */
    for (size_t i = place_locked(*after); i < table.n && found == NULL; i++)
        if (!table.region[i]->detached && __atomic_exchange_n(&table.region[i]->refused, false, __ATOMIC_SEQ_CST))
            found = table.region[i];
    if (found != NULL) {
        found->busy++;
        *after = found->addr;
        __atomic_store_n(&table.refused, true, __ATOMIC_SEQ_CST); /* there may be more */
    }
    ranked_unlock(&table.lock, RANK_MAP);
    return found;
}

void region_use(struct region *r) {
    __atomic_store_n(&r->used, __atomic_add_fetch(&table.faults, 1, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
}

struct region *region_take_unused(void) {
    struct region *found = NULL;
    uint64_t now = __atomic_load_n(&table.faults, __ATOMIC_RELAXED);
    ranked_lock(&table.lock, RANK_MAP);
    for (size_t i = 0; i < table.n && found == NULL; i++) {
        table.hand = table.hand + 1 < table.n ? table.hand + 1 : 0;
        struct region *r = table.region[table.hand];
        if (r->lazy && !r->detached && __atomic_load_n(&r->vmas, __ATOMIC_RELAXED) > 1 &&
            __atomic_load_n(&r->used, __ATOMIC_RELAXED) + UNUSED_FAULTS < now) /* it may be later than `now` */
            found = r;
    }
    if (found != NULL)
        found->busy++;
    ranked_unlock(&table.lock, RANK_MAP);
    return found;
}

static bool is_used_locked(const struct file_map *file) {
    for (size_t i = 0; i < table.n; i++)
        if (table.region[i]->file == file && table.region[i]->busy != 0)
            return true;
    return false;
}

void region_detach(struct file_map *file, void (*close)(struct region *r)) {
    struct region *r;
    while ((r = hold_one_of(file)) != NULL) {
        close(r);
        ranked_lock(&table.lock, RANK_MAP);
        r->detached = true;
        ranked_unlock(&table.lock, RANK_MAP);
        region_done(r); /* if it is being deleted, it goes now */
    }
    ranked_lock(&table.lock, RANK_MAP);
    while (is_used_locked(file)) /* by faults, also in regions that are being deleted */
        pthread_cond_wait(&table.idle, &table.lock);
    ranked_unlock(&table.lock, RANK_MAP);
}

/* ---- regions ---- */

/*
 * In a child of fork() no fault is served: a store to what is missing would go to memory of its own, and be lost
 * without notice. So there any access to a region raises SIGSEGV.
 */
static void before_fork(void) {
    pthread_mutex_lock(&table.lock);
}

static void after_fork_in_parent(void) {
    pthread_mutex_unlock(&table.lock);
}

/* Whoever held a region or its logLock does not exist here: none is waited for, and freeing a region only unmaps. */
static void after_fork_in_child(void) {
    for (size_t i = 0; i < table.n; i++) {
        struct region *r = table.region[i];
        (void)map_pages(r->addr, r->pages * BLK, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
                        0);
        r->detached = true;
        r->busy = 0;
    }
    pthread_cond_init(&table.idle, NULL); /* the parent's threads may wait for it */
    pthread_mutex_unlock(&table.lock);
}

/* What all regions need. */
static int prepare_table(struct nova_error *err) {
    int os = 0;
    ranked_lock(&table.lock, RANK_MAP);
    if (table.bus_fd < 0) {
        table.bus_fd = memfd_create("nova-end-of-file", MFD_CLOEXEC);
        os = table.bus_fd < 0 ? errno : 0;
    }
    if (os == 0 && !table.fork_noted) {
        os = pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
        table.fork_noted = os == 0;
    }
    if (table.vmas_max == 0)
        __atomic_store_n(&table.vmas_max, read_vmas_max(), __ATOMIC_RELAXED);
    ranked_unlock(&table.lock, RANK_MAP);
    return os == 0 ? NOVA_OK : nova_fail_os(err, NOVA_EOS, os, "cannot prepare for regions");
}

/* Takes address space for r->pages, filled as a new region is. */
static int reserve(struct region *r, struct nova_error *err) {
    size_t len = r->pages * BLK;
    void *addr = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    int os = addr == MAP_FAILED ? errno : 0;
    if (os == 0 && r->lazy)
        os = fault_hide(addr, len, r->prot);
    else if (os == 0 && mmap(addr, len, r->prot, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, table.bus_fd, 0) == MAP_FAILED)
        os = errno;
    if (os == 0) {
        r->addr = addr;
        return NOVA_OK;
    }
    if (addr != MAP_FAILED)
        munmap(addr, len);
    return nova_fail_os(err, os == ENOMEM ? NOVA_ENOMEM : NOVA_EOS, os, "no address space for a region of %llu bytes",
                        (unsigned long long)len);
}

static void free_account(struct region *r) {
    free(r->shows);
    free(r->shown);
    free(r->seam);
}

int region_new(struct region **out, struct file_map *file, const struct pool_file *pool, uint64_t pgoff, uint64_t len,
               int prot, bool lazy, struct nova_error *err) {
    *out = NULL;
    int rc = prepare_table(err);
    if (rc != NOVA_OK)
        return rc;
    uint64_t vmas = region_vmas(), max = region_vmas_max();
    if (vmas >= max / 4 * 3) /* each takes one at least, and two more for a page in its middle */
        return nova_fail(err, NOVA_ENOMEM,
                         "too many regions: they take %llu of the %llu mappings that they may, half of "
                         "vm.max_map_count",
                         (unsigned long long)vmas, (unsigned long long)max);
    struct region *r = calloc(1, sizeof *r);
    if (r == NULL)
        return nova_fail(err, NOVA_ENOMEM, "no memory for a region");
    *r = (struct region){.file = file,
                         .pool = pool,
                         .pages = pages_of(len),
                         .pgoff = pgoff,
                         .len = len,
                         .prot = prot,
                         .open = true,
                         .lazy = lazy && fault_server_start(file_map_fault),
                         .vmas = 1};
    r->shows = calloc(r->pages, sizeof *r->shows);
    r->shown = calloc(r->pages / REGION_SPAN + 1, sizeof *r->shown);
    r->seam = calloc(r->pages / 64 + 1, sizeof *r->seam);
    if (r->shows == NULL || r->shown == NULL || r->seam == NULL)
        rc = nova_fail(err, NOVA_ENOMEM, "no memory for a region of %llu pages", (unsigned long long)r->pages);
    for (uint64_t i = 0; rc == NOVA_OK && !r->lazy && i < r->pages; i++)
        r->shows[i] = PAGE_BUS;
    if (rc == NOVA_OK)
        rc = reserve(r, err);
    if (rc == NOVA_OK && (rc = enter(r, err)) != NOVA_OK)
        munmap(r->addr, r->pages * BLK);
    if (rc != NOVA_OK) {
        free_account(r);
        free(r);
        return rc;
    }
    __atomic_add_fetch(&table.vmas, 1, __ATOMIC_RELAXED);
    *out = r;
    return NOVA_OK;
}

void region_delete(struct region *r) {
    leave(r);
    munmap(r->addr, r->pages * BLK);
    __atomic_sub_fetch(&table.vmas, r->vmas, __ATOMIC_RELAXED);
    free_account(r);
    free(r->zeroed);
    free(r->refused_page);
    free(r);
}

/* ---- pages ---- */

static uint8_t *page_addr(const struct region *r, uint64_t page) {
    return r->addr + page * BLK;
}

void region_wake(struct region *r, uint64_t page, uint64_t n) {
    if (r->lazy)
        fault_wake(page_addr(r, page), n * BLK);
}

static bool map_bus(struct region *r, uint64_t page, uint64_t n) {
    int flags = MAP_SHARED | MAP_FIXED | MAP_NORESERVE;
    return map_pages(page_addr(r, page), n * BLK, r->prot, flags, table.bus_fd, page * BLK) != MAP_FAILED;
}

/* If others have used up the kernel's mappings, or its memory: SIGSEGV is better than wrong bytes. What is unmapped may
 * be somebody else's memory next. Whether there is one mapping now. */
static bool map_bus_all(struct region *r) {
    if (map_bus(r, 0, r->pages))
        return true;
    if (mprotect(r->addr, r->pages * BLK, PROT_NONE) == 0)
        return false; /* as many as before */
    munmap(r->addr, r->pages * BLK);
    return true;
}

void region_bus(struct region *r, uint64_t page, uint64_t n) {
    uint64_t vmas = r->vmas;
    bool one = true;
    if (!map_bus(r, page, n)) { /* all of it then, which takes fewer mappings than there were */
        one = map_bus_all(r);
        page = 0;
        n = r->pages;
    }
    note(r, page, n, PAGE_BUS, true);
    if (!one)
        add_vmas(r, vmas - r->vmas);
    region_wake(r, page, n);
}

/* The one that has raised SIGBUS longest is missing again: who comes back to it is refused another time. */
void region_bus_refused(struct region *r, uint64_t page) {
    if (r->refused_page == NULL)
        r->refused_page = calloc(REFUSED_MAX, sizeof *r->refused_page);
    if (r->refused_page != NULL) {
        uint64_t *at = &r->refused_page[r->refused_at++ % REFUSED_MAX];
        if (r->refused_n == REFUSED_MAX && r->shows[*at] == PAGE_BUS)
            region_hide(r, *at, 1, PAGE_MISSING);
        r->refused_n += r->refused_n < REFUSED_MAX;
        *at = page;
    }
    region_bus(r, page, 1);
}

bool region_ask_again(struct region *r, uint64_t end) {
    for (uint32_t i = 0; i < ASK_AT_ONCE && r->refused_n != 0; i++) {
        r->refused_n--;
        uint64_t page = r->refused_page[--r->refused_at % REFUSED_MAX];
        if (page < end && r->shows[page] == PAGE_BUS)
            region_hide(r, page, 1, PAGE_MISSING);
    }
    return r->refused_n != 0;
}

void region_close(struct region *r) {
    bool one = map_bus_all(r);
    r->mapped = r->zeros = r->seams = 0; /* the pages themselves are nobody's matter now, and may be very many */
    if (one)
        add_vmas(r, 1 - r->vmas);
    region_wake(r, 0, r->pages);
}

void region_show(struct region *r, uint64_t page, uint64_t n, uint32_t blk, bool populate) {
    int flags = r->pool->map_flags | MAP_FIXED | (populate ? MAP_POPULATE : 0);
    if (map_pages(page_addr(r, page), n * BLK, r->prot, flags, r->pool->fd, (uint64_t)blk * BLK) == MAP_FAILED) {
        region_bus(r, 0, r->pages);
        return;
    }
    note(r, page, n, blk, true);
    region_wake(r, page, n);
}

bool region_is_shown(const struct region *r, uint64_t page) {
    return (r->shows[page] != PAGE_MISSING && r->shows[page] != PAGE_BUS) || is_seam(r, page);
}

void region_hide(struct region *r, uint64_t page, uint64_t n, uint32_t as) {
    uint64_t more = 0; /* pages behind that are anonymous already: anew, and there is no seam */
    while (r->had_zeros && more < SEAM_REACH && page + n + more < r->pages && is_anonymous(r, page + n + more))
        more++;
    if (fault_hide(page_addr(r, page), (n + more) * BLK, r->prot) != 0) {
        region_bus(r, 0, r->pages);
        return;
    }
    note(r, page, n, as, true);
    if (more != 0)
        note(r, page + n, more, PAGE_MISSING, true);
}

void region_release(struct region *r, uint64_t page, uint64_t n) {
    for (uint64_t i = page; i < page + n; i++)
        if (r->shows[i] == PAGE_HELD)
            set_shows(r, i, PAGE_MISSING); /* the same to the kernel */
}

/* Zeros are loaded anew when they are looked at again. */
static void drop_zeros(struct region *r, uint64_t from, uint64_t end) {
    for (uint64_t i = from, n; i < end; i += n) {
        n = 1;
        if (!is_zero(r->shows[i]))
            continue;
        while (i + n < end && r->shows[i + n] == r->shows[i])
            n++;
        if (r->shows[i] == PAGE_APART)
            region_hide(r, i, n, PAGE_MISSING);
        else if (madvise(page_addr(r, i), n * BLK, MADV_DONTNEED) == 0)
            note(r, i, n, PAGE_MISSING, false);
    }
}

/* Makes room for a run of zeros, by the oldest one. False: there is no memory for the list. */
static bool note_zeros(struct region *r, uint64_t page, uint64_t n) {
    if (r->zeroed == NULL && (r->zeroed = calloc(ZERO_RUNS, sizeof *r->zeroed)) == NULL)
        return false;
    struct page_run *run = &r->zeroed[r->runs_zeroed++ % ZERO_RUNS];
    drop_zeros(r, run->page, run->page + run->n);
    *run = (struct page_run){page, n};
    return true;
}

void region_zero(struct region *r, uint64_t page, uint64_t n) {
    bool apart = n >= APART_MIN && region_vmas() < region_vmas_max() / 4;
    void *addr = page_addr(r, page);
    int os = ENOMEM;
    if (note_zeros(r, page, n))
        os = apart ? fault_zeros_apart(addr, n * BLK, r->prot) : fault_zeros(addr, n * BLK);
    if (os != 0) {
        region_bus(r, 0, r->pages);
        return;
    }
    r->had_zeros = true;
    note(r, page, n, apart ? PAGE_APART : PAGE_ZERO, apart);
    region_wake(r, page, n);
}

void region_zero_again(struct region *r, uint64_t page) {
    int os = is_zero(r->shows[page]) ? fault_zeros(page_addr(r, page), BLK) : 0;
    if (os != 0 && os != EEXIST)
        region_bus(r, 0, r->pages);
}
