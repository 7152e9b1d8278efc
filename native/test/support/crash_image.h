/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a crash could leave. A cursor runs along a trace and knows, at its place, which bytes are durable for certain
 * and which stores may or may not have reached the media; images are the durable bytes plus a choice of those.
 *
 * The model of the hardware (x86-64, clwb or clflushopt, sfence, non-temporal stores; Intel's "Persistent Memory
 * Programming" documentation, and the flush functions' pages of PMDK's libpmem(7)):
 *  - A store is broken into 8-byte words, each atomic. Lines of 64 bytes persist independently of each other.
 *  - Cached stores (store8, and most copies and zeros of less than 256 bytes) to one line persist in their order: any
 *    prefix. libpmem moves a small copy in pieces of 1 to 64 bytes, some of them overlapping, in an order of its own:
 *    of the last one that persists in part, any of its words.
 *  - Copies and zeros from 256 bytes on are non-temporal, and copies of whole lines, as entries of a log are: any of
 *    their words, whatever else of the line persists.
 *    (libpmem sends only the whole lines of such a copy past the cache, by four, two and one, and the ends of an
 *    unaligned one through the cache, flushed; their stores are ordered, so this allows more than can happen. Where it
 *    is told to use the cache for all, or the threshold is raised, the same holds.)
 *  - A word that is covered in part, at the end of a copy that is not aligned to words, may be written in more than
 *    one piece: any of its bytes.
 *  - A drain makes durable what the same thread copied, zeroed or flushed before. A flush takes along all of its line.
 *  - Anything else may be evicted from the cache at any time, flushed or not, or never.
 */
#ifndef NOVA_TEST_SUPPORT_CRASH_IMAGE_H
#define NOVA_TEST_SUPPORT_CRASH_IMAGE_H

#include "recorder.h"

#define CRASH_LINE 64u

/* A store of one word, or of part of one. */
struct crash_piece {
    uint64_t val;
    uint32_t word;   /* offset in the pool / 8 */
    uint32_t event;  /* that stored it */
    uint8_t mask;    /* bytes of it */
    uint8_t flushed; /* bit per actor whose next drain makes it durable */
    bool loose;      /* non-temporal: in no order */
    bool splits;     /* not one store for certain: may persist by bytes */
};

struct crash_line {
    uint32_t no;
    uint32_t n, cap;
    struct crash_piece *piece; /* in the order of the stores */
};

struct crash_cursor {
    const struct trace *t;
    size_t at;               /* events passed */
    uint8_t *image;          /* the durable bytes, plus what is chosen between crash_image_*() and crash_image_undo() */
    uint64_t hash;           /* of image */
    uint64_t file_len;       /* of the file; image has zeros behind it */
    struct crash_line *line; /* lines with pieces that may be lost: the first line_n */
    uint32_t line_n, line_cap;
    uint32_t *line_of; /* line number -> index into line + 1 */
    struct crash_undo *undo;
    uint32_t undo_n, undo_cap;
};

void crash_cursor_init(struct crash_cursor *c, const struct trace *t);
void crash_cursor_free(struct crash_cursor *c);

/* Passes one event. */
void crash_cursor_step(struct crash_cursor *c);

/* How many choices the model allows for the line, split words aside; more than max: some number above max. */
uint64_t crash_image_choices(const struct crash_cursor *c, uint32_t line, uint64_t max);
/* Adds the choice of that number to the image: 0 is nothing. */
void crash_image_choose(struct crash_cursor *c, uint32_t line, uint64_t choice);
/* Adds all pieces of the line. */
void crash_image_all(struct crash_cursor *c, uint32_t line);
/* Adds a random choice that the model allows, split words included. */
void crash_image_random(struct crash_cursor *c, uint32_t line, uint64_t *rng);
void crash_image_undo(struct crash_cursor *c);

/* splitmix64: a random number, and the next state. */
uint64_t crash_random(uint64_t *state);

#endif
