/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults of the write protocol, made in a trace as a faulty pmem_ops (or a faulty caller of it) would make them: the
 * stores themselves have happened, but what is known to be durable, and in which order, is another matter.
 */
#ifndef NOVA_TEST_SUPPORT_MUTANT_H
#define NOVA_TEST_SUPPORT_MUTANT_H

#include "recorder.h"

enum mutation {
    MUTANT_NO_FLUSH,    /* a flush is left out */
    MUTANT_NO_DRAIN,    /* a drain is left out: what follows is not ordered behind what precedes */
    MUTANT_EARLY_FLUSH, /* a flush comes before the store it is for */
    MUTANT_EARLY_DRAIN, /* a drain comes before the store or flush it is for */
    MUTANT_CACHED_COPY, /* a copy is not written back */
    MUTANT_CACHED_ZERO, /* a zeroing is not written back */
    MUTANT_NO_ZERO,     /* a zeroing is left out */
    MUTANT_NO_COPY,     /* a copy is left out */
    MUTANT_NO_STORE,    /* a store8 is left out */
    MUTANT_TORN,        /* a store8 is two stores, of 5 and of 3 bytes */
    MUTANT_OTHER_LINE,  /* a flush is of the neighbouring line */
    MUTANT_EARLY_STORE, /* a store comes before the drain that it should follow */
    MUTANT_LATE_STORE,  /* a store comes after the first one that should follow the next drain: two stores swapped */
    MUTANT_SWAP_STEPS,  /* what lies before a drain, back to the one before, and what lies behind it change places */
    MUTANT_NO_CHECKSUM, /* a structure is stored without its checksum */
    MUTANT_KINDS
};

const char *mutation_name(enum mutation m);

/*
 * Takes out of a trace the flushes and drains that do nothing in it, because what they cover is durable already:
 * opening makes durable what it reads, which matters after a kill only (test_crash_kill.c). Returns what becomes of a
 * number of events, counted from the start.
 */
size_t mutant_strip(struct trace *t, size_t events);

/*
 * Makes *out a trace with the mutation at event i. False if it does not apply there. out shares what did not change
 * with t: free it with mutant_free().
 */
bool mutant_make(const struct trace *t, enum mutation m, size_t i, struct trace *out);
void mutant_free(const struct trace *t, struct trace *out);

#endif
