/* SPDX-License-Identifier: Apache-2.0 */
/* The byte tables of native/FORMAT.md against layout.h: every field is there with its offset and size, and no other
 * row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/layout.h"

struct field {
    const char *type; /* the table follows the first mention of it */
    const char *name;
    size_t off, size;
};

#define F(type, field)                                                                                                 \
    { #type, #field, offsetof(struct type, field), sizeof(((struct type *)0)->field) }
/* Bodies are numbered from the start of the entry. */
#define B(type, field)                                                                                                 \
    { #type, #field, FMT_PAYLOAD_OFF + offsetof(struct type, field), sizeof(((struct type *)0)->field) }

static const struct field fields[] = {
    F(fmt_sb, magic),
    F(fmt_sb, version),
    F(fmt_sb, block_size),
    F(fmt_sb, incompat),
    F(fmt_sb, ro_compat),
    F(fmt_sb, compat),
    F(fmt_sb, uuid),
    F(fmt_sb, size),
    F(fmt_sb, created),
    F(fmt_sb, seq),
    F(fmt_sb, state_blk),
    F(fmt_sb, journal_blk),
    F(fmt_sb, journal_count),
    F(fmt_sb, itable_blk),
    F(fmt_sb, itable_count),
    F(fmt_sb, snap_blk),
    F(fmt_sb, snap_count),
    F(fmt_sb, data_blk),
    F(fmt_sb, data_end),
    F(fmt_sb, grow_to),
    F(fmt_sb, zero),
    F(fmt_sb, crc),
    F(fmt_state, magic),
    F(fmt_state, state),
    F(fmt_state, seq),
    F(fmt_state, time),
    F(fmt_state, snap_seq),
    F(fmt_state, blocks_free),
    F(fmt_state, inodes_used),
    F(fmt_state, zero),
    F(fmt_state, zero2),
    F(fmt_state, crc),
    F(fmt_inode, crc),
    F(fmt_inode, magic),
    F(fmt_inode, type),
    F(fmt_inode, zero0),
    F(fmt_inode, ino),
    F(fmt_inode, gen),
    F(fmt_inode, mode),
    F(fmt_inode, uid),
    F(fmt_inode, gid),
    F(fmt_inode, zero1),
    F(fmt_inode, btime),
    F(fmt_inode, zero2),
    F(fmt_inode, head),
    F(fmt_inode, tail),
    F(fmt_inode, lines),
    F(fmt_page_tail, magic),
    F(fmt_page_tail, ino),
    F(fmt_page_tail, gen),
    F(fmt_page_tail, zero),
    F(fmt_page_tail, crc),
    F(fmt_page_tail, next),
    F(fmt_entry, crc),
    F(fmt_entry, kind),
    F(fmt_entry, lines),
    F(fmt_entry, zero),
    F(fmt_entry, ino),
    F(fmt_entry, gen),
    F(fmt_entry, seq),
    F(fmt_entry, payload),
    B(fmt_write_body, pgoff),
    B(fmt_write_body, blk),
    B(fmt_write_body, count),
    B(fmt_write_body, size),
    B(fmt_write_body, mtime),
    B(fmt_write_body, data_crc),
    B(fmt_write_body, data_len),
    B(fmt_range_body, pgoff),
    B(fmt_range_body, count),
    B(fmt_range_body, size),
    B(fmt_range_body, mtime),
    B(fmt_range_body, zero),
    B(fmt_setattr_body, mask),
    B(fmt_setattr_body, mode),
    B(fmt_setattr_body, uid),
    B(fmt_setattr_body, gid),
    B(fmt_setattr_body, atime),
    B(fmt_setattr_body, mtime),
    B(fmt_setattr_body, ctime),
    B(fmt_dentry_body, ino),
    B(fmt_dentry_body, gen),
    B(fmt_dentry_body, time),
    B(fmt_dentry_body, type),
    B(fmt_dentry_body, name_len),
    B(fmt_dentry_body, zero),
    B(fmt_dentry_body, name),
    B(fmt_link_body, nlink),
    B(fmt_link_body, zero),
    B(fmt_link_body, ctime),
    B(fmt_link_body, zero2),
    B(fmt_xattr_body, ctime),
    B(fmt_xattr_body, value_len),
    B(fmt_xattr_body, value_crc),
    B(fmt_xattr_body, name_len),
    B(fmt_xattr_body, op),
    B(fmt_xattr_body, extents),
    B(fmt_xattr_body, zero),
    B(fmt_xattr_body, name),
    F(fmt_journal, crc),
    F(fmt_journal, magic),
    F(fmt_journal, count),
    F(fmt_journal, zero),
    F(fmt_journal, moves),
    F(fmt_journal, zero2),
    F(fmt_move, ino),
    F(fmt_move, gen),
    F(fmt_move, from),
    F(fmt_move, to),
    F(fmt_snap, magic),
    F(fmt_snap, index),
    F(fmt_snap, seq),
    F(fmt_snap, zero),
    F(fmt_snap, crc),
    F(fmt_snap, payload),
};
#define FIELDS (sizeof fields / sizeof fields[0])

static char *read_doc(void) {
    char path[1024];
    const char *end = strstr(__FILE__, "test/unit/");
    assert_non_null(end);
    snprintf(path, sizeof path, "%.*sFORMAT.md", (int)(end - __FILE__), __FILE__);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        fail_msg("cannot open %s", path);
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
    fclose(f);
    return text;
}

/* Rows "| offset | size | `name` |" of the table behind the first mention of `type`, compared with the fields from i
 * on. */
static size_t check_table(const char *text, size_t i) {
    const char *type = fields[i].type;
    char mention[64];
    snprintf(mention, sizeof mention, "`%s`", type);
    const char *p = strstr(text, mention);
    if (p == NULL)
        fail_msg("%s is not described", type);
    p = p == NULL ? "" : strstr(p, "| offset | size | field |");
    assert_non_null(p);
    p = strchr(strchr(p, '\n') + 1, '\n') + 1; /* behind the heading and the rule */
    for (; *p == '|'; p = strchr(p, '\n') + 1, i++) {
        unsigned off, size;
        char name[32];
        if (sscanf(p, "| %u | %u | `%31[a-z0-9_]` |", &off, &size, name) != 3)
            fail_msg("%s: no table row: %.60s", type, p);
        if (i == FIELDS || strcmp(fields[i].type, type) != 0 || strcmp(fields[i].name, name) != 0 ||
            fields[i].off != off || fields[i].size != size)
            fail_msg("%s: row '%s' at %u, %u bytes, is not what layout.h has next", type, name, off, size);
    }
    if (i < FIELDS && strcmp(fields[i].type, type) == 0)
        fail_msg("%s: no row for '%s'", type, fields[i].name);
    return i;
}

static void tables_agree(void **state) {
    (void)state;
    char *text = read_doc();
    for (size_t i = 0; i < FIELDS;)
        i = check_table(text, i);
    free(text);
}

/* Fields of a structure follow one another without gaps, so none has been left out above. */
static void fields_are_complete(void **state) {
    (void)state;
    for (size_t i = 0; i + 1 < FIELDS; i++)
        if (strcmp(fields[i].type, fields[i + 1].type) == 0)
            assert_int_equal(fields[i].off + fields[i].size, fields[i + 1].off);
}

static void constants_agree(void **state) {
    (void)state;
    char *text = read_doc();
    const struct {
        int digits;
        unsigned long long value;
    } hex[] = {
        {16, FMT_SB_MAGIC}, {8, FMT_STATE_MAGIC}, {8, FMT_SNAP_MAGIC}, {8, FMT_PAGE_MAGIC}, {4, FMT_INODE_MAGIC}};
    for (size_t i = 0; i < sizeof hex / sizeof hex[0]; i++) {
        char want[32];
        snprintf(want, sizeof want, "`0x%0*llx`", hex[i].digits, hex[i].value);
        if (strstr(text, want) == NULL)
            fail_msg("%s is not mentioned", want);
    }
    assert_int_equal(FMT_SNAP_PAYLOAD * 8, 32256);
    assert_int_equal(FMT_PTRS_PER_BLK * FMT_SLOTS_PER_BLK, 8192);
    assert_int_equal(FMT_STATE_SLOT_OFF, 2048);
    assert_int_equal(FMT_JOURNAL_BLKS, 16);
    assert_int_equal(FMT_PAGE_LINES, 63);
    assert_int_equal(FMT_INLINE_LINES, 3);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_agree),
        cmocka_unit_test(fields_are_complete),
        cmocka_unit_test(constants_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
