/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock on a pool's file, which belongs to the process that has the pool open. It outlives the pool as long as
 * something else in the process shows bytes of the file and may store to them (pool_lock_share()): no other process may
 * open the pool until then, but this one may, and then takes over the lock that was kept.
 */
#ifndef NOVA_PMEM_POOL_LOCK_H
#define NOVA_PMEM_POOL_LOCK_H

#include <stdbool.h>

#include "nova.h"

/* Locks the file, to be written. *fd may become another descriptor of it: the one that has kept the lock; or -1, and
 * the file is closed, if this fails. EBUSY, EOS. */
int pool_lock_take(int *fd, const char *path, struct nova_error *err);
/* The same, to be read by several: nobody writes meanwhile. */
int pool_lock_take_shared(int *fd, const char *path, struct nova_error *err);
/* Unlocks and closes the file, unless its lock is to be kept. -1 does nothing. */
void pool_lock_give_back(int fd);

/* A file of which the lock is kept. */
struct pool_lock;

/* Keeps the lock of an open pool's file, once more. NULL without memory, or if the file cannot be examined. */
struct pool_lock *pool_lock_share(int fd);
/* Takes that back; the last time, and with the pool closed, the lock goes. */
void pool_lock_drop(struct pool_lock *l);
/* Whether it is the lock of this file. */
bool pool_lock_is_of(const struct pool_lock *l, int fd);

#endif
