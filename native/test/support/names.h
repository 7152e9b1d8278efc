/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on names within one directory, for tests that have no more to say. */
#ifndef NOVA_TEST_SUPPORT_NAMES_H
#define NOVA_TEST_SUPPORT_NAMES_H

#include "nova.h"

static inline int flat_create(nova_inode *dir, const char *name, uint32_t len, uint32_t type, uint32_t mode,
                              struct nova_io *io) {
    return nova_create(dir, name, len, type, mode, 0, 0, NULL, 0, io);
}

static inline int flat_unlink(nova_inode *dir, const char *name, uint32_t len, uint32_t ino, uint32_t gen,
                              struct nova_io *io) {
    const struct nova_name n = {
        .dir = dir, .name = name, .len = len, .ino = ino, .gen = gen, .type = NOVA_FILE, .io = io};
    return nova_unlink(&n);
}

/* Onto a free name, or one whose inode has it alone. */
static inline int flat_rename(nova_inode *dir, const char *from, uint32_t from_len, const char *to, uint32_t to_len,
                              uint32_t ino, uint32_t gen, uint32_t type, struct nova_io *io) {
    const struct nova_name a = {
        .dir = dir, .name = from, .len = from_len, .ino = ino, .gen = gen, .type = type, .io = io};
    const struct nova_name b = {.dir = dir, .name = to, .len = to_len, .io = io};
    return nova_rename(&a, &b);
}

#endif
