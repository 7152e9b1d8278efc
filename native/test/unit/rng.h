/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers for tests: the seed is printed, and NOVA_SEED in the environment sets it, so that a failure can be run
 * again. */
#ifndef NOVA_TEST_RNG_H
#define NOVA_TEST_RNG_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct rng {
    uint64_t s;
};

/* SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014). */
static inline uint64_t rng_next(struct rng *r) {
    uint64_t z = r->s += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* 0 .. n - 1 */
static inline uint32_t rng_below(struct rng *r, uint32_t n) {
    return (uint32_t)((rng_next(r) >> 32) * n >> 32);
}

static inline struct rng rng_start(const char *test) {
    const char *env = getenv("NOVA_SEED");
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    struct rng r = {env ? strtoull(env, NULL, 0) : (uint64_t)ts.tv_nsec ^ (uint64_t)ts.tv_sec << 20};
    printf("%s: NOVA_SEED=%" PRIu64 "\n", test, r.s);
    return r;
}

#endif
