/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "crash_image.h"

#define WORD 8u
#define WORDS_PER_LINE (CRASH_LINE / WORD)
#define NON_TEMPORAL 256u /* libpmem's default threshold: shorter copies go through the cache */

struct crash_undo {
    uint32_t word;
    uint64_t val;
};

static uint64_t mix(uint64_t z) {
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t crash_random(uint64_t *state) {
    return mix(*state += 0x9e3779b97f4a7c15u);
}

/* An image's hash is the sum of its words' hashes, so that a changed word costs two of these. */
static uint64_t word_hash(uint32_t word, uint64_t val) {
    return mix(val + (word + 1u) * 0x9e3779b97f4a7c15u);
}

static uint64_t word_get(const struct crash_cursor *c, uint32_t word) {
    uint64_t v;
    memcpy(&v, c->image + (size_t)word * WORD, WORD);
    return v;
}

static void word_set(struct crash_cursor *c, uint32_t word, uint64_t val) {
    c->hash += word_hash(word, val) - word_hash(word, word_get(c, word));
    memcpy(c->image + (size_t)word * WORD, &val, WORD);
}

static uint64_t bytes_of(uint8_t mask) {
    uint64_t bytes = 0;
    for (unsigned i = 0; i < WORD; i++)
        if (mask >> i & 1)
            bytes |= (uint64_t)0xff << 8 * i;
    return bytes;
}

static void put_piece(struct crash_cursor *c, const struct crash_piece *p) {
    uint64_t bytes = bytes_of(p->mask);
    word_set(c, p->word, (word_get(c, p->word) & ~bytes) | (p->val & bytes));
}

/* ---- the cursor ---- */

void crash_cursor_init(struct crash_cursor *c, const struct trace *t) {
    *c = (struct crash_cursor){.t = t,
                               .image = malloc(t->len),
                               .file_len = t->file_len,
                               .line_of = calloc(t->len / CRASH_LINE, sizeof(uint32_t))};
    if (c->image == NULL || c->line_of == NULL)
        abort();
    memcpy(c->image, t->start, t->len);
    for (uint32_t w = 0; w < t->len / WORD; w++)
        c->hash += word_hash(w, word_get(c, w));
}

void crash_cursor_free(struct crash_cursor *c) {
    for (uint32_t i = 0; i < c->line_cap; i++)
        free(c->line[i].piece);
    free(c->line);
    free(c->line_of);
    free(c->image);
    free(c->undo);
    *c = (struct crash_cursor){0};
}

static struct crash_line *line_get(struct crash_cursor *c, uint32_t no) {
    if (c->line_of[no] != 0)
        return &c->line[c->line_of[no] - 1];
    if (c->line_n == c->line_cap) {
        uint32_t cap = c->line_cap == 0 ? 64 : c->line_cap * 2;
        c->line = realloc(c->line, cap * sizeof *c->line);
        if (c->line == NULL)
            abort();
        memset(c->line + c->line_cap, 0, (cap - c->line_cap) * sizeof *c->line);
        c->line_cap = cap;
    }
    struct crash_line *l = &c->line[c->line_n++];
    l->no = no;
    l->n = 0;
    c->line_of[no] = c->line_n;
    return l;
}

static void line_drop(struct crash_cursor *c, uint32_t i) {
    struct crash_line gone = c->line[i];
    c->line_of[gone.no] = 0;
    c->line_n--;
    if (i != c->line_n) {
        c->line[i] = c->line[c->line_n];
        c->line_of[c->line[i].no] = i + 1;
    }
    c->line[c->line_n] = gone; /* its array is used again */
}

static void piece_add(struct crash_cursor *c, const struct crash_piece *p) {
    struct crash_line *l = line_get(c, p->word / WORDS_PER_LINE);
    if (l->n == l->cap) {
        l->cap = l->cap == 0 ? WORDS_PER_LINE : l->cap * 2;
        l->piece = realloc(l->piece, l->cap * sizeof *l->piece);
        if (l->piece == NULL)
            abort();
    }
    l->piece[l->n++] = *p;
}

static void flush_lines(struct crash_cursor *c, uint64_t off, uint64_t len, uint8_t actor) {
    for (uint64_t no = off / CRASH_LINE; len != 0 && no <= (off + len - 1) / CRASH_LINE; no++) {
        if (c->line_of[no] == 0)
            continue;
        struct crash_line *l = &c->line[c->line_of[no] - 1];
        for (uint32_t i = 0; i < l->n; i++)
            l->piece[i].flushed |= (uint8_t)(1u << actor);
    }
}

static void add_range(struct crash_cursor *c, const struct trace_event *e) {
    const uint8_t *from = e->kind == TRACE_COPY ? c->t->bytes + e->data : NULL;
    uint64_t off = e->off, end = e->off + e->len;
    bool lines = e->kind == TRACE_COPY && e->off % CRASH_LINE == 0 && e->len % CRASH_LINE == 0;
    bool loose = (e->len >= NON_TEMPORAL || lines) && !e->unflushed;
    while (off < end) {
        uint32_t shift = (uint32_t)(off % WORD);
        uint32_t n = WORD - shift < end - off ? WORD - shift : (uint32_t)(end - off);
        struct crash_piece p = {.word = (uint32_t)(off / WORD), .event = (uint32_t)c->at, .loose = loose};
        p.mask = (uint8_t)(((1u << n) - 1) << shift);
        p.splits = n < WORD;
        if (from != NULL) {
            memcpy((uint8_t *)&p.val + shift, from, n);
            from += n;
        }
        if (loose)
            p.flushed = (uint8_t)(1u << e->actor);
        piece_add(c, &p);
        off += n;
    }
    if (!loose && !e->unflushed)
        flush_lines(c, e->off, e->len, e->actor);
}

/* Moves the line's pieces that the actor flushed into the image for good. */
static void settle(struct crash_cursor *c, struct crash_line *l, uint8_t actor) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < l->n; i++) {
        const struct crash_piece *p = &l->piece[i];
        if ((p->flushed >> actor & 1) == 0) {
            l->piece[kept++] = *p;
            continue;
        }
        put_piece(c, p);
        for (uint32_t k = 0; k < kept; k++) /* older bytes cannot come back over newer ones */
            if (l->piece[k].word == p->word)
                l->piece[k].mask &= (uint8_t)~p->mask;
    }
    l->n = kept;
}

