/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One input: makes the image, and lets the core at it: fsck, dump, open, a visit, close, open again, fsck. Whatever the
 * image: no crash, no hang, and answers that nova.h knows. If fsck finds no error in it, everything must succeed, and
 * fsck find none afterwards: what open refuses, and what a visit stumbles over, fsck has found. What scanning must stop
 * at in a pool that was not closed, it does.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

static char report[1 << 16];

void fuzz_fail(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fputs("unsound: ", stderr);
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, "\nlast report:\n%s", report);
    va_end(ap);
    abort();
}

void fuzz_status(const char *call, int rc, const struct nova_error *err) {
    if (rc < 0 || rc >= NOVA_STATUS_COUNT)
        fuzz_fail("%s answers %d", call, rc);
    if (rc == NOVA_OK)
        return;
    if (err->code != rc || err->msg[0] == '\0' || memchr(err->msg, '\0', sizeof err->msg) == NULL)
        fuzz_fail("%s answers %d with error %d, message '%.*s'", call, rc, err->code, (int)sizeof err->msg, err->msg);
    if (err->pool_off != NOVA_NO_OFF && err->pool_off >= FUZZ_FILE_MAX)
        fuzz_fail("%s: '%s' at byte %llu", call, err->msg, (unsigned long long)err->pool_off);
    if (rc == NOVA_ENOMEM || rc == NOVA_EINVAL || rc == NOVA_EOS) /* no media may cause these */
        fuzz_fail("%s: %s", call, err->msg);
}

/* ---- the pool file: without a name, so that it is gone with the process ---- */

static struct {
    char path[32];
    int fd;
    uint8_t *map;   /* FUZZ_FILE_MAX bytes; those behind the file's end must not be touched */
    uint8_t *image; /* what the file is to hold */
} file;

static void make_file(void) {
    file.fd = memfd_create("jnova-fuzz", MFD_CLOEXEC);
    file.image = aligned_alloc(FUZZ_BLK, FUZZ_FILE_MAX);
    if (file.fd < 0 || ftruncate(file.fd, (off_t)FUZZ_POOL) != 0 || file.image == NULL)
        fuzz_fail("no memory for a file");
    file.map = mmap(NULL, FUZZ_FILE_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd, 0);
    if (file.map == MAP_FAILED)
        fuzz_fail("cannot map the file");
    memset(file.map, 0, FUZZ_POOL);
    memset(file.image, 0, FUZZ_FILE_MAX);
    snprintf(file.path, sizeof file.path, "/proc/self/fd/%d", file.fd);
}

static const uint8_t zeros[NOVA_BLOCK_SIZE];

/* Copies the blocks that differ: most do not. What lies behind a template's end stays a hole in the file if it can. */
static void copy_changed(uint8_t *to, const uint8_t *from, uint64_t len) {
    for (uint64_t off = 0; off < len; off += FUZZ_BLK) {
        uint64_t n = len - off < FUZZ_BLK ? len - off : FUZZ_BLK;
        if (memcmp(off < FUZZ_POOL ? to + off : zeros, from + off, n) != 0)
            memcpy(to + off, from + off, n);
    }
}

static void set_length(uint64_t len) {
    if (ftruncate(file.fd, (off_t)len) != 0)
        fuzz_fail("cannot set the file's length");
}

static void load(const struct template *t, const uint8_t *records, size_t len, uint64_t *file_len) {
    copy_changed(file.image, t->bytes, FUZZ_POOL);
    *file_len = patch_all(t, file.image, records, len);
    if (*file_len != FUZZ_POOL)
        set_length(*file_len);
    copy_changed(file.map, file.image, *file_len);
}

static void unload(uint64_t file_len) {
    if (file_len == FUZZ_POOL)
        return;
    set_length(FUZZ_POOL);
    if (file_len > FUZZ_POOL) /* only patch_length() writes there */
        memset(file.image + FUZZ_POOL, 0, FUZZ_FILE_MAX - FUZZ_POOL);
}

/* ---- the calls ---- */

/* One line per finding, as nova.h says. */
static void check_report(const struct nova_fsck_summary *sum, size_t needed) {
    uint64_t errors = 0, warnings = 0;
    if (needed >= sizeof report)
        return;
    if (needed != strlen(report))
        fuzz_fail("the report has %zu bytes, not %zu", strlen(report), needed);
    for (const char *line = report; *line != '\0'; line = strchr(line, '\n') + 1) {
        errors += strncmp(line, "error\t", 6) == 0;
        warnings += strncmp(line, "warning\t", 8) == 0;
        if (strchr(line, '\n') == NULL)
            fuzz_fail("a line of the report without end");
    }
    if (errors != sum->errors || warnings != sum->warnings)
        fuzz_fail("%llu errors and %llu warnings counted, others listed", (unsigned long long)sum->errors,
                  (unsigned long long)sum->warnings);
}

