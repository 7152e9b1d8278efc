/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzzer of the core on corrupt pool images. An input says which sound pool to start from, what to do with it once it
 * is open, and how to damage it before:
 *
 *   byte 0   template, modulo their number           byte 1   what the visit writes (visit.c)
 *   then records of PATCH_BYTES bytes each (patch.c)
 *
 * Structures are damaged with their checksums sealed anew or not: without sealing the first checksum would stop every
 * input at the door.
 */
#ifndef NOVA_TEST_FUZZ_H
#define NOVA_TEST_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/media.h"

#define FUZZ_BLK ((uint64_t)NOVA_BLOCK_SIZE)
#define FUZZ_POOL ((uint64_t)NOVA_POOL_SIZE_MIN) /* bytes of every template */
#define FUZZ_FILE_MAX (2 * FUZZ_POOL)            /* a patch may make the file longer */

/* The answer is unsound: says why and ends the process, which libFuzzer takes for a crash. */
_Noreturn void fuzz_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A status must be one that nova.h knows, and a failure must come with a sentence. */
void fuzz_status(const char *call, int rc, const struct nova_error *err);

/* ---- templates ---- */

enum part_kind {
    PART_SB,
    PART_STATE,
    PART_SNAP,
    PART_TABLE_PTR,
    PART_SLOT,
    PART_TAIL,
    PART_HEAD,
    PART_NEXT,
    PART_PAGE_TAIL,
    PART_ENTRY,
    PART_JOURNAL,
    PART_KINDS
};

/* A structure of a template. */
struct part {
    uint32_t off, len;
    uint32_t ino, gen, home; /* what checks are bound to; of a table pointer, ino is its index */
};

struct parts {
    struct part *list;
    uint32_t n, cap;
};

struct template {
    uint8_t *bytes; /* FUZZ_POOL */
    struct media m; /* of these bytes */
    struct parts parts[PART_KINDS];
};

/* Makes all templates through the API, the first time; the same ones in every process. Returns how many. */
uint32_t template_count(void);
struct template *template_get(uint32_t i);

/* ---- patches ---- */

#define PATCH_BYTES 14u
enum patch_kind {
    PATCH_RAW = PART_KINDS,
    PATCH_LENGTH,
    PATCH_COPY,
    PATCH_APPEND,
    PATCH_SAVED,
    PATCH_PENDING,
    PATCH_KINDS
};

/* Applies the records to an image (FUZZ_FILE_MAX bytes) of the template. Returns the length that the file gets. */
uint64_t patch_all(const struct template *t, uint8_t *image, const uint8_t *records, size_t len);

/* ---- a visit ---- */

/*
 * Opens the pool at path, lists and reads everything, writes, renames, deletes as `what` says, and closes it. base: the
 * file, mapped by the caller. Returns what nova_pool_open() did. sum: of fsck's run before, NULL if it found errors; if
 * not NULL, everything must succeed. *free_blks: when the pool was closed.
 */
int visit_pool(const char *path, const uint8_t *base, uint8_t what, const struct nova_fsck_summary *sum,
               uint64_t *free_blks);

#endif
