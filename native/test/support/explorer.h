/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks along a trace, builds the images that a crash at each point could leave, has each judged, and checks that the
 * recovered state is one that the calls allow: every completed call is there, an interrupted one wholly or not at all.
 *
 * Points: before every drain and behind every completed call, with all choices of pending stores if they are few, else
 * none, all, each line alone, all but one line, and random choices; and behind every store, with all stores so far.
 *
 * A crash between two stores needs no more than that. Stores become durable for certain at drains alone, so from one
 * drain (of whichever thread) to the next what is pending only grows, and an image that a crash could leave in between
 * is one that it could leave before that next drain, with the later stores chosen away: it is among the choices there.
 * And it is judged no more mildly there: the states that are allowed change only where a call begins or returns. Behind
 * a return all choices are taken again, against the stricter rule; and a call that begins allows one state more, which
 * no image without one of its stores has. Where the choices are sampled, the images behind each store add the ones that
 * are likeliest on real machines: those that lost nothing.
 *
 * Equal images are recovered once. A part of the images, and those whose recovery writes most, are recovered and closed
 * under the recorder, and the crashes inside that explored the same way, one level deep.
 */
#ifndef NOVA_TEST_SUPPORT_EXPLORER_H
#define NOVA_TEST_SUPPORT_EXPLORER_H

#include "judge.h"
#include "recorder.h"

struct explore_limits {
    uint64_t seed;
    uint32_t exhaustive;   /* images per point: up to so many, all of them */
    uint32_t samples;      /* random ones per point beyond that */
    uint32_t lines;        /* up to so many are taken alone and left out alone; beyond, so many chosen at random */
    uint32_t nested_every; /* distinct images per one whose recovery is explored; 0 = none */
    uint32_t stride;       /* tests with many traces take every so manieth */
};

/* By build type (sanitizers: less) and environment (NOVA_FULL: more; NOVA_SEED). */
struct explore_limits explore_limits_default(void);

struct explore_stats {
    uint64_t traces, nested; /* nested: of recoveries, also in traces */
    uint64_t points, images, distinct;
    uint64_t opens; /* of pools, in recovering and checking */
};
void explore_stats_add(struct explore_stats *to, const struct explore_stats *from);
void explore_stats_print(const char *what, const struct explore_stats *st);

/*
 * Explores the trace from event `from` on. False at the first image that is judged bad; `failure` then says at which
 * point, which image, and what is wrong with it. st, if not NULL, is added to.
 */
bool explore(const struct trace *t, size_t from, const struct explore_limits *limits, struct explore_stats *st,
             char *failure, size_t failure_cap);

#endif
