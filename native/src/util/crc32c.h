/* SPDX-License-Identifier: Apache-2.0 */
/* CRC32C (Castagnoli; reflected polynomial 0x82f63b78), by the CPU's instruction where it has one. */
#ifndef NOVA_UTIL_CRC32C_H
#define NOVA_UTIL_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continues crc over len bytes at data. Start with 0; feeding pieces one after another equals feeding the whole. */
uint32_t nova_crc32c(uint32_t crc, const void *data, size_t len);

/*
 * The same of what it copies to dst, reading each byte once. len and dst are multiples of 8. On x86-64 the stores are
 * non-temporal: an sfence has to follow.
 */
uint32_t nova_crc32c_stream(uint32_t crc, void *dst, const void *src, size_t len);

/* The table-driven version, whatever the CPU has: what the tests compare with. */
uint32_t nova_crc32c_portable(uint32_t crc, const void *data, size_t len);

#endif
