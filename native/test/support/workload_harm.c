/* SPDX-License-Identifier: Apache-2.0 */
/* What befalls the pool of a workload (workload.h) beside calls. */
#include <stdio.h>
#include <stdlib.h>

#include "crash_image.h"
#include "format/media.h"
#include "workload.h"

static void put_pool(struct world *w, const uint8_t *bytes, uint64_t len) {
    FILE *f = fopen(w->path, "wb");
    if (f == NULL || fwrite(bytes, 1, len, f) != len || fclose(f) != 0)
        abort();
}

void crash_in_call(struct world *w, uint32_t drains, uint32_t lines, bool after) {
    struct crash_cursor c;
    const struct trace *t = &w->trace;
    uint32_t op = t->ops_n - 1, seen = 0;
    record_end(w);
    crash_pool(w);
    crash_cursor_init(&c, t);
    while (c.at < t->n && !(t->ev[c.at].kind == TRACE_BEGIN && t->ev[c.at].op == op))
        crash_cursor_step(&c);
    while (c.at < t->n && !(seen == drains && t->ev[c.at].kind == TRACE_DRAIN)) {
        seen += t->ev[c.at].kind == TRACE_DRAIN;
        crash_cursor_step(&c);
    }
    for (uint32_t i = 0; i < lines && i < c.line_n; i++)
        crash_image_all(&c, i);
    put_pool(w, c.image, c.file_len);
    w->now[0] = after ? t->ops[op].model_after : t->ops[op].model_before;
    crash_cursor_free(&c);
    trace_free(&w->trace);
}

void downgrade(struct world *w) {
    const uint64_t at[] = {0, w->s.len - NOVA_BLOCK_SIZE};
    struct fmt_sb sb;
    FILE *f = fopen(w->path, "r+b");
    for (int i = 0; i < 2; i++) {
        if (f == NULL || fseek(f, (long)at[i], SEEK_SET) != 0 || fread(&sb, sizeof sb, 1, f) != 1)
            abort();
        sb.incompat &= ~(uint64_t)FMT_INCOMPAT_ALL;
        fmt_sb_seal(&sb);
        if (fseek(f, (long)at[i], SEEK_SET) != 0 || fwrite(&sb, sizeof sb, 1, f) != 1)
            abort();
    }
    fclose(f);
    w->damaged = true; /* while one superblock has the bit, the other one is another */
}

void damage(struct world *w, uint64_t off) {
    FILE *f = fopen(w->path, "r+b");
    int byte;
    w->damaged = true;
    if (f == NULL || fseek(f, (long)off, SEEK_SET) != 0 || (byte = fgetc(f)) == EOF ||
        fseek(f, (long)off, SEEK_SET) != 0 || fputc(byte ^ 0x10, f) == EOF || fclose(f) != 0)
        abort();
}
