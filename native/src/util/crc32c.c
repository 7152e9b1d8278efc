/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC32C. The usual input is a 60-byte log entry, for which the latency of one short chain of CRC instructions counts
 * (eight of them), and the bytes of a write, for which their throughput does: three streams at a time (Gopal et al.,
 * "Fast CRC Computation for iSCSI Polynomial Using CRC32 Instruction", Intel, 2011). What is copied is folded where the
 * CPU can (Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel, 2009): it
 * is stored in order then, in few stores.
 */
#include "util/crc32c.h"

#include <assert.h>
#include <string.h>

#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#elif defined(__x86_64__)
#include <immintrin.h>
#endif

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "loads of 4 and 8 bytes take the lowest address for the lowest byte");

static inline uint64_t load8(const uint8_t *p) {
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

static inline uint32_t load4(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

/*
 * Slicing by 8 (Kounavis and Berry, "Novel Table Lookup-Based Algorithms for High-Performance CRC Generation", 2008):
 * slice[k][i] is the register after byte i and k zero bytes. A CRC is linear, so a slice follows from its values at the
 * eight powers of two; the compiler builds the tables, and none has to be built at run time.
 */
#define BIT(i, b, v) ((((i) >> (b)) & 1u) ? (v) : 0u)
#define ENTRY(i, a, b, c, d, e, f, g, h)                                                                               \
    (BIT(i, 0, a) ^ BIT(i, 1, b) ^ BIT(i, 2, c) ^ BIT(i, 3, d) ^ BIT(i, 4, e) ^ BIT(i, 5, f) ^ BIT(i, 6, g) ^          \
     BIT(i, 7, h))
#define ENTRY4(i, ...)                                                                                                 \
    ENTRY(i, __VA_ARGS__), ENTRY((i) + 1u, __VA_ARGS__), ENTRY((i) + 2u, __VA_ARGS__), ENTRY((i) + 3u, __VA_ARGS__)
#define ENTRY16(i, ...)                                                                                                \
    ENTRY4(i, __VA_ARGS__), ENTRY4((i) + 4u, __VA_ARGS__), ENTRY4((i) + 8u, __VA_ARGS__), ENTRY4((i) + 12u, __VA_ARGS__)
#define ENTRY64(i, ...)                                                                                                \
    ENTRY16(i, __VA_ARGS__), ENTRY16((i) + 16u, __VA_ARGS__), ENTRY16((i) + 32u, __VA_ARGS__),                         \
        ENTRY16((i) + 48u, __VA_ARGS__)
#define TABLE(...)                                                                                                     \
    ENTRY64(0u, __VA_ARGS__), ENTRY64(64u, __VA_ARGS__), ENTRY64(128u, __VA_ARGS__), ENTRY64(192u, __VA_ARGS__)

static const uint32_t slice[8][256] = {
    {TABLE(0xf26b8303u, 0xe13b70f7u, 0xc79a971fu, 0x8ad958cfu, 0x105ec76fu, 0x20bd8edeu, 0x417b1dbcu, 0x82f63b78u)},
    {TABLE(0x13a29877u, 0x274530eeu, 0x4e8a61dcu, 0x9d14c3b8u, 0x3fc5f181u, 0x7f8be302u, 0xff17c604u, 0xfbc3faf9u)},
    {TABLE(0xa541927eu, 0x4f6f520du, 0x9edea41au, 0x38513ec5u, 0x70a27d8au, 0xe144fb14u, 0xc76580d9u, 0x8b277743u)},
    {TABLE(0xdd45aab8u, 0xbf672381u, 0x7b2231f3u, 0xf64463e6u, 0xe964b13du, 0xd725148bu, 0xaba65fe7u, 0x52a0c93fu)},
    {TABLE(0x38116facu, 0x7022df58u, 0xe045beb0u, 0xc5670b91u, 0x8f2261d3u, 0x1ba8b557u, 0x37516aaeu, 0x6ea2d55cu)},
    {TABLE(0xef306b19u, 0xdb8ca0c3u, 0xb2f53777u, 0x6006181fu, 0xc00c303eu, 0x85f4168du, 0x0e045bebu, 0x1c08b7d6u)},
    {TABLE(0x68032cc8u, 0xd0065990u, 0xa5e0c5d1u, 0x4e2dfd53u, 0x9c5bfaa6u, 0x3d5b83bdu, 0x7ab7077au, 0xf56e0ef4u)},
    {TABLE(0x493c7d27u, 0x9278fa4eu, 0x211d826du, 0x423b04dau, 0x847609b4u, 0x0d006599u, 0x1a00cb32u, 0x34019664u)},
};

uint32_t nova_crc32c_portable(uint32_t crc, const void *data, size_t len) {
    const uint8_t *p = data;
    uint32_t c = ~crc;
    for (; len >= 8; p += 8, len -= 8) {
        uint32_t lo = c ^ load4(p), hi = load4(p + 4);
        c = slice[7][lo & 0xff] ^ slice[6][(lo >> 8) & 0xff] ^ slice[5][(lo >> 16) & 0xff] ^ slice[4][lo >> 24] ^
            slice[3][hi & 0xff] ^ slice[2][(hi >> 8) & 0xff] ^ slice[1][(hi >> 16) & 0xff] ^ slice[0][hi >> 24];
    }
    for (; len; p++, len--)
        c = (c >> 8) ^ slice[0][(c ^ *p) & 0xff];
    return ~c;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t crc_cpu(uint32_t crc, const uint8_t *p, size_t len) {
    uint32_t r = ~crc;
    if (len & 4) { /* first: what is checked by fours begins 4 bytes into a word, and was stored by words just now */
        r = _mm_crc32_u32(r, load4(p));
        p += 4;
    }
    uint64_t c = r;
    for (; len >= 8; p += 8, len -= 8)
        c = _mm_crc32_u64(c, load8(p));
    r = (uint32_t)c;
    for (len &= 3; len; p++, len--)
        r = _mm_crc32_u8(r, *p);
    return ~r;
}

#define STREAM 336u /* bytes; three are just less than a KiB */
/* To move a remainder on by so many bytes, multiply it by x^(8 * bytes - 33), and take the remainder of that. */
#define MOVE_1 0xa60ce07bu /* STREAM */
#define MOVE_2 0xcec3662eu /* 2 * STREAM */

__attribute__((target("sse4.2,pclmul"))) static uint64_t times(uint32_t crc, uint32_t by) {
    return (uint64_t)_mm_cvtsi128_si64(
        _mm_clmulepi64_si128(_mm_cvtsi32_si128((int)crc), _mm_cvtsi32_si128((int)by), 0));
}

/* The remainder of three streams, one behind the other. */
__attribute__((target("sse4.2,pclmul"))) static uint64_t joined(uint32_t a, uint32_t b, uint32_t c) {
    return c ^ _mm_crc32_u64(0, times(a, MOVE_2) ^ times(b, MOVE_1));
}

__attribute__((target("sse4.2,pclmul"))) static uint32_t crc_streams(uint32_t crc, const uint8_t *p, size_t len) {
    uint64_t a = ~crc;
    for (; len >= 3 * STREAM; p += 3 * STREAM, len -= 3 * STREAM) {
        uint64_t b = 0, c = 0;
        for (size_t i = 0; i < STREAM; i += 8) {
            a = _mm_crc32_u64(a, load8(p + i));
            b = _mm_crc32_u64(b, load8(p + STREAM + i));
            c = _mm_crc32_u64(c, load8(p + 2 * STREAM + i));
        }
        a = joined((uint32_t)a, (uint32_t)b, (uint32_t)c);
    }
    return crc_cpu(~(uint32_t)a, p, len);
}

__attribute__((target("sse4.2,pclmul"))) static inline uint64_t copy8(uint64_t crc, uint8_t *to, const uint8_t *from) {
    uint64_t v = load8(from);
    _mm_stream_si64((long long *)(void *)to, (long long)v);
    return _mm_crc32_u64(crc, v);
}

/* The streams are short, so that the CPU does not run out of buffers for the lines that they fill. */
__attribute__((target("sse4.2,pclmul"))) static uint32_t copy_streams(uint32_t crc, uint8_t *to, const uint8_t *p,
                                                                      size_t len) {
    uint64_t a = ~crc;
    for (; len >= 3 * STREAM; p += 3 * STREAM, to += 3 * STREAM, len -= 3 * STREAM) {
        uint64_t b = 0, c = 0;
        for (size_t i = 0; i < STREAM; i += 8) {
            a = copy8(a, to + i, p + i);
            b = copy8(b, to + STREAM + i, p + STREAM + i);
            c = copy8(c, to + 2 * STREAM + i, p + 2 * STREAM + i);
        }
        a = joined((uint32_t)a, (uint32_t)b, (uint32_t)c);
    }
    for (size_t i = 0; i < len; i += 8)
        a = copy8(a, to + i, p + i);
    return ~(uint32_t)a;
}

#define FOLD 128u /* bytes */
/* As MOVE_1: by FOLD, and by 8 more. */
#define FOLD_HI 0x0d3b6092
#define FOLD_LO 0x6992cea2

#define FOLDING __attribute__((target("sse4.2,avx2,vpclmulqdq")))

FOLDING static inline __m256i copy32(uint8_t *to, const uint8_t *from) {
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)from);
    _mm256_stream_si256((__m256i *)(void *)to, v);
    return v;
}

/* A remainder of 16 bytes moved on by FOLD, and what is there, twice. */
FOLDING static inline __m256i folded(__m256i a, __m256i next) {
    const __m256i by = _mm256_set_epi64x(FOLD_HI, FOLD_LO, FOLD_HI, FOLD_LO);
    return _mm256_xor_si256(
        next, _mm256_xor_si256(_mm256_clmulepi64_epi128(a, by, 0x00), _mm256_clmulepi64_epi128(a, by, 0x11)));
}

/* len: a multiple of FOLD, not 0; to: of 32. */
FOLDING static uint32_t copy_folded(uint32_t crc, uint8_t *to, const uint8_t *p, size_t len) {
    __m256i a = _mm256_xor_si256(copy32(to, p), _mm256_set_epi64x(0, 0, 0, (uint32_t)~crc));
    __m256i b = copy32(to + 32, p + 32), c = copy32(to + 64, p + 64), d = copy32(to + 96, p + 96);
    for (size_t i = FOLD; i < len; i += FOLD) {
        a = folded(a, copy32(to + i, p + i));
        b = folded(b, copy32(to + i + 32, p + i + 32));
        c = folded(c, copy32(to + i + 64, p + i + 64));
        d = folded(d, copy32(to + i + 96, p + i + 96));
    }
    uint8_t rest[FOLD]; /* has the remainder of them all */
    __m256i *r = (__m256i *)(void *)rest;
    _mm256_storeu_si256(r, a);
    _mm256_storeu_si256(r + 1, b);
    _mm256_storeu_si256(r + 2, c);
    _mm256_storeu_si256(r + 3, d);
    uint64_t all = 0;
    for (size_t i = 0; i < FOLD; i += 8)
        all = _mm_crc32_u64(all, load8(rest + i));
    return ~(uint32_t)all;
}

/* The compiler's run time fills the model that this reads before any code of ours runs. */
static inline int cpu_has_crc(void) {
    return __builtin_cpu_supports("sse4.2");
}

static inline int cpu_has_streams(void) {
    return __builtin_cpu_supports("pclmul");
}

static inline int cpu_has_folding(void) {
    return __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx2");
}

#elif defined(__aarch64__)

/* The builtins and not <arm_acle.h>, which declares these only if the whole file is compiled for CPUs that have them.
 */
#if defined(__clang__)
#define ARM_CRC __attribute__((target("crc")))
#define CRC8 __builtin_arm_crc32cd
#define CRC4 __builtin_arm_crc32cw
#define CRC1 __builtin_arm_crc32cb
#else
#define ARM_CRC __attribute__((target("+crc")))
#define CRC8 __builtin_aarch64_crc32cx
#define CRC4 __builtin_aarch64_crc32cw
#define CRC1 __builtin_aarch64_crc32cb
#endif

ARM_CRC static uint32_t crc_cpu(uint32_t crc, const uint8_t *p, size_t len) {
    uint32_t c = ~crc;
    if (len & 4) { /* first: what is checked by fours begins 4 bytes into a word, and was stored by words just now */
        c = CRC4(c, load4(p));
        p += 4;
    }
    for (; len >= 8; p += 8, len -= 8)
        c = CRC8(c, load8(p));
    for (len &= 3; len; p++, len--)
        c = CRC1(c, *p);
    return ~c;
}

static inline int cpu_has_crc(void) {
    static _Atomic int known; /* 0 = not asked yet; threads that ask at once find the same answer */
    int k = atomic_load_explicit(&known, memory_order_relaxed);
    if (__builtin_expect(k == 0, 0)) {
        k = (getauxval(AT_HWCAP) & HWCAP_CRC32) ? 1 : -1;
        atomic_store_explicit(&known, k, memory_order_relaxed);
    }
    return k > 0;
}

#else

static inline uint32_t crc_cpu(uint32_t crc, const uint8_t *p, size_t len) {
    return nova_crc32c_portable(crc, p, len);
}

static inline int cpu_has_crc(void) {
    return 0;
}

#endif

uint32_t nova_crc32c(uint32_t crc, const void *data, size_t len) {
#if defined(__x86_64__)
    if (len >= 3 * STREAM && cpu_has_crc() && cpu_has_streams())
        return crc_streams(crc, data, len);
#endif
    if (__builtin_expect(cpu_has_crc(), 1))
        return crc_cpu(crc, data, len);
    return nova_crc32c_portable(crc, data, len);
}

uint32_t nova_crc32c_stream(uint32_t crc, void *dst, const void *src, size_t len) {
    uint8_t *to = dst;
    const uint8_t *from = src;
#if defined(__x86_64__)
    if (__builtin_expect(cpu_has_crc() && cpu_has_streams(), 1)) {
        size_t done = len & ~(size_t)(FOLD - 1);
        if (done >= 2 * FOLD && (uintptr_t)to % 32 == 0 && cpu_has_folding())
            crc = copy_folded(crc, to, from, done);
        else
            done = 0;
        return copy_streams(crc, to + done, from + done, len - done);
    }
#endif
    for (size_t i = 0; i < len; i += 8) {
        uint64_t v = load8(from + i);
        memcpy(to + i, &v, 8);
        crc = nova_crc32c(crc, &v, 8);
    }
    return crc;
}