static void drain(struct crash_cursor *c, uint8_t actor) {
    for (uint32_t i = c->line_n; i-- > 0;) {
        settle(c, &c->line[i], actor);
        if (c->line[i].n == 0)
            line_drop(c, i);
    }
}

/* What is cut off is gone, and comes back as zeros. */
static void set_length(struct crash_cursor *c, uint64_t len) {
    for (uint32_t i = c->line_n; i-- > 0;)
        if (c->line[i].no >= len / CRASH_LINE)
            line_drop(c, i);
    for (uint64_t w = len / WORD; w < c->file_len / WORD; w++)
        word_set(c, (uint32_t)w, 0);
    c->file_len = len;
}

void crash_cursor_step(struct crash_cursor *c) {
    const struct trace_event *e = &c->t->ev[c->at];
    switch ((enum trace_kind)e->kind) {
    case TRACE_STORE8:
        piece_add(c, &(struct crash_piece){
                         .val = e->data, .word = (uint32_t)(e->off / WORD), .event = (uint32_t)c->at, .mask = e->mask});
        break;
    case TRACE_COPY:
    case TRACE_ZERO: add_range(c, e); break;
    case TRACE_FLUSH: flush_lines(c, e->off, e->len, e->actor); break;
    case TRACE_DRAIN: drain(c, e->actor); break;
    case TRACE_BEGIN:
    case TRACE_END: break;
    case TRACE_LENGTH: set_length(c, e->len); break;
    }
    c->at++;
}

/* ---- images ---- */

