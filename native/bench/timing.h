/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timing of an operation that is done over and over, and the command line, for bench_protocol.c and bench_core.c.
 *
 * The mean is of rounds of many operations with one reading of the clock at each end; percentiles are of single ones,
 * in a round of its own, because two readings of the clock cost some 40 ns.
 */
#ifndef NOVA_BENCH_TIMING_H
#define NOVA_BENCH_TIMING_H

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS_MAX 101u
#define BYTES_PER_ROUND (UINT64_C(400) << 20) /* that an operation of large units writes, and no more */

struct operation {
    const char *name;
    uint32_t unit; /* bytes */
    void (*run)(void *bench);
    void (*prepare)(void *bench); /* before each round, not timed; or NULL */
};

static inline uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline int compare_double(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline int compare_u64(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Of the sorted times of n calls; per_mille: of 1000. */
static inline uint64_t percentile(const uint64_t *ns, uint32_t n, uint32_t per_mille) {
    return ns[(uint64_t)(n - 1) * per_mille / 1000];
}

static inline void round_of(void *bench, const struct operation *op, uint32_t ops, uint64_t *each) {
    if (op->prepare != NULL)
        op->prepare(bench);
    for (uint32_t i = 0; i < ops; i++) {
        uint64_t start = each == NULL ? 0 : now_ns();
        op->run(bench);
        if (each != NULL)
            each[i] = now_ns() - start;
    }
}

/* Times one operation and prints a JSON line. 0, or -1 for lack of memory. */
static inline int measure(void *bench, const struct operation *op, uint32_t ops, uint32_t rounds,
                          uint64_t working_set) {
    double ns[ROUNDS_MAX];
    if ((uint64_t)ops * op->unit > BYTES_PER_ROUND)
        ops = (uint32_t)(BYTES_PER_ROUND / op->unit);
    uint64_t *each = calloc(ops, sizeof *each);
    if (each == NULL)
        return -1;
    round_of(bench, op, (ops + 3) / 4, NULL);
    for (uint32_t r = 0; r < rounds; r++) {
        if (op->prepare != NULL)
            op->prepare(bench);
        uint64_t start = now_ns();
        for (uint32_t i = 0; i < ops; i++)
            op->run(bench);
        ns[r] = (double)(now_ns() - start) / ops;
    }
    qsort(ns, rounds, sizeof ns[0], compare_double);
    round_of(bench, op, ops, each);
    qsort(each, ops, sizeof each[0], compare_u64);
    printf("{\"op\":\"%s\",\"ns\":%.1f,\"min_ns\":%.1f,\"max_ns\":%.1f,\"p50_ns\":%" PRIu64 ",\"p90_ns\":%" PRIu64
           ",\"p99_ns\":%" PRIu64 ",\"p99_9_ns\":%" PRIu64 ",\"rounds\":%" PRIu32 ",\"ops\":%" PRIu32
           ",\"working_set\":%" PRIu64 "}\n",
           op->name, ns[rounds / 2], ns[0], ns[rounds - 1], percentile(each, ops, 500), percentile(each, ops, 900),
           percentile(each, ops, 990), percentile(each, ops, 999), rounds, ops, working_set);
    fflush(stdout);
    free(each);
    return 0;
}

/* A whole number between low and high, or exit. */
static inline uint64_t number(const char *option, const char *text, uint64_t low, uint64_t high) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || end == text || value < low || value > high) {
        fprintf(stderr, "%s takes a number from %" PRIu64 " to %" PRIu64 ", not \"%s\"\n", option, low, high, text);
        exit(2);
    }
    return value;
}

/* What the command line says. */
struct timing {
    const char *path;
    uint64_t working_set;
    uint32_t ops, rounds;
    uint32_t chosen; /* operations, a bit each; 0 = all */
};

/* Takes one option into t. 0; or -1 if no operation has that name. */
static inline int timing_option(struct timing *t, int c, const char *arg, const struct operation *op, uint32_t n) {
    switch (c) {
    case 'f': t->path = arg; break;
    case 'w': t->working_set = number("--working-set", arg, UINT64_C(1) << 20, UINT64_C(1) << 40); break;
    case 'n': t->ops = (uint32_t)number("--ops", arg, 1, 1000000000); break;
    case 'r': t->rounds = (uint32_t)number("--rounds", arg, 1, ROUNDS_MAX); break;
    case 'o':
        for (uint32_t i = 0; i < n; i++)
            if (strcmp(arg, op[i].name) == 0) {
                t->chosen |= 1u << i;
                return 0;
            }
        fprintf(stderr, "no operation \"%s\"\n", arg);
        return -1;
    default: break;
    }
    return 0;
}

/* Times all that are chosen. */
static inline int timing_run(const struct timing *t, void *bench, const struct operation *op, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        if (t->chosen == 0 || (t->chosen >> i & 1) != 0)
            if (measure(bench, &op[i], t->ops, t->rounds, t->working_set) != 0)
                return -1;
    return 0;
}

#endif
