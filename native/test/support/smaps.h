/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOVA_TEST_SUPPORT_SMAPS_H
#define NOVA_TEST_SUPPORT_SMAPS_H

#include <stddef.h>
#include <stdint.h>

/* What a field of /proc/self/smaps says of the mappings that begin within len bytes of memory, KiB in all. */
uint64_t smaps_kib(const void *addr, size_t len, const char *field);

#endif
