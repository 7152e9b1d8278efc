/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lite journal: one failure-atomic transaction over the logs of several inodes (after NOVA's lite journal, Xu and
 * Swanson, FAST 2016, section 4.1; but a redo record of tail words, so that a transaction takes three drains).
 *
 * A commit of batches in n >= 2 logs, and where a crash leaves it:
 *   1. the entries of all batches are stored and flushed, behind the tails          - nothing happened
 *   2. drain                                                                        - the same
 *   3. a record that names each tail word, the old and the new, is stored           - the same, or (whole record) 4
 *   4. drain                                                                        - it happened: the next open stores
 *                                                                                     the tails that are still the old
 *   5. the tail words are stored and flushed                                        - the same
 *   6. drain                                                                        - the tails say it themselves
 * The record is left as it is: no tail is where it was before, so to redo the record does nothing any more. Its place
 * is used again by a later transaction, whose step 3 comes after this one's 6. Before the tail of a log can come back
 * to where it was, because a page of it becomes free, journal_forget() makes the records of that log invalid. An
 * orderly close and a recovery clear all records.
 */
#ifndef NOVA_JOURNAL_JOURNAL_H
#define NOVA_JOURNAL_JOURNAL_H

#include <pthread.h>

#include "inode/inode_table.h"
#include "log/log.h"

#define JOURNAL_LANES 64u

struct journal {
    const struct media *m;
    uint32_t lanes_n; /* that there are records for: at least one */
    int broken;       /* a commit was refused halfway: only its record can still tell what became of it */
    struct journal_lane {
        pthread_mutex_t lock; /* guards the lane's record on the media */
        bool used;            /* since it was cleared last */
    } lanes[JOURNAL_LANES];
};

void journal_init(struct journal *j, const struct media *m);
void journal_destroy(struct journal *j);

/*
 * Commits n batches (1..FMT_JOURNAL_MOVES, of different inodes) together and ends them. On failure they are rolled
 * back, but for EOS at a later drain than the first: whether it happened then shows after a reopen.
 */
int journal_commit(struct journal *j, struct log_batch *b, uint32_t n, struct nova_error *err);

/* Gives them up. */
void journal_rollback(struct log_batch *b, uint32_t n);

/*
 * Makes the records that name an inode invalid: stored and flushed, not drained. The caller lets no transaction on it
 * run, and drains before it frees a page of its log. EOS once a drain was refused, as for journal_clear().
 */
int journal_forget(struct journal *j, uint32_t ino, struct nova_error *err);

/*
 * Clears the records of transactions that have ended: stored, not drained. No transaction runs. Does nothing once a
 * drain was refused: the tails of that transaction may have reached the media or not, and the record must stay.
 */
void journal_clear(struct journal *j);

/*
 * After a crash, before any log is read: finishes what was committed, makes all records invalid, durably, and clears
 * them, which is left to the drain that marks the pool dirty. A crash inside is one before. *redone: transactions of
 * which a tail had to be stored. EOS.
 */
int journal_recover(const struct media *m, const struct inode_table *t, uint64_t *redone, struct nova_error *err);

/* Finds an inode's slot in a table; NULL: it has none. */
typedef struct fmt_inode *journal_slot(const void *table, uint32_t ino);

/*
 * The steps of journal_recover(); 0 or an errno. Settle makes whole records durable as they are: a process that was
 * killed may have left one in the caches only, and a tail stored by a record that vanishes is half a transaction. Redo
 * stores the tails that are still the old ones, and makes all that the records name durable.
 */
int journal_settle(const struct media *m);
int journal_redo(const struct media *m, journal_slot *slot, const void *table, uint64_t *redone);

/* Records that there is room for, and one of them. */
uint32_t journal_records(const struct media *m);
struct fmt_journal *journal_record(const struct media *m, uint32_t i);

#endif
