/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a crash could leave. A cursor runs along a trace and knows, at its place, which bytes are durable for certain
 * and which stores may or may not have reached the media; images are the durable bytes plus a choice of those.
 *
 * The model of the hardware (x86-64, clwb or clflushopt, sfence, non-temporal stores; Intel's "Persistent Memory
 * Programming" documentation, and the flush functions' pages of PMDK's libpmem(7)):
 *  - A store is broken into 8-byte words, each atomic. Lines of 64 bytes persist independently of each other.
 *  - Cached stores (store8, and copy or zero of less than 256 bytes) to one line persist in their order: any prefix.
 *    The words of one small copy have no order that libpmem promises: sampled images take any subset of the last one.
 *  - Copies and zeros from 256 bytes on are non-temporal: their words persist in any order.
 *  - A drain makes durable what the same thread copied, zeroed or flushed before. A flush takes along all of its line.
 *  - A cached store that was not flushed may persist at any time or never.
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

/* Adds the first n pieces of the line to the image. */
void crash_image_prefix(struct crash_cursor *c, uint32_t line, uint32_t n);
/* Adds a random choice that the model allows. */
void crash_image_random(struct crash_cursor *c, uint32_t line, uint64_t *rng);
void crash_image_undo(struct crash_cursor *c);

/* splitmix64: a random number, and the next state. */
uint64_t crash_random(uint64_t *state);

#endif
