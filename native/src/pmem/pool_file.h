/* SPDX-License-Identifier: Apache-2.0 */
/* The pool's file: created with every block allocated, locked for one process, mapped. */
#ifndef NOVA_PMEM_POOL_FILE_H
#define NOVA_PMEM_POOL_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "nova.h"
#include "pmem/pmem_ops.h"

struct pool_file {
    uint8_t *base; /* the mapping */
    uint64_t len;
    int fd;         /* holds the lock */
    int map_flags;  /* with which the file is to be mapped elsewhere too: MAP_SHARED, or with MAP_SYNC */
    int durability; /* nova_durability; 0 in a private mapping, whose stores go nowhere */
    struct pmem_ops ops;
    int msync_errno; /* of the first msync that failed; the pool is unusable from then on */
};

/*
 * Called, if set, with every pool file that has just been mapped for writing, before anything of it is read: tests put
 * another pmem_ops there. The core never sets it.
 */
extern void (*pool_mapped_hook)(struct pool_file *file);

/*
 * Makes a new file of size bytes, all allocated, and maps it. The structure must stay where it is until closed. The
 * caller removes the file if formatting it fails.
 */
int pool_file_create(struct pool_file *pf, const char *path, uint64_t size, bool emulated, struct nova_error *err);

#define POOL_FILE_PROBE 256u

/*
 * Whether a file of len bytes, whose first and last whole block start with these POOL_FILE_PROBE bytes (zero where the
 * file is shorter), is to be opened; and how much of it is the pool's. The rest is cut off.
 */
typedef int pool_file_probe(const void *first, const void *last, uint64_t len, uint64_t *keep, struct nova_error *err);

/*
 * Locks and maps an existing file. Of its content only what probe wants to see is read, and before anything is done
 * to the file: giving storage to the holes of a foreign one could fill a disk.
 */
int pool_file_open(struct pool_file *pf, const char *path, bool emulated, pool_file_probe *probe,
                   struct nova_error *err);

/* Maps an existing file privately, for inspection; refused (EBUSY) while a process has it open for writing. */
int pool_file_inspect(struct pool_file *pf, const char *path, struct nova_error *err);

/*
 * Makes the open file longer, durably, with every block allocated, and maps it anew: base changes. If that fails, file
 * and mapping are as before; ENOSPC, EOS. emulated: as it was opened.
 */
int pool_file_extend(struct pool_file *pf, const char *path, uint64_t size, bool emulated, struct nova_error *err);

#define POOL_FILE_COLLAPSE 25 /* MADV_COLLAPSE, which headers before Linux 6.1 lack */

/* Maps all pages of the open file, in huge ones if it can be, as far as the kernel can. */
void pool_file_prefault(const struct pool_file *pf);

/* Makes the file's length, and its extents, durable. */
int pool_file_sync_length(const struct pool_file *pf, const char *path, struct nova_error *err);

/* Makes the file itself durable: its extents, and its name in its directory. */
int pool_file_sync(const struct pool_file *pf, const char *path, struct nova_error *err);

void pool_file_close(struct pool_file *pf);

#endif
