/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every operation of operations.h alone, and every ordered pair of them, after the bounded exploration of Mohan et al.,
 * "Finding Crash-Consistency Bugs with Bounded Black-Box Crash Testing" (OSDI 2018): crashes are explored in the last
 * operation of a sequence, with whatever the ones before left behind. Sequences of three, sampled, with NOVA_FULL.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crash_image.h"
#include "operations.h"
#include "report.h"

#define LONGEST 3
#define TRIPLES 1500u /* of those there are; NOVA_FULL */

static uint32_t sequences;

/* NOVA_ONLY: part of the name of one of the operations. */
static bool wanted(const struct operation *const *op, size_t n) {
    const char *only = getenv("NOVA_ONLY");
    bool found = only == NULL;
    for (size_t i = 0; i < n && !found; i++)
        found = strstr(op[i]->name, only) != NULL;
    return found;
}

static void sequence(const struct operation *const *op, size_t n, enum scene scene, const struct explore_limits *limits,
                     struct explore_stats *st) {
    static struct world w;
    char name[300];
    size_t from = 0;
    int len = 0;
    if (!wanted(op, n))
        return;
    world_init(&w, (uint64_t)NOVA_POOL_SIZE_MIN);
    scene_set(&w, scene);
    record(&w);
    for (size_t i = 0; i < n; i++) {
        from = w.trace.n;
        op[i]->run(&w);
        len += snprintf(name + len, sizeof name - (size_t)len, "%s%s", i == 0 ? "" : ", then ", op[i]->name);
    }
    record_end(&w);
    snprintf(name + len, sizeof name - (size_t)len, ", scene %d", (int)scene);
    explore_world(&w, name, from, limits, st);
    world_free(&w);
    sequences++;
}

/* Crashes in the first operation of the longer sequences are explored here. */
static void singles(const struct explore_limits *limits, struct explore_stats *st) {
    for (size_t i = limits->seed % limits->stride; i < operations_n; i += limits->stride)
        for (int scene = 0; scene < SCENES; scene++)
            sequence((const struct operation *[]){&operations[i]}, 1, (enum scene)scene, limits, st);
}

/* Each pair in one of the scenes, which turn with the seed; with NOVA_FULL in each. */
static void pairs(const struct explore_limits *limits, struct explore_stats *st) {
    bool full = getenv("NOVA_FULL") != NULL;
    for (size_t i = limits->seed % limits->stride; i < operations_n * operations_n; i += limits->stride) {
        const struct operation *op[] = {&operations[i / operations_n], &operations[i % operations_n]};
        for (int scene = 0; scene < SCENES; scene++)
            if (full || (i / operations_n + i + limits->seed) % SCENES == (unsigned)scene)
                sequence(op, 2, (enum scene)scene, limits, st);
    }
}

static void triples(const struct explore_limits *limits, struct explore_stats *st) {
    uint64_t rng = limits->seed;
    for (uint32_t n = 0; n < TRIPLES / limits->stride; n++) {
        const struct operation *op[LONGEST];
        for (int i = 0; i < LONGEST; i++)
            op[i] = &operations[crash_random(&rng) % operations_n];
        sequence(op, LONGEST, (enum scene)(crash_random(&rng) % SCENES), limits, st);
    }
}

static void test_sequences(void **state) {
    (void)state;
    struct explore_limits limits = explore_limits_default();
    struct explore_stats st = {0};
    limits.exhaustive /= 4;
    limits.samples /= 4;
    limits.lines = limits.lines / 64 + 4;
    limits.nested_every *= 4;
    printf("NOVA_SEED=%llu\n", (unsigned long long)limits.seed);
    singles(&limits, &st);
    pairs(&limits, &st);
    if (getenv("NOVA_FULL") != NULL)
        triples(&limits, &st);
    char what[100];
    snprintf(what, sizeof what, "%zu operations in %u sequences, alone and in pairs%s", operations_n, sequences,
             getenv("NOVA_FULL") != NULL ? " and threes" : "");
    explore_stats_print(what, &st);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sequences)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
