/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "mutant.h"

const char *mutation_name(enum mutation m) {
    static const char *const names[MUTANT_KINDS] = {"no flush",    "no drain",    "early flush", "early drain",
                                                    "cached copy", "cached zero", "no zero",     "no copy",
                                                    "no store",    "torn store"};
    return names[m];
}

static bool is_store(uint8_t kind) {
    return kind == TRACE_STORE8 || kind == TRACE_COPY || kind == TRACE_ZERO;
}

static bool applies(const struct trace *t, enum mutation m, size_t i) {
    uint8_t kind = t->ev[i].kind, before = i == 0 ? TRACE_BEGIN : t->ev[i - 1].kind;
    switch (m) {
    case MUTANT_NO_FLUSH: return kind == TRACE_FLUSH;
    case MUTANT_NO_DRAIN: return kind == TRACE_DRAIN;
    case MUTANT_EARLY_FLUSH: return kind == TRACE_FLUSH && is_store(before);
    case MUTANT_EARLY_DRAIN: return kind == TRACE_DRAIN && (is_store(before) || before == TRACE_FLUSH);
    case MUTANT_CACHED_COPY:
    case MUTANT_NO_COPY: return kind == TRACE_COPY;
    case MUTANT_CACHED_ZERO:
    case MUTANT_NO_ZERO: return kind == TRACE_ZERO;
    case MUTANT_NO_STORE:
    case MUTANT_TORN_STORE: return kind == TRACE_STORE8;
    case MUTANT_KINDS: break;
    }
    return false;
}

static void remove_event(struct trace *t, size_t i) {
    t->n--;
    memmove(t->ev + i, t->ev + i + 1, (t->n - i) * sizeof *t->ev);
}

bool mutant_make(const struct trace *t, enum mutation m, size_t i, struct trace *out) {
    if (!applies(t, m, i))
        return false;
    *out = *t;
    out->cap = t->n + 1;
    out->ev = malloc(out->cap * sizeof *out->ev);
    if (out->ev == NULL)
        abort();
    memcpy(out->ev, t->ev, t->n * sizeof *out->ev);
    switch (m) {
    case MUTANT_EARLY_FLUSH:
    case MUTANT_EARLY_DRAIN:
        out->ev[i - 1] = t->ev[i];
        out->ev[i] = t->ev[i - 1];
        break;
    case MUTANT_CACHED_COPY:
    case MUTANT_CACHED_ZERO: out->ev[i].unflushed = true; break;
    case MUTANT_TORN_STORE:
        memmove(out->ev + i + 1, out->ev + i, (t->n - i) * sizeof *out->ev);
        out->n++;
        out->ev[i].mask = 0x1f;
        out->ev[i + 1].mask = 0xe0;
        break;
    case MUTANT_NO_FLUSH:
    case MUTANT_NO_DRAIN:
    case MUTANT_NO_ZERO:
    case MUTANT_NO_COPY:
    case MUTANT_NO_STORE:
    case MUTANT_KINDS: remove_event(out, i); break;
    }
    return true;
}

void mutant_free(struct trace *out) {
    free(out->ev);
}
