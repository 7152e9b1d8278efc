/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rng.h"
#include "util/crc32c.h"

/* One bit at a time, straight from the definition. */
static uint32_t crc_naive(uint32_t crc, const uint8_t *p, size_t len) {
    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= p[i];
        for (int b = 0; b < 8; b++)
            crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

/* RFC 3720, appendix B.4, and the check value of the catalogue of parametrised CRCs. */
static void known_answers(void **state) {
    (void)state;
    uint8_t buf[32];
    uint32_t (*const fns[])(uint32_t, const void *, size_t) = {nova_crc32c, nova_crc32c_portable};
    for (size_t f = 0; f < 2; f++) {
        assert_int_equal(fns[f](0, "123456789", 9), 0xe3069283u);
        assert_int_equal(fns[f](0, "", 0), 0);
        memset(buf, 0, sizeof buf);
        assert_int_equal(fns[f](0, buf, 32), 0x8a9136aau);
        memset(buf, 0xff, sizeof buf);
        assert_int_equal(fns[f](0, buf, 32), 0x62a8ab43u);
        for (uint8_t i = 0; i < 32; i++)
            buf[i] = i;
        assert_int_equal(fns[f](0, buf, 32), 0x46dd794eu);
        for (uint8_t i = 0; i < 32; i++)
            buf[i] = (uint8_t)(31 - i);
        assert_int_equal(fns[f](0, buf, 32), 0x113fdb5cu);
    }
}

static void every_length_and_alignment(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    uint8_t buf[200];
    for (size_t i = 0; i < sizeof buf; i++)
        buf[i] = (uint8_t)rng_next(&r);
    for (size_t at = 0; at < 16; at++) {
        for (size_t len = 0; at + len <= sizeof buf; len++) {
            uint32_t start = (uint32_t)rng_next(&r), want = crc_naive(start, buf + at, len);
            assert_int_equal(nova_crc32c(start, buf + at, len), want);
            assert_int_equal(nova_crc32c_portable(start, buf + at, len), want);
        }
    }
}

/* Long enough for several streams, a few times over. */
static void lengths_around_those_of_streams(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    static uint8_t buf[5000];
    for (size_t i = 0; i < sizeof buf; i++)
        buf[i] = (uint8_t)rng_next(&r);
    for (size_t len = 900; len + 16 <= sizeof buf; len += 1 + rng_next(&r) % 24) {
        size_t at = rng_next(&r) % 16;
        uint32_t start = (uint32_t)rng_next(&r), want = crc_naive(start, buf + at, len);
        assert_int_equal(nova_crc32c(start, buf + at, len), want);
        assert_int_equal(nova_crc32c_portable(start, buf + at, len), want);
    }
}

/* Each length and each place of the destination: whatever way the CPU has for them. */
static void copies_come_with_their_crc(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    static uint8_t src[4200], dst[4400] __attribute__((aligned(64)));
    for (size_t i = 0; i < sizeof src; i++)
        src[i] = (uint8_t)rng_next(&r);
    for (size_t len = 0; len <= 4160; len += 8) {
        size_t to = 64 + (len / 8 % 3 != 0 ? 8 * (rng_next(&r) % 8) : 0), from = rng_next(&r) % 16;
        uint32_t start = (uint32_t)rng_next(&r);
        memset(dst, 0x5A, sizeof dst);
        assert_int_equal(nova_crc32c_stream(start, dst + to, src + from, len), crc_naive(start, src + from, len));
        assert_memory_equal(dst + to, src + from, len);
        for (size_t i = 0; i < sizeof dst; i++)
            if (i < to || i >= to + len)
                assert_int_equal(dst[i], 0x5A);
    }
}

static void pieces_equal_the_whole(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    static uint8_t buf[100000];
    for (size_t i = 0; i < sizeof buf; i++)
        buf[i] = (uint8_t)rng_next(&r);
    uint32_t want = nova_crc32c(0, buf, sizeof buf), fast = 0, slow = 0;
    assert_int_equal(want, crc_naive(0, buf, sizeof buf));
    for (size_t at = 0; at < sizeof buf;) {
        size_t n = 1 + rng_below(&r, 5000);
        n = n < sizeof buf - at ? n : sizeof buf - at;
        fast = nova_crc32c(fast, buf + at, n);
        slow = nova_crc32c_portable(slow, buf + at, n);
        at += n;
    }
    assert_int_equal(fast, want);
    assert_int_equal(slow, want);
}

static void every_flipped_bit_shows(void **state) {
    (void)state;
    uint8_t buf[60] = {1, 2, 3};
    uint32_t want = nova_crc32c(0, buf, sizeof buf);
    for (size_t bit = 0; bit < 8 * sizeof buf; bit++) {
        buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(nova_crc32c(0, buf, sizeof buf), want);
        buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(every_length_and_alignment),
        cmocka_unit_test(lengths_around_those_of_streams),
        cmocka_unit_test(copies_come_with_their_crc),
        cmocka_unit_test(pieces_equal_the_whole),
        cmocka_unit_test(every_flipped_bit_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
