/* SPDX-License-Identifier: Apache-2.0 */
/* A growing list of inode numbers: directories still to be visited; or one number for each name, to count them. */
#ifndef NOVA_INODE_INO_LIST_H
#define NOVA_INODE_INO_LIST_H

#include <stdbool.h>
#include <stdint.h>

struct ino_list { /* all zero = empty */
    uint32_t *ino;
    uint32_t n, cap;
};

bool ino_list_add(struct ino_list *l, uint32_t ino); /* false without memory */
void ino_list_free(struct ino_list *l);

void ino_list_sort(struct ino_list *l);
/* How often a sorted list holds a number. */
uint32_t ino_list_count(const struct ino_list *l, uint32_t ino);

#endif
