/* SPDX-License-Identifier: Apache-2.0 */
/* How libFuzzer changes an input: records stay whole, and what is in them changes by libFuzzer's own means. */
#include <string.h>

#include "fuzz.h"
#include "rng.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max); /* libFuzzer's */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len, uint8_t *out,
                                 size_t max, unsigned seed);

#define HEAD 2u

static uint64_t random_value(struct rng *r) {
    static const uint64_t limits[] = {0, UINT32_MAX, INT64_MAX, NOVA_FILE_SIZE_MAX, FUZZ_POOL, FUZZ_POOL / FUZZ_BLK};
    switch (rng_below(r, 4)) {
    case 0: return limits[rng_below(r, sizeof limits / sizeof limits[0])] - rng_below(r, 3);
    case 1: return rng_below(r, 256);
    default: return rng_next(r) >> rng_below(r, 64);
    }
}

static void random_record(uint8_t *p, struct rng *r) {
    uint64_t value = random_value(r);
    uint16_t which = (uint16_t)(rng_next(r) >> (rng_below(r, 2) ? 60 : 48)), at = (uint16_t)rng_next(r);
    p[0] = (uint8_t)rng_below(r, PATCH_KINDS);
    p[1] = (uint8_t)(rng_below(r, 8) != 0 ? rng_next(r) | 16 : rng_next(r) & ~UINT64_C(16));
    memcpy(p + 2, &which, 2);
    memcpy(p + 4, &at, 2);
    memcpy(p + 6, &value, 8);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed) {
    struct rng r = {seed};
    if (size < HEAD) {
        memset(data, 0, HEAD);
        size = HEAD;
    }
    size_t n = (size - HEAD) / PATCH_BYTES, room = (max - HEAD) / PATCH_BYTES;
    uint8_t *at = data + HEAD + PATCH_BYTES * (n == 0 ? 0 : rng_below(&r, (uint32_t)n)),
            *end = data + HEAD + PATCH_BYTES * n;
    size = HEAD + PATCH_BYTES * n;
    switch (rng_below(&r, 10)) {
    case 0: LLVMFuzzerMutate(data, HEAD, HEAD); break;
    case 1:
    case 2:
        if (n == room)
            break;
        random_record(end, &r);
        return size + PATCH_BYTES;
    case 3:
        if (n == 0)
            break;
        memmove(at, at + PATCH_BYTES, (size_t)(end - at) - PATCH_BYTES);
        return size - PATCH_BYTES;
    case 4:
        if (n == 0 || n == room)
            break;
        memmove(end, at, PATCH_BYTES);
        return size + PATCH_BYTES;
    case 5:
        if (n != 0)
            random_record(at, &r);
        break;
    default:
        if (n == 0)
            break;
        LLVMFuzzerMutate(at, PATCH_BYTES, PATCH_BYTES);
        break;
    }
    return size;
}

/* Some records of a, then some of b, on a's template. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len, uint8_t *out,
                                 size_t max, unsigned seed) {
    struct rng r = {seed};
    if (a_len < HEAD || b_len < HEAD)
        return 0;
    uint32_t from_a = rng_below(&r, (uint32_t)((a_len - HEAD) / PATCH_BYTES) + 1),
             skip_b = rng_below(&r, (uint32_t)((b_len - HEAD) / PATCH_BYTES) + 1);
    size_t len = HEAD + from_a * PATCH_BYTES, rest = (b_len - HEAD) / PATCH_BYTES - skip_b;
    if (rest > (max - len) / PATCH_BYTES)
        rest = (max - len) / PATCH_BYTES;
    memcpy(out, a, len);
    memcpy(out + len, b + HEAD + skip_b * PATCH_BYTES, rest * PATCH_BYTES);
    return len + rest * PATCH_BYTES;
}
