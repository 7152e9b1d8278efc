/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An inode's log: lines of 64 bytes, first the three in the inode's slot, then those of a chain of log pages. Entries
 * are immutable once the tail lies behind them; everything behind the tail is meaningless.
 *
 * An append and where a crash leaves it:
 *   1. entries (and new pages, and the pointers to them) are stored and flushed   - behind the tail: nothing happened
 *   2. drain                                                                        - the same
 *   3. the tail word is stored and flushed                                          - all or nothing: one 8-byte store
 *   4. drain                                                                        - it happened
 *
 * A write of at most a block whose entry fits the page (or slot) that holds the tail takes one drain: its entry carries
 * a checksum of the bytes that it brings, too, and so proves by itself that all of it is there.
 *   1. bytes and entry are stored and flushed   - the entry is not whole, or the bytes are not: nothing happened;
 *                                                 or both are: it happened
 *   2. drain                                    - it happened
 *   3. the tail word is stored, not flushed     - for whoever reads it in this process; the next commit of other kind
 *                                                 makes it durable
 * What the media has behind its tail then is a row of such entries, each with the next sequence number, in the page of
 * the tail. Whoever reads a log after a crash takes them in (log_adopt()). Only of the last one the bytes may lack:
 * that another one follows tells that its drain was over. The bytes of the last one stay as they are: nothing but a
 * commit of other kind, or a mapping, which makes the tail durable first, lets anything be stored to them or to a block
 * that they have been moved to. (A row proved by checksums instead of a second drain: the same idea as the journal
 * checksums of Prabhakaran et al., "IRON File Systems", SOSP 2005, section 6.)
 *
 * A log is cleaned (nova.h, "cleaning a log") by appending again what still counts in its first pages, and then cutting
 * these off: one 8-byte store of the head. A page in the middle that holds nothing of effect goes in the same way, by
 * the `next` of the page before it:
 *   1. the pointer is stored and flushed      - the longer log or the shorter one: they say the same
 *   2. drain                                  - the shorter one
 *   3. the pages are free
 * A log that has become short starts again in the slot: as an append whose lines lie in the slot, of which a cut log
 * has none.
 */
#ifndef NOVA_LOG_LOG_H
#define NOVA_LOG_LOG_H

#include "alloc/alloc.h"
#include "format/media.h"

/* One inode's log, open. The owner's logLock guards it. */
struct log {
    const struct media *m;
    struct allocator *a;
    struct fmt_inode *slot;
    uint32_t ino, gen;
    uint8_t type;
    struct log_pos tail; /* committed end */
    bool linked;         /* there is a link entry before it, or was one */
    bool tail_lags;      /* the tail word may be in the caches only */
    bool slot_cut;       /* it begins in its first page: the slot's lines are not part of it */
    uint64_t seq;        /* of the last committed entry; known once a cursor has reached the tail */
};

/* A reader's place in a log. Starts as {{0, 0}, 0, 0, 0}. */
struct log_cursor {
    struct log_pos pos;
    uint64_t seq;     /* of the last entry passed */
    uint64_t entries; /* passed */
    uint32_t pages;   /* entered */
};

/* What log_next() found. */
struct log_item {
    const struct fmt_entry *entry; /* NULL at the end */
    struct log_pos pos;            /* of the entry */
    uint32_t entered;              /* the log page entered on the way to it, or 0 */
};

/*
 * Takes up the log of an inode whose slot's immutable part has been verified. ENOENT if the slot is free, ECORRUPT if
 * its tail word is damaged.
 */
int log_open(struct log *log, const struct media *m, struct allocator *a, struct fmt_inode *slot,
             struct nova_error *err);

/*
 * Reads the next entry (padding is passed over) and moves the cursor behind it. Every entry is verified before it is
 * returned; ECORRUPT leaves the cursor where it was. Ends on any media: sequence numbers grow strictly.
 */
int log_next(const struct log *log, struct log_cursor *cur, struct log_item *item, struct nova_error *err);

/*
 * Takes in what lies behind the tail and certifies itself, after a crash: the tail in *log moves, that on the media
 * does not. end: the cursor of a reader that has reached the tail; it goes on from there. *torn: the line of an entry
 * whose bytes are not there, which must not be found again by a later recovery when other bytes may lie where it points
 * to; NULL: none. ECORRUPT: an entry of the row is damaged, as a later one tells.
 */
int log_adopt(struct log *log, const struct log_cursor *end, uint8_t **torn, struct nova_error *err);

/* Makes the tail word durable if it may lag behind. EOS. */
int log_settle(struct log *log, struct nova_error *err);

/* The address of a line. */
uint8_t *log_line(const struct log *log, struct log_pos pos);

/* Entries being appended, invisible until committed. */
struct log_batch {
    struct log *log;
    struct log_pos pos; /* behind the last entry appended */
    struct log_pos at;  /* of the last entry appended */
    uint64_t seq;
    bool linked;
    bool in_slot;   /* log_restart() */
    bool certified; /* the last entry is, by itself */
    unsigned flags; /* ALLOC_* */
    uint32_t new_pages;
    uint32_t appended;        /* entries */
    struct extent_list pages; /* the new ones, until committed */
};

/* flags: ALLOC_RESERVE for calls that give space back. Ends with log_commit() or log_rollback(). */
void log_begin(struct log_batch *b, struct log *log, unsigned flags);

/* The same for a log that starts again in the slot: it has been cut, and the entries fit FMT_INLINE_LINES. Its pages
 * are the caller's to free once it is committed. */
void log_restart(struct log_batch *b, struct log *log);

/*
 * Appends an entry of e->lines lines whose kind, lines and payload are filled (and unused bytes zero); the rest of the
 * header is filled here. ENOSPC, ENOMEM, ECORRUPT (no sequence number left).
 */
int log_append(struct log_batch *b, struct fmt_entry *e, struct nova_error *err);

/*
 * Makes everything stored before, by this thread and in this batch, durable, then commits by moving the tail: two
 * drains, or one if the batch is one entry that certifies itself, behind others in its page or slot. EOS if the
 * operating system refused to persist; if that was at the second drain, whether it happened shows only after a reopen.
 */
int log_commit(struct log_batch *b, struct nova_error *err);

/* Forgets the batch and frees its pages. */
void log_rollback(struct log_batch *b);

/*
 * The pages between prev (0: from the beginning of the log on) and keep, which lies behind prev, into out: at most max.
 * EINVAL: keep was not found; ECORRUPT, ENOMEM.
 */
int log_pages_between(const struct log *log, uint32_t prev, uint32_t keep, uint32_t max, struct extent_list *out,
                      struct nova_error *err);

/* Takes them out of the log: stored and flushed, not drained. Nothing in them, nor in the slot's lines if prev is 0,
 * may be of effect. */
void log_cut(struct log *log, uint32_t prev, uint32_t keep);

/* The parts of log_commit(), for a commit over several logs (journal/journal.h). */
fmt_ptr log_batch_tail(const struct log_batch *b); /* the tail word that commits it */
void log_batch_store_tail(struct log_batch *b);    /* stored and flushed; everything else of it is durable */
void log_batch_end(struct log_batch *b);           /* it is committed: takes over the new end */

#endif
