/* SPDX-License-Identifier: Apache-2.0 */
/* Filling nova_error: one call that also returns the status, so that failing is one statement. */
#ifndef NOVA_UTIL_ERROR_H
#define NOVA_UTIL_ERROR_H

#include "nova.h"

/* Fills err (may be NULL) with a formatted sentence and returns code. */
int nova_fail(struct nova_error *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4), cold));

/* The same, naming the byte offset in the pool of the damaged structure. */
int nova_fail_at(struct nova_error *err, int code, uint64_t pool_off, const char *fmt, ...)
    __attribute__((format(printf, 4, 5), cold));

/* The same for a failed system call: appends the description of os_errno. */
int nova_fail_os(struct nova_error *err, int code, int os_errno, const char *fmt, ...)
    __attribute__((format(printf, 4, 5), cold));

#endif
