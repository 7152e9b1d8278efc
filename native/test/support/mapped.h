/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool whose files are mapped, for tests with threads. Each file has a lock, as the one that a caller of nova.h holds
 * around reading and writing calls; loads and stores go without it. Whatever goes wrong ends the program, so that every
 * thread may call these.
 */
#ifndef NOVA_TEST_SUPPORT_MAPPED_H
#define NOVA_TEST_SUPPORT_MAPPED_H

#include <pthread.h>

#include "store.h"

#define MAPPED_FILES 8u

struct mapped_file {
    struct store_file f;
    pthread_mutex_t io; /* guards f; held while a source that faults is copied */
};

struct mapped {
    struct store s;
    const char *path;
    unsigned files;
    struct mapped_file file[MAPPED_FILES];
};

/* Ends the program, with the place, if the condition does not hold: also under NDEBUG, and in any thread. */
#define MUST(cond) ((cond) ? (void)0 : mapped_die(__FILE__, __LINE__, #cond))
_Noreturn void mapped_die(const char *file, int line, const char *what);

/*
 * What main() calls first: `seconds` from now the program counts as hung, and is killed. With NOVA_TEST_NO_USERFAULTFD
 * in the environment the kernel refuses userfaultfd from now on, in all ways: regions are eager.
 */
void mapped_main(unsigned seconds);
/* NOVA_SHORT in the environment: on an emulated processor, for what it has to do with the pool. */
bool mapped_short(void);
/* lazy_possible(). */
bool mapped_lazy(void);
void mapped_refuse_userfaultfd(void);

/* A new pool with files "0", "1", ... */
void mapped_open(struct mapped *m, uint64_t pool_size, unsigned files);
/* Closes files and pool, has fsck look, and opens all again; mapped_close(): removes the pool instead. */
void mapped_reopen(struct mapped *m);
void mapped_close(struct mapped *m);

/* All of file i, as long as it is now. */
struct store_region mapped_map(struct mapped *m, unsigned i, uint64_t off, uint64_t len, uint32_t flags);
void mapped_write(struct mapped *m, unsigned i, uint64_t off, const void *src, uint64_t len);
void mapped_read(struct mapped *m, unsigned i, uint64_t off, void *dst, uint64_t len); /* all of it is there */
void mapped_truncate(struct mapped *m, unsigned i, uint64_t size);
/* Whether file i, from off on, holds what the memory does. */
bool mapped_equal(struct mapped *m, unsigned i, uint64_t off, const uint8_t *p, uint64_t len);

/* Starts n threads at once, and waits for all. */
void mapped_threads(unsigned n, void (*run)(void *arg, unsigned id), void *arg);

/* Runs it in a process of its own. Its exit status; or -1, and it has been killed, if it has not ended within the time.
 */
int mapped_child(void (*run)(void *arg), void *arg, unsigned milliseconds);

/* Whether an access raises SIGBUS; a store of `value`, or a load into it. */
bool mapped_load_fails(const uint8_t *p, uint8_t *value);
bool mapped_store_fails(uint8_t *p, uint8_t value);

/* Stores and loads that race by intention. */
static inline void put8(uint8_t *p, uint8_t value) {
    __atomic_store_n(p, value, __ATOMIC_RELAXED);
}
static inline uint8_t get8(const uint8_t *p) {
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}
static inline void put64(uint8_t *p, uint64_t value) {
    __atomic_store_n((uint64_t *)(void *)p, value, __ATOMIC_RELAXED);
}
static inline uint64_t get64(const uint8_t *p) {
    return __atomic_load_n((const uint64_t *)(const void *)p, __ATOMIC_RELAXED);
}

#endif