static int fsck(struct nova_fsck_summary *sum) {
    struct nova_error err = {0};
    size_t needed;
    int rc = nova_fsck(file.path, report, sizeof report, &needed, sum, &err);
    fuzz_status("nova_fsck", rc, &err);
    if (rc != NOVA_OK)
        return rc;
    check_report(sum, needed);
    if (sum->blocks_used + sum->blocks_free != sum->blocks_total)
        fuzz_fail("used %llu + free %llu != total %llu", (unsigned long long)sum->blocks_used,
                  (unsigned long long)sum->blocks_free, (unsigned long long)sum->blocks_total);
    return NOVA_OK;
}

static void dump(const char *name) {
    static char text[1 << 14];
    struct nova_error err = {0};
    size_t needed;
    int rc = nova_dump(file.path, name, text, sizeof text, &needed, &err);
    fuzz_status("nova_dump", rc, &err);
    if (rc == NOVA_OK && strlen(text) != (needed < sizeof text ? needed : sizeof text - 1))
        fuzz_fail("the dump has %zu bytes, %zu needed", strlen(text), needed);
}

/* Whether the report has an error that a scan must stop at; the names are those that src/check gives. */
static bool must_stop_a_scan(void) {
    static const char *const kinds[] = {"block", "log page", "log pointer", "log tail", "root"};
    char start[32];
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        snprintf(start, sizeof start, "error\t%s\t", kinds[i]);
        if (strstr(report, start) != NULL)
            return true;
    }
    return false;
}

/* Recovery finishes the transactions of the journal before it looks at a log, and may still refuse that then. */
static bool journal_is_empty(uint64_t len) {
    struct media m;
    bool from_replica;
    if (media_attach(&m, file.image, len, &pmem_ops_cpu, &from_replica, NULL) != NOVA_OK)
        return true;
    for (uint32_t i = 0; i < m.journal_count; i++)
        if (memcmp(media_blk(&m, m.journal_blk + i), zeros, sizeof zeros) != 0)
            return false;
    return true;
}

/* Of the file by now: opening cuts off what a resize that was cut short has left. */
static uint64_t length(void) {
    struct stat st;
    if (fstat(file.fd, &st) != 0)
        fuzz_fail("cannot examine the file");
    return (uint64_t)st.st_size;
}

static void run(uint8_t what, uint64_t len) {
    static const char *const names[] = {"many", "two", "long", "dir", "inner", "big", "wide", "nothing"};
    struct nova_fsck_summary before = {0}, after = {0};
    uint64_t free_blks = 0;
    int rc = fsck(&before);
    bool sound = rc == NOVA_OK && before.errors == 0;
    bool refuse = rc == NOVA_OK && before.clean == 0 && must_stop_a_scan();
    dump(NULL);
    dump(names[what % 8]);
    int open_rc = visit_pool(file.path, file.map, what, sound ? &before : NULL, &free_blks);
    if (rc != NOVA_OK && open_rc != rc)
        fuzz_fail("nova_fsck answers %d, nova_pool_open %d", rc, open_rc);
    if (refuse && open_rc == NOVA_OK)
        fuzz_fail("recovery went past what fsck has found");
    if (open_rc != NOVA_OK) {
        if (journal_is_empty(len) && memcmp(file.map, file.image, length()) != 0)
            fuzz_fail("a pool that was not opened (%d) has changed", open_rc);
        return;
    }
    rc = fsck(&after);
    if (sound && (rc != NOVA_OK || after.errors != 0))
        fuzz_fail("a sound pool is damaged after use, fsck answers %d", rc);
    if (sound && after.warnings > before.warnings)
        fuzz_fail("a sound pool has leftovers after use");
    if (sound && (after.clean == 0 || after.blocks_free != free_blks))
        fuzz_fail("closed with %llu blocks free, fsck finds %llu", (unsigned long long)free_blks,
                  (unsigned long long)after.blocks_free);
    visit_pool(file.path, file.map, 0, sound ? &after : NULL, &free_blks);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len) {
    uint32_t templates = template_count();
    uint64_t file_len;
    if (file.map == NULL)
        make_file();
    if (len < 2)
        return 0;
    load(template_get(input[0] % templates), input + 2, len - 2, &file_len);
    run(input[1], file_len);
    unload(file_len);
    return 0;
}
