/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recovers a crash image with the production code and says what came out: the state (model.h), and whether everything
 * that must hold of any recovered store does:
 *  - nova_fsck() finds no error in it as it is, and nothing to remark after recovery and an orderly close;
 *  - it opens; every name, log and block is readable; no block belongs to two, and used + free = total by the logs; an
 *    inode has as many names as it says;
 *  - a crash right after recovery recovers to the same, and that changes no byte but the state's, nor the length;
 *  - closed in order, it opens without recovery as the same;
 *  - it works: files grow and show zeros there, are appended to, made, linked, renamed, removed; so are directories.
 */
#ifndef NOVA_TEST_SUPPORT_JUDGE_H
#define NOVA_TEST_SUPPORT_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

struct model;

#define STATE_NO_POOL 0x6e6f742061706f6fu /* "state" of a file that is recognised as not (yet) a pool */

struct judge {
    char path[128];   /* of the pool file that images are put into */
    uint8_t *file;    /* it, mapped */
    uint64_t len;     /* that is mapped; the file may be shorter */
    bool superblocks; /* images may have a torn one: fsck may find that */
    bool damaged;     /* images come with damage that recovery repairs: fsck may find it */
    /* States whose loose bytes may be old ones: of the call that a crash is in, before and after it; or NULL. */
    const struct model *loose[2];
    bool repairs;    /* nova_fsck_repair() comes first, and leaves nothing for fsck to find */
    bool untimed;    /* states are without the times that the clock gave */
    uint64_t opens;  /* of pools, so far */
    uint8_t *first;  /* the file's bytes after the first recovery */
    uint8_t *before; /* a file's bytes, before the store is tried out */
    uint8_t *after;
    uint64_t buffers; /* bytes of either */
};

struct verdict {
    bool ok;
    uint64_t state;   /* with the loose bytes as the first of judge.loose says */
    uint64_t other;   /* as the second one says */
    uint64_t orphans; /* released by recovery */
    bool recovered;
    bool sound;    /* fsck has nothing to remark on the image as it is */
    char why[400]; /* if not ok */
};

/* tag: of the pool file's path, another one for each judge. */
void judge_init(struct judge *j, const char *tag, uint64_t len);
void judge_free(struct judge *j);

/* Makes the file hold the image, of len bytes. */
void judge_put(struct judge *j, const uint8_t *image, uint64_t len);

void judge_image(struct judge *j, const uint8_t *image, uint64_t len, struct verdict *v);

/* Reads the whole of an open store: its state, whether its parts fit, and the number of used blocks. */
bool judge_store(struct judge *j, struct store *s, uint64_t *state, uint64_t *used, char *why, size_t why_len);

/* Says how the store in the image differs from a state, at most `cap` bytes. */
void judge_explain(struct judge *j, const uint8_t *image, uint64_t len, const struct model *m, char *out, size_t cap);

#endif