static void choose(struct crash_cursor *c, const struct crash_piece *p) {
    if (c->undo_n == c->undo_cap) {
        c->undo_cap = c->undo_cap == 0 ? 256 : c->undo_cap * 2;
        c->undo = realloc(c->undo, c->undo_cap * sizeof *c->undo);
        if (c->undo == NULL)
            abort();
    }
    c->undo[c->undo_n++] = (struct crash_undo){p->word, word_get(c, p->word)};
    put_piece(c, p);
}

void crash_image_all(struct crash_cursor *c, uint32_t line) {
    for (uint32_t i = 0; i < c->line[line].n; i++)
        choose(c, &c->line[line].piece[i]);
}

/* Number of subsets of n things, or at least one more than max. */
static uint64_t subsets(uint32_t n, uint64_t max) {
    return n < 63 && 1ull << n <= max ? 1ull << n : max + 1;
}

/* The cached pieces that piece i, cached, was stored together with: as many, from i on. */
static uint32_t run_length(const struct crash_line *l, uint32_t i) {
    uint32_t n = 0;
    for (uint32_t k = i; k < l->n && (l->piece[k].loose || l->piece[k].event == l->piece[i].event); k++)
        n += !l->piece[k].loose;
    return n;
}

static uint32_t loose_count(const struct crash_line *l) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < l->n; i++)
        n += l->piece[i].loose;
    return n;
}

/*
 * A choice is a subset of the non-temporal pieces, and one of the cached ones: nothing, or every event up to some one
 * and of that one a subset that is not empty.
 */
uint64_t crash_image_choices(const struct crash_cursor *c, uint32_t line, uint64_t max) {
    const struct crash_line *l = &c->line[line];
    uint64_t cached = 1;
    for (uint32_t i = 0, n; i < l->n && cached <= max; i += n) {
        n = l->piece[i].loose ? 1 : run_length(l, i);
        if (!l->piece[i].loose)
            cached += subsets(n, max) - 1;
    }
    uint64_t loose = subsets(loose_count(l), max);
    return cached > max || loose > max ? max + 1 : cached * loose;
}

void crash_image_choose(struct crash_cursor *c, uint32_t line, uint64_t choice) {
    const struct crash_line *l = &c->line[line];
    uint32_t loose = loose_count(l);
    uint64_t of_loose = choice & ((1ull << loose) - 1), of_cached = choice >> loose;
    uint32_t event = UINT32_MAX;
    uint64_t of_event = 0; /* the subset of the event's pieces that is left to choose; 0: nothing more of the cached */
    for (uint32_t i = 0; i < l->n; i++) {
        const struct crash_piece *p = &l->piece[i];
        if (p->loose) {
            if (of_loose & 1)
                choose(c, p);
            of_loose >>= 1;
            continue;
        }
        if (p->event != event) { /* the next event: wholly passed by all choices of later ones */
            uint64_t own = (1ull << run_length(l, i)) - 1;
            event = p->event;
            of_event = of_cached > own ? own : of_cached;
            of_cached -= of_event;
        }
        if (of_event & 1)
            choose(c, p);
        of_event >>= 1;
    }
}

void crash_image_random(struct crash_cursor *c, uint32_t line, uint64_t *rng) {
    const struct crash_line *l = &c->line[line];
    /* Cached stores up to an event wholly, of that event some words, later ones not at all. */
    uint32_t cut = l->piece[crash_random(rng) % l->n].event;
    for (uint32_t i = 0; i < l->n; i++) {
        struct crash_piece p = l->piece[i];
        uint64_t r = crash_random(rng);
        bool all = !p.loose && p.event < cut, some = p.loose || p.event == cut;
        if (some && p.splits && (r & 3) == 0)
            p.mask &= (uint8_t)(r >> 8);
        if (all || (some && r >> 63 != 0))
            choose(c, &p);
    }
}

void crash_image_undo(struct crash_cursor *c) {
    while (c->undo_n != 0) {
        const struct crash_undo *u = &c->undo[--c->undo_n];
        word_set(c, u->word, u->val);
    }
}
