/* SPDX-License-Identifier: Apache-2.0 */
#include "util/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *nova_strerror(int status) {
    switch (status) {
    case NOVA_OK: return "success";
    case NOVA_EINVAL: return "an argument is out of range";
    case NOVA_ENOMEM: return "the process has no memory left";
    case NOVA_ENOSPC: return "no space left in the pool";
    case NOVA_EOS: return "the operating system refused";
    case NOVA_EEXIST: return "the pool file exists already";
    case NOVA_ENOENT: return "no such pool file or inode";
    case NOVA_EBUSY: return "open already";
    case NOVA_ENOTPOOL: return "the file is not a pool";
    case NOVA_EVERSION: return "a format version or feature unknown to this build";
    case NOVA_ETRUNCATED: return "the file's length differs from what its superblock says";
    case NOVA_ECORRUPT: return "a structure in the pool is damaged";
    case NOVA_ESTALE: return "the inode's log must be replayed first, or the inode is gone";
    case NOVA_EFBIG: return "beyond the largest size";
    case NOVA_ENAME: return "not a valid name";
    case NOVA_EACCES: return "no permission for the pool file";
    case NOVA_EISDIR: return "a directory where a file is needed";
    case NOVA_ENOTDIR: return "a file where a directory is needed";
    case NOVA_ELINKED: return "the inode may have several names: its handle is needed";
    case NOVA_EMLINK: return "the inode has as many names as there can be";
    default: return "unknown status";
    }
}

/* File names reach messages, so control characters (a newline would break line-wise reports) are replaced here. */
static void clean(char *msg) {
    for (char *p = msg; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
}

static void fill(struct nova_error *err, int code, int os_errno, uint64_t pool_off, const char *fmt, va_list ap)
    __attribute__((format(printf, 5, 0)));

static void fill(struct nova_error *err, int code, int os_errno, uint64_t pool_off, const char *fmt, va_list ap) {
    err->code = code;
    err->os_errno = os_errno;
    err->pool_off = pool_off;
    if (vsnprintf(err->msg, sizeof err->msg, fmt, ap) < 0)
        err->msg[0] = '\0';
    if (os_errno) {
        char text[128];
        size_t len = strlen(err->msg);
        (void)snprintf(err->msg + len, sizeof err->msg - len, ": %s", strerror_r(os_errno, text, sizeof text));
    }
    clean(err->msg);
}

int nova_fail(struct nova_error *err, int code, const char *fmt, ...) {
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        fill(err, code, 0, NOVA_NO_OFF, fmt, ap);
        va_end(ap);
    }
    return code;
}

int nova_fail_at(struct nova_error *err, int code, uint64_t pool_off, const char *fmt, ...) {
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        fill(err, code, 0, pool_off, fmt, ap);
        va_end(ap);
    }
    return code;
}

int nova_fail_os(struct nova_error *err, int code, int os_errno, const char *fmt, ...) {
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        fill(err, code, os_errno, NOVA_NO_OFF, fmt, ap);
        va_end(ap);
    }
    return code;
}
