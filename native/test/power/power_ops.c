/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nova.h"
#include "power_ops.h"

void power_actor_init(struct power_actor *a, uint32_t id) {
    *a = (struct power_actor){.id = id};
    for (uint32_t i = 0; i < POWER_FILES; i++) {
        a->file[i].bytes = calloc(1, POWER_FILE_MAX);
        if (a->file[i].bytes == NULL)
            abort();
    }
}

void power_actor_free(struct power_actor *a) {
    for (uint32_t i = 0; i < POWER_FILES; i++)
        free(a->file[i].bytes);
}

void power_round(struct power_actor *a, uint64_t seed) {
    a->seq = 0;
    a->rng = (struct rng){seed * POWER_ACTORS + a->id};
    rng_next(&a->rng);
}

/* Lengths around cache lines and blocks, and any. 1..max */
static uint64_t draw_len(struct rng *r, uint64_t max) {
    static const uint32_t awkward[] = {1, 7, 63, 64, 65, 4095, 4096, 4097, 8192, 8193};
    uint64_t n = rng_below(r, 3) == 0 ? 1 + rng_below(r, 30000)
                                      : awkward[rng_below(r, sizeof awkward / sizeof *awkward)];
    return n < max ? n : max;
}

static void draw_write(struct power_actor *a, struct power_op *op) {
    struct rng *r = &a->rng;
    uint64_t size = a->file[op->file].size;
    bool append = op->kind == POWER_APPEND && size < POWER_FILE_MAX;
    if (!append && op->kind == POWER_APPEND)
        op->kind = POWER_WRITE;
    op->off = append ? size : rng_below(r, 8) == 0 ? rng_below(r, POWER_FILE_MAX) : rng_below(r, (uint32_t)size + 1);
    if (!append && rng_below(r, 2) == 0)
        op->off -= op->off % NOVA_BLOCK_SIZE;
    if (op->off == POWER_FILE_MAX)
        op->off--;
    op->len = draw_len(r, POWER_FILE_MAX - op->off);
    op->fill = rng_next(r);
    op->piece = draw_len(r, op->len);
    op->backwards = rng_below(r, 2) == 0;
}

void power_next(struct power_actor *a, struct power_op *op) {
    struct rng *r = &a->rng;
    *op = (struct power_op){.file = rng_below(r, POWER_FILES)};
    const struct power_file *f = &a->file[op->file];
    uint32_t dice = rng_below(r, 100);
    a->seq++;
    if (!f->exists) {
        op->kind = POWER_CREATE;
    } else if (dice < 8) {
        op->kind = POWER_UNLINK;
    } else if (dice < 16) {
        op->kind = POWER_RENAME;
        op->to = (op->file + 1 + rng_below(r, POWER_FILES - 1)) % POWER_FILES;
    } else if (dice < 28) {
        op->kind = POWER_TRUNCATE;
        op->len = rng_below(r, 2) == 0 ? rng_below(r, POWER_FILE_MAX) : rng_below(r, (uint32_t)f->size + 1);
    } else {
        op->kind = dice < 55 ? POWER_WRITE : dice < 80 ? POWER_APPEND : POWER_GATHER;
        draw_write(a, op);
    }
}

static void apply_write(struct power_file *f, const struct power_op *op) {
    if (op->off > f->size)
        memset(f->bytes + f->size, 0, op->off - f->size);
    power_content(op, f->bytes + op->off);
    if (op->off + op->len > f->size)
        f->size = op->off + op->len;
}

void power_apply(struct power_actor *a, const struct power_op *op) {
    struct power_file *f = &a->file[op->file];
    switch (op->kind) {
    case POWER_CREATE:
        f->exists = true;
        f->size = 0;
        break;
    case POWER_WRITE:
    case POWER_APPEND:
    case POWER_GATHER: apply_write(f, op); break;
    case POWER_TRUNCATE:
        if (op->len > f->size)
            memset(f->bytes + f->size, 0, op->len - f->size);
        f->size = op->len;
        break;
    case POWER_UNLINK: f->exists = false; break;
    case POWER_RENAME: {
        struct power_file replaced = a->file[op->to];
        replaced.exists = false;
        a->file[op->to] = *f;
        *f = replaced;
        break;
    }
    }
}

uint32_t power_affected(const struct power_op *op) {
    return op->kind == POWER_UNLINK ? POWER_FILES : op->kind == POWER_RENAME ? op->to : op->file;
}

void power_content(const struct power_op *op, uint8_t *bytes) {
    struct rng r = {op->fill};
    for (uint64_t i = 0; i < op->len; i += sizeof(uint64_t)) {
        uint64_t word = rng_next(&r);
        memcpy(bytes + i, &word, op->len - i < sizeof word ? op->len - i : sizeof word);
    }
}

const char *power_name(uint32_t actor, uint32_t file) {
    /* Of 1, 2, 3 and 5 log lines. */
    static const char *const names[POWER_ACTORS][POWER_FILES] = {
#define TEN(c) c c c c c c c c c c
        {"a", "a1-" TEN(TEN("q")), "a2-" TEN("12345678901234567"), "a3-" TEN("1234567890123456789012345")},
        {"b", "b1-" TEN(TEN("q")), "b2-" TEN("12345678901234567"), "b3-" TEN("1234567890123456789012345")},
#undef TEN
    };
    return names[actor][file];
}

void power_text(const struct power_op *op, char *buf) {
    static const char *const kinds[] = {"create", "write", "append", "gather", "truncate", "unlink", "rename"};
    snprintf(buf, POWER_TEXT_MAX, "%s file=%u to=%u off=%" PRIu64 " len=%" PRIu64, kinds[op->kind], op->file, op->to,
             op->off, op->len);
}
