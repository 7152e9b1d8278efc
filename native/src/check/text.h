/* SPDX-License-Identifier: Apache-2.0 */
/* Text that grows, for reports. Once memory is short it stays as it is and says so. */
#ifndef NOVA_CHECK_TEXT_H
#define NOVA_CHECK_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text { /* zero-initialise */
    char *buf;
    size_t len, cap;
    bool oom;
};

void text_free(struct text *t);
void text_add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_vadd(struct text *t, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* Appends bytes from the media, control characters and '\' as \xNN, so that a line stays a line. */
void text_bytes(struct text *t, const char *bytes, size_t len);

/* Appends a time in ns since the epoch as UTC, ISO 8601. */
void text_time(struct text *t, int64_t ns);

/* Copies at most cap bytes including a NUL to dst; *needed (or NULL) becomes the whole length without it. */
void text_out(const struct text *t, char *dst, size_t cap, size_t *needed);

#endif
