/* SPDX-License-Identifier: Apache-2.0 */
/* nova_abi() says everything that nova.h does: the header is read, roughly, and compared. Also versions and status
 * texts. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nova.h"

static char *header, *abi;

static char *read_header(void) {
    char path[4096];
    const char *slash = strrchr(__FILE__, '/');
    assert_non_null(slash);
    (void)snprintf(path, sizeof path, "%.*s/../../include/nova.h", (int)(slash - __FILE__), __FILE__);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        fail_msg("cannot read %s", path);
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, f) > 1000);
    fclose(f);
    for (char *p; (p = strstr(text, "/*")) != NULL;) { /* comments become spaces */
        char *end = strstr(p, "*/");
        assert_non_null(end);
        memset(p, ' ', (size_t)(end + 2 - p));
    }
    return text;
}

static int set_up(void **state) {
    (void)state;
    header = read_header();
    size_t len = nova_abi(NULL, 0);
    abi = malloc(len + 1);
    assert_non_null(abi);
    assert_int_equal(nova_abi(abi, len + 1), len);
    assert_int_equal(strlen(abi), len);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    free(header);
    free(abi);
    return 0;
}

/* The value of a name, or fails. */
static long long value(const char *kind, const char *name) {
    char key[200];
    int n = snprintf(key, sizeof key, "\n%s.%s=", kind, name);
    const char *p = strncmp(abi, key + 1, (size_t)n - 1) == 0 ? abi - 1 : strstr(abi, key);
    if (p == NULL)
        fail_msg("nova_abi() does not say %s.%s", kind, name);
    return strtoll(p + n, NULL, 10);
}

static size_t word(const char *p, char *out, size_t cap) {
    size_t n = 0;
    while ((isalnum((unsigned char)p[n]) || p[n] == '_') && n + 1 < cap) {
        out[n] = p[n];
        n++;
    }
    out[n] = 0;
    return n;
}

static void every_line_once(void **state) {
    (void)state;
    unsigned lines = 0;
    for (const char *p = abi; *p != 0; lines++) {
        const char *eq = strchr(p, '='), *nl = strchr(p, '\n');
        assert_true(eq != NULL && nl != NULL && eq < nl);
        assert_true(strncmp(p, "const.", 6) == 0 || strncmp(p, "sizeof.", 7) == 0 || strncmp(p, "offset.", 7) == 0);
        size_t key = (size_t)(eq + 1 - p);
        for (const char *q = nl + 1; *q != 0; q = strchr(q, '\n') + 1)
            assert_true(strncmp(p, q, key) != 0);
        p = nl + 1;
    }
    assert_true(lines > 100);
}

/* enum { NAME = value, ... }: each value is a number in the header. */
static void every_enumerator(void **state) {
    (void)state;
    unsigned n = 0;
    for (const char *p = header; (p = strstr(p, "\nenum ")) != NULL; p++) {
        const char *end = strchr(p, '}');
        for (const char *q = strchr(p, '{'); (q = strstr(q, "NOVA_")) != NULL && q < end;) {
            char name[64];
            q += word(q, name, sizeof name);
            const char *eq = q + strspn(q, " ");
            assert_int_equal(*eq, '=');
            assert_int_equal(value("const", name), strtoll(eq + 1, NULL, 10));
            n++;
        }
    }
    assert_int_equal(n, NOVA_STATUS_COUNT + 1 + 3 + 3 + 11);
}

/* #define NOVA_X number: all but those that are no integer of the interface. */
static void every_constant(void **state) {
    (void)state;
    unsigned n = 0;
    for (const char *p = header; (p = strstr(p, "\n#define NOVA_")) != NULL; p++) {
        char name[64];
        const char *q = p + strlen("\n#define ");
        q += word(q, name, sizeof name);
        q += strspn(q, " ");
        long long base, shift = 0;
        if (sscanf(q, "(%lldLL << %lld)", &base, &shift) == 2 || sscanf(q, "%lli", &base) == 1) {
            assert_int_equal(value("const", name), base << shift);
            n++;
        } else {
            assert_true(strcmp(name, "NOVA_H") == 0 || strcmp(name, "NOVA_API") == 0 ||
                        strcmp(name, "NOVA_NO_OFF") == 0);
        }
    }
    assert_true(n >= 16);
}

/* struct nova_x { type a, b[n]; ... }: size and each field but the reserved ones. nova_record's union is said by hand
 * below. */
