/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal of the power-failure test: lines on the guest's console, which outlive the guest. Each begins with "J ".
 *
 *   create             a pool is about to be made
 *   created            the call returned
 *   open               the pool is about to be opened, and recovered if it was cut off
 *   resolved A N       of actor A, the store holds the first N operations of the round before
 *   round SEED         the actors start on this seed
 *   > A N WORDS        actor A is about to call its Nth operation
 *   < A N SIZE CRC     it returned, and the file it changed now has this size and CRC32C (both 0 if it was removed)
 *
 * A line is out of the guest before the function that writes it returns: of each actor at most one operation is in
 * flight.
 */
#ifndef NOVA_TEST_POWER_JOURNAL_H
#define NOVA_TEST_POWER_JOURNAL_H

#include "power_ops.h"

/* The journal as it stood at the power cut, replayed. */
struct power_journal {
    bool creating, created;
    uint64_t acknowledged; /* operations, all rounds */
    bool in_flight[POWER_ACTORS];
    struct power_op op[POWER_ACTORS]; /* the last begun */
};

/* Writes a line to standard output. Any thread. */
void power_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Replays a journal file on the actors, and checks that it is what the seeds in it make, sizes and checksums included.
 * False with *why if it is not.
 */
bool power_journal_replay(const char *path, struct power_journal *j, struct power_actor *actors, char *why,
                          size_t why_len);

/* CRC32C of the actor's file after the operation, and its size; 0 and 0 if that removed it. */
uint32_t power_crc(const struct power_actor *a, const struct power_op *op, uint64_t *size);

#endif
