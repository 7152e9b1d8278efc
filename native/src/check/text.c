/* SPDX-License-Identifier: Apache-2.0 */
#include "check/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void text_free(struct text *t) {
    free(t->buf);
    *t = (struct text){0};
}

/* Makes room for more bytes and a NUL. */
static bool reserve(struct text *t, size_t more) {
    if (t->oom)
        return false;
    size_t need = t->len + more + 1, cap = t->cap == 0 ? 1024 : t->cap;
    if (need <= t->cap)
        return true;
    while (cap < need)
        cap *= 2;
    char *buf = realloc(t->buf, cap);
    if (buf == NULL) {
        t->oom = true;
        return false;
    }
    t->buf = buf;
    t->cap = cap;
    return true;
}

void text_vadd(struct text *t, const char *fmt, va_list ap) {
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    if (n > 0 && reserve(t, (size_t)n)) {
        (void)vsnprintf(t->buf + t->len, (size_t)n + 1, fmt, again);
        t->len += (size_t)n;
    }
    va_end(again);
}

void text_add(struct text *t, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    text_vadd(t, fmt, ap);
    va_end(ap);
}

void text_bytes(struct text *t, const char *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c < 0x20 || c == 0x7f || c == '\\')
            text_add(t, "\\x%02x", c);
        else if (reserve(t, 1))
            t->buf[t->len++] = bytes[i];
    }
    if (reserve(t, 0))
        t->buf[t->len] = '\0';
}

void text_time(struct text *t, int64_t ns) {
    int64_t sec = ns / 1000000000, rest = ns % 1000000000;
    if (rest < 0) {
        rest += 1000000000;
        sec--;
    }
    time_t when = (time_t)sec;
    struct tm tm;
    if (gmtime_r(&when, &tm) == NULL)
        text_add(t, "%lld ns", (long long)ns);
    else
        text_add(t, "%04d-%02d-%02dT%02d:%02d:%02d.%09lldZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                 tm.tm_min, tm.tm_sec, (long long)rest);
}

void text_out(const struct text *t, char *dst, size_t cap, size_t *needed) {
    if (needed != NULL)
        *needed = t->len;
    if (dst == NULL || cap == 0)
        return;
    size_t n = t->len < cap - 1 ? t->len : cap - 1;
    if (n != 0)
        memcpy(dst, t->buf, n);
    dst[n] = '\0';
}