static void every_field(void **state) {
    (void)state;
    unsigned structs = 0, fields = 0;
    for (const char *p = header; (p = strstr(p, "\nstruct nova_")) != NULL; p++) {
        char type[64], name[64], key[200];
        const char *q = p + strlen("\nstruct ");
        q += word(q, type, sizeof type);
        if (q[0] != ' ' || q[1] != '{')
            continue;
        structs++;
        assert_true(value("sizeof", type) > 0);
        const char *end = strstr(q, "\n};");
        long long last = -1;
        for (const char *semi = q; (semi = strchr(semi + 1, ';')) != NULL && semi < end;) {
            const char *line = semi, *members = strstr(q, " union ");
            if (members != NULL && members < semi)
                break;
            while (line[-1] != ';' && line[-1] != '{')
                line--;
            /* The names: each identifier followed by ',', ';' or '['. */
            for (const char *c = line; c <= semi; c++) {
                if (*c != ',' && *c != ';' && *c != '[')
                    continue;
                const char *start = c;
                while (isalnum((unsigned char)start[-1]) || start[-1] == '_')
                    start--;
                word(start, name, sizeof name);
                if (name[0] == 0 || isdigit((unsigned char)name[0]) || strncmp(name, "reserved", 8) == 0 ||
                    strncmp(name, "NOVA_", 5) == 0)
                    continue;
                (void)snprintf(key, sizeof key, "%s.%s", type, name);
                long long off = value("offset", key);
                assert_true(off > last); /* in the order of the header */
                last = off;
                fields++;
                if (*c == '[')
                    c = strchr(c, ']');
            }
        }
    }
    assert_int_equal(structs, 14);
    assert_true(fields > 65);
    static const char *const members[] = {
        "write.pgoff",   "write.blk",      "write.count",     "write.size",  "write.mtime",     "attr.mask",
        "attr.mode",     "attr.uid",       "attr.gid",        "attr.atime",  "attr.mtime",      "attr.ctime",
        "dentry.ino",    "dentry.gen",     "dentry.type",     "xattr.ctime", "xattr.value_len", "xattr.blocks",
        "xattr.removed", "xattr.name_len", "xattr.name",      "range.pgoff", "range.count",     "range.size",
        "range.mtime",   "dentry.time",    "dentry.name_len", "dentry.name", "link.nlink",      "link.ctime"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        char key[200];
        (void)snprintf(key, sizeof key, "nova_record.%s", members[i]);
        assert_true(value("offset", key) >= 24);
    }
}

static void records_have_the_size_they_claim(void **state) {
    (void)state;
    assert_int_equal(sizeof(struct nova_record), NOVA_RECORD_SIZE);
    assert_int_equal(value("sizeof", "nova_record"), NOVA_RECORD_SIZE);
    assert_int_equal(value("offset", "nova_record.dentry.name"), offsetof(struct nova_record, u.dentry.name));
    assert_true(offsetof(struct nova_record, u.dentry.name) + NOVA_NAME_MAX <=
                NOVA_RECORDS_MAX * sizeof(struct nova_record));
    assert_true(offsetof(struct nova_record, u.xattr.name) + NOVA_NAME_MAX <=
                NOVA_RECORDS_MAX * sizeof(struct nova_record));
    assert_int_equal(sizeof((struct nova_io *)NULL)->frees / sizeof(struct nova_extent), NOVA_IO_FREES);
    assert_int_equal(sizeof((struct nova_io *)NULL)->records / sizeof(struct nova_record), NOVA_IO_RECORDS);
}

/* With any capacity: a string, not a byte beyond it, and a prefix of the whole, in whole lines. */
static void short_buffers(void **state) {
    (void)state;
    size_t len = strlen(abi);
    for (size_t cap = 0; cap <= len + 2; cap++) {
        char *buf = malloc(cap + 1); /* under ASan the end is watched */
        assert_non_null(buf);
        memset(buf, 'x', cap + 1);
        assert_int_equal(nova_abi(buf, cap), len);
        assert_int_equal(buf[cap], 'x');
        if (cap != 0) {
            size_t n = strnlen(buf, cap);
            assert_true(n < cap);
            assert_memory_equal(buf, abi, n);
            assert_true(n == 0 || buf[n - 1] == '\n');
            assert_true(cap <= len || n == len);
        }
        free(buf);
    }
}

static void texts(void **state) {
    (void)state;
    const char *unknown = nova_strerror(NOVA_STATUS_COUNT);
    assert_non_null(unknown);
    for (int code = 0; code < NOVA_STATUS_COUNT; code++) {
        assert_non_null(nova_strerror(code));
        assert_string_not_equal(nova_strerror(code), unknown);
    }
    assert_string_equal(nova_strerror(INT32_MAX), unknown);
    assert_string_equal(nova_strerror(INT32_MIN), unknown);
    unsigned major, minor, patch;
    assert_int_equal(sscanf(nova_version(), "%u.%u.%u", &major, &minor, &patch), 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_once),
        cmocka_unit_test(every_enumerator),
        cmocka_unit_test(every_constant),
        cmocka_unit_test(every_field),
        cmocka_unit_test(records_have_the_size_they_claim),
        cmocka_unit_test(short_buffers),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
