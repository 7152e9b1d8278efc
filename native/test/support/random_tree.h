/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of the calling thread's actor in a world (workload.h), and random calls on it. */
#ifndef NOVA_TEST_SUPPORT_RANDOM_TREE_H
#define NOVA_TEST_SUPPORT_RANDOM_TREE_H

#include "workload.h"

bool tree_has(const struct world *w, const char *path);
bool tree_is(const struct world *w, const char *path, uint8_t type);
bool tree_is_empty(const struct world *w, const char *path);

/* Removes what the path names, if it does, with everything below it. */
void tree_lose(struct world *w, const char *path);

/*
 * A call on one or two of n paths, whatever fits what they name: makes, links, writes, moves, exchanges, removes, sets
 * attributes of both sorts, changes ranges, and sometimes closes the pool and opens it again.
 */
void tree_random_call(struct world *w, const char *const *paths, size_t n, uint64_t *rng);

#endif
