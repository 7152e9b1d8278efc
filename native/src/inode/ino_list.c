/* SPDX-License-Identifier: Apache-2.0 */
#include "inode/ino_list.h"

#include <stdlib.h>

bool ino_list_add(struct ino_list *l, uint32_t ino) {
    if (l->n == l->cap) {
        uint32_t cap = l->cap == 0 ? 64 : l->cap * 2;
        uint32_t *p = realloc(l->ino, cap * sizeof *p);
        if (p == NULL)
            return false;
        l->ino = p;
        l->cap = cap;
    }
    l->ino[l->n++] = ino;
    return true;
}

void ino_list_free(struct ino_list *l) {
    free(l->ino);
    *l = (struct ino_list){0};
}

static int by_number(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

void ino_list_sort(struct ino_list *l) {
    if (l->n != 0)
        qsort(l->ino, l->n, sizeof *l->ino, by_number);
}

uint32_t ino_list_count(const struct ino_list *l, uint32_t ino) {
    uint32_t low = 0, high = l->n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (l->ino[mid] < ino)
            low = mid + 1;
        else
            high = mid;
    }
    uint32_t n = 0;
    for (; low < l->n && l->ino[low] == ino; low++)
        n++;
    return n;
}
