/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the writer of the power-failure test does: actors with files of their own, each a sequence of operations drawn
 * from a seed, and the bytes that its files should hold after any number of them. An operation depends on the seed and
 * on the state before it, so that the checker repeats the sequence without being told more than the seed.
 */
#ifndef NOVA_TEST_POWER_OPS_H
#define NOVA_TEST_POWER_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../unit/rng.h"

#define POWER_ACTORS 2u
#define POWER_FILES 4u             /* of each actor */
#define POWER_FILE_MAX (96u << 10) /* bytes */
#define POWER_TEXT_MAX 80u

enum power_kind { POWER_CREATE, POWER_WRITE, POWER_APPEND, POWER_GATHER, POWER_TRUNCATE, POWER_UNLINK, POWER_RENAME };

struct power_op {
    enum power_kind kind;
    uint32_t file;
    uint32_t to;    /* RENAME: the file whose name it gets, and which it replaces if it is there */
    uint64_t off;   /* bytes */
    uint64_t len;   /* bytes; TRUNCATE: the new size */
    uint64_t piece; /* GATHER: bytes in each */
    bool backwards; /* GATHER */
    uint64_t fill;  /* seed of the bytes written */
};

struct power_file {
    bool exists;
    uint64_t size;
    uint8_t *bytes; /* POWER_FILE_MAX */
};

struct power_actor {
    uint32_t id;
    uint64_t seq; /* operations drawn since power_round() */
    struct rng rng;
    struct power_file file[POWER_FILES];
};

void power_actor_init(struct power_actor *a, uint32_t id);
void power_actor_free(struct power_actor *a);

/* Starts a sequence; the files stay as they are. */
void power_round(struct power_actor *a, uint64_t seed);

/* Draws the next operation. */
void power_next(struct power_actor *a, struct power_op *op);

/* Applies it to the actor's files. */
void power_apply(struct power_actor *a, const struct power_op *op);

/* The file whose state the operation makes, or POWER_FILES if it removes one. */
uint32_t power_affected(const struct power_op *op);

/* The bytes that a WRITE, APPEND or GATHER writes. */
void power_content(const struct power_op *op, uint8_t *bytes);

/* Name of a file, 1..255 bytes; a static string. */
const char *power_name(uint32_t actor, uint32_t file);

/* The operation in words; buf holds POWER_TEXT_MAX bytes. */
void power_text(const struct power_op *op, char *buf);

#endif
