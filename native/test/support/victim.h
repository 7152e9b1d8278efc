/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small sound pool that holds every kind of metadata, to be damaged again and again and looked at through the
 * production code: what it says of each file, and whether it still does after another opening and after use.
 */
#ifndef NOVA_TEST_SUPPORT_VICTIM_H
#define NOVA_TEST_SUPPORT_VICTIM_H

#include <stdbool.h>
#include <stdint.h>

#include "metadata_map.h"
#include "store.h"

#define VICTIM_FILES 48u
#define VICTIM_ATTRS 4u

/* What a path names. */
struct victim_file {
    char path[256];
    struct nova_stat st;
    uint8_t *bytes; /* but of a directory */
    uint32_t names; /* in a directory */
    struct {
        char name[NOVA_NAME_MAX + 1];
        uint32_t len;
        uint8_t *value;
    } attr[VICTIM_ATTRS]; /* extended ones */
    uint32_t attrs;
};

struct victim {
    char path[128];
    uint64_t len;
    uint8_t *bytes; /* the pool file, mapped: tests damage it here */
    uint8_t *sound; /* its bytes before any damage */
    bool clean;     /* closed in order, or as a crash leaves it */
    struct media m; /* of `bytes`, as they were sound */
    struct metadata_map map;
    uint32_t *page; /* blocks that hold metadata */
    uint32_t pages;
    /* What it holds. */
    struct victim_file file[VICTIM_FILES]; /* the root directory first */
    uint32_t files;
    struct nova_pool_info info;
    struct nova_fsck_summary fsck;
};

/* Makes it. What does not work fails the cmocka test. */
void victim_init(struct victim *v, bool clean);
void victim_free(struct victim *v);

/* Makes the file sound again; whole: also where only the use of free blocks can have written. */
void victim_restore(struct victim *v, bool whole);

/* What came of an opening. */
struct victim_look {
    bool error;      /* something was refused */
    bool placed;     /* and all that was, with a place in the pool or the name of the structure */
    bool wrong;      /* something else than what the pool holds was returned as good */
    bool recovered;  /* the logs were scanned */
    char why[300];   /* the first error or the first wrong thing */
    uint64_t opened; /* files and directories that could be read */
};

/*
 * Opens the pool, lists its tree, reads every file and extended attribute, and closes it. use: makes new files before,
 * that take every free inode and block, so that what is wrongly taken for free is overwritten.
 */
void victim_look(struct victim *v, bool use, struct victim_look *look);

/* nova_fsck(): findings beyond those of the sound pool; or its error counts as one. The report says what. */
uint64_t victim_fsck(struct victim *v, char *report, size_t cap);

#endif
