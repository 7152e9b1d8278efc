/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crash_image.h"
#include "explorer.h"
#include "model.h"
#include "report.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BUILT_WITH_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define BUILT_WITH_TSAN 1
#endif

struct explore_limits explore_limits_default(void) {
    struct explore_limits l = {.exhaustive = 256, .samples = 64, .lines = 1024, .nested_every = 64, .stride = 1};
#if defined(BUILT_WITH_TSAN)
    l = (struct explore_limits){.exhaustive = 32, .samples = 8, .lines = 8, .stride = 8};
#elif defined(NOVA_DEBUG)
    l = (struct explore_limits){.exhaustive = 128, .samples = 32, .lines = 32, .nested_every = 128, .stride = 4};
#endif
    if (getenv("NOVA_FULL") != NULL) {
        l.exhaustive *= 4;
        l.samples *= 4;
        l.lines *= 4;
        l.nested_every /= 4;
    }
    const char *seed = getenv("NOVA_SEED");
    l.seed = seed != NULL ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
    return l;
}

void explore_stats_add(struct explore_stats *to, const struct explore_stats *from) {
    to->traces += from->traces;
    to->nested += from->nested;
    to->points += from->points;
    to->images += from->images;
    to->distinct += from->distinct;
    to->opens += from->opens;
}

void explore_stats_print(const char *what, const struct explore_stats *st) {
    report_line("crash: %s: %llu traces (%llu of recoveries), %llu points, %llu images, %llu distinct, %llu recoveries "
                "and opens",
                what, (unsigned long long)st->traces, (unsigned long long)st->nested, (unsigned long long)st->points,
                (unsigned long long)st->images, (unsigned long long)st->distinct, (unsigned long long)st->opens);
}

/* ---- images judged already ---- */

struct known {
    uint64_t hash; /* of the image, and of which bytes were loose; 0 = no entry */
    uint64_t state, other;
    bool recovered; /* by a scan; false: opened by its snapshot */
    bool sound;
};

struct known_set {
    struct known *entry;
    uint32_t n, cap; /* cap: a power of two */
};

static struct known *known_find(struct known_set *s, uint64_t hash) {
    uint32_t i = (uint32_t)(hash >> 7) & (s->cap - 1);
    while (s->entry[i].hash != 0 && s->entry[i].hash != hash)
        i = (i + 1) & (s->cap - 1);
    return &s->entry[i];
}

static void known_init(struct known_set *s, uint32_t cap) {
    *s = (struct known_set){.cap = cap, .entry = calloc(cap, sizeof *s->entry)};
    if (s->entry == NULL)
        abort();
}

static const struct known *known_add(struct known_set *s, const struct known *k) {
    if (s->n * 2 >= s->cap) {
        struct known_set more;
        known_init(&more, s->cap * 2);
        for (uint32_t i = 0; i < s->cap; i++)
            if (s->entry[i].hash != 0)
                *known_find(&more, s->entry[i].hash) = s->entry[i];
        more.n = s->n;
        free(s->entry);
        *s = more;
    }
    s->n++;
    struct known *to = known_find(s, k->hash);
    *to = *k;
    return to;
}

/* ---- the explorer ---- */

struct explorer {
    struct crash_cursor c;
    const struct explore_limits *limits;
    struct judge *judge;
    struct known_set known;
    uint64_t rng;
    struct explore_stats st;
    const struct model *loose[2];                 /* judge.loose */
    uint64_t loose_turn;                          /* another number each time they are others */
    uint64_t done[TRACE_ACTORS];                  /* state after the actor's last completed call */
    const struct trace_op *running[TRACE_ACTORS]; /* the call it is in, or NULL */
    const struct trace_op *last;                  /* begun or completed last; for messages */
    bool closed;                                  /* the pool was closed in order and not touched since */
    uint32_t since_nested;
    bool failed;
    char *failure;
    size_t failure_cap;
};

static bool explore_with(struct judge *j, const struct trace *t, size_t from, const struct explore_limits *limits,
                         struct explore_stats *st, char *failure, size_t cap);

/* Each actor's part of the state is that before or after its running call; the parts add up. Loose bytes are the first
 * actor's. */
static bool allowed(const struct explorer *x, const struct known *k) {
    for (unsigned pick = 0; pick < 1u << TRACE_ACTORS; pick++) {
        uint64_t sum = 0;
        for (unsigned a = 0; a < TRACE_ACTORS; a++)
            sum += x->running[a] == NULL  ? x->done[a]
                   : (pick >> a & 1) != 0 ? x->running[a]->after
                                          : x->running[a]->before;
        if (sum == ((pick & 1) != 0 ? k->other : k->state))
            return true;
    }
    return false;
}

static void fail_image(struct explorer *x, const char *image, const char *why) {
    const struct trace *t = x->c.t;
    size_t at = x->c.at;
    bool in_call = false;
    for (unsigned a = 0; a < TRACE_ACTORS; a++)
        in_call = in_call || x->running[a] != NULL;
    x->failed = true;
    int n = snprintf(x->failure, x->failure_cap, "%s '%s', event %zu of %zu (next: %s), image %s: %s",
                     in_call ? "in" : "after", x->last != NULL ? x->last->what : "nothing", at, t->n,
                     at < t->n ? trace_kind_name(t->ev[at].kind) : "the end", image, why);
    if (n < 0 || (size_t)n >= x->failure_cap || x->last == NULL || x->last->model_before == NULL)
        return;
    char text[300];
    const struct model *m[2] = {in_call ? x->last->model_before : NULL, x->last->model_after};
    for (int i = 0; i < 2; i++) {
        if (m[i] == NULL)
            continue;
        judge_explain(x->judge, x->c.image, x->c.file_len, m[i], text, sizeof text);
        n += snprintf(x->failure + n, x->failure_cap - (size_t)n, "\n  against the state %s:%s",
                      i == 0 ? "before" : "after", text);
        if ((size_t)n >= x->failure_cap)
            return;
    }
}

/* Recovers and closes the image under the recorder, and explores that. */
static bool explore_recovery(struct explorer *x, uint64_t state, const char *image) {
    static struct store s;
    struct explore_limits limits = *x->limits;
    struct trace t;
    limits.nested_every = 0;
    limits.seed = crash_random(&x->rng);
    limits.lines = limits.lines < 8 ? limits.lines : 8;
    limits.samples = limits.samples < 16 ? limits.samples : 16;
    limits.exhaustive = limits.exhaustive < 64 ? limits.exhaustive : 64; /* a state alone has 256 choices */
    judge_put(x->judge, x->c.image, x->c.file_len);
    recorder_start(&t, x->c.image, x->c.file_len);
    t.state[0] = state;
    t.loose = x->loose[0];
    t.superblocks = x->c.t->superblocks;
    t.damaged = x->c.t->damaged;
    t.repairs = x->c.t->repairs;
    t.untimed = x->c.t->untimed;
    uint32_t op = recorder_begin("recovery", state, NULL);
    int rc = store_open(&s, x->judge->path, NOVA_OPT_EMULATED);
    recorder_end(op, state, NULL);
    if (rc == NOVA_OK) {
        op = recorder_begin("close after recovery", state, NULL);
        rc = store_close(&s);
        recorder_end_closed(op, state, NULL);
    }
    recorder_stop();
    char why[600];
    snprintf(why, sizeof why, "recovery under the recorder: %.200s", s.err.msg);
    struct explore_stats st = {0};
    bool ok = rc == NOVA_OK && explore_with(x->judge, &t, 0, &limits, &st, why, sizeof why);
    st.nested = st.traces;
    explore_stats_add(&x->st, &st);
    trace_free(&t);
    if (!ok)
        fail_image(x, image, why);
    return ok;
}

static bool wants_nested(struct explorer *x, const struct verdict *v) {
    if (x->limits->nested_every == 0 || v->state == STATE_NO_POOL)
        return false;
    x->since_nested += v->orphans != 0 ? 8 : 1;
    if (x->since_nested < x->limits->nested_every)
        return false;
    x->since_nested = 0;
    return true;
}

/* Judges the image that stands in the cursor. */
static void image(struct explorer *x, const char *name, uint32_t line) {
    if (x->failed)
        return;
    char text[64];
    if (line == UINT32_MAX)
        snprintf(text, sizeof text, "%s", name);
    else
        snprintf(text, sizeof text, "%s %#llx", name, (unsigned long long)x->c.line[line].no * CRASH_LINE);
    x->st.images++;
    uint64_t hash = x->c.hash + x->loose_turn * 0x9e3779b97f4a7c15u + x->c.file_len * 0xd6e8feb86659fd93u;
    if (hash == 0)
        hash = 1;
    const struct known *k = known_find(&x->known, hash);
    struct verdict v = {.ok = true};
    bool fresh = k->hash == 0;
    if (fresh) {
        memcpy(x->judge->loose, x->loose, sizeof x->loose);
        judge_image(x->judge, x->c.image, x->c.file_len, &v);
        k = known_add(&x->known, &(struct known){hash, v.state, v.other, v.recovered, v.sound});
        x->st.distinct++;
    }
    if (!v.ok)
        fail_image(x, text, v.why);
    else if (!allowed(x, k))
        fail_image(x, text, "a state that no call leaves");
    else if (x->closed && k->recovered)
        fail_image(x, text, "recovery after an orderly close");
    else if (x->closed && !k->sound)
        fail_image(x, text, "fsck finds fault after an orderly close");
    else if (fresh && wants_nested(x, &v))
        explore_recovery(x, v.state, text);
}

static void all_so_far(struct explorer *x) {
    for (uint32_t i = 0; i < x->c.line_n; i++)
        crash_image_all(&x->c, i);
    image(x, "with all stores", UINT32_MAX);
    crash_image_undo(&x->c);
}

/* Number of choices in all; above max, some number above max. */
static uint64_t choices(const struct crash_cursor *c, uint64_t max) {
    uint64_t n = 1;
    for (uint32_t i = 0; i < c->line_n && n <= max; i++)
        n *= crash_image_choices(c, i, max);
    return n;
}

static void every_choice(struct explorer *x, uint64_t n) {
    for (uint64_t k = 0; k < n && !x->failed; k++) {
        uint64_t rest = k;
        for (uint32_t i = 0; i < x->c.line_n; i++) {
            uint64_t m = crash_image_choices(&x->c, i, n);
            crash_image_choose(&x->c, i, rest % m);
            rest /= m;
        }
        char name[60];
        snprintf(name, sizeof name, "choice %llu of %llu", (unsigned long long)k, (unsigned long long)n);
        image(x, name, UINT32_MAX);
        crash_image_undo(&x->c);
    }
}

static void some_choices(struct explorer *x) {
    uint32_t n = x->c.line_n, max = x->limits->lines;
    image(x, "with no pending store", UINT32_MAX);
    all_so_far(x);
    for (uint32_t i = 0; i < n && i < max && !x->failed; i++) {
        uint32_t one = n <= max ? i : (uint32_t)(crash_random(&x->rng) % n);
        crash_image_all(&x->c, one);
        image(x, "with only line", one);
        crash_image_undo(&x->c);
        for (uint32_t k = 0; k < n; k++)
            if (k != one)
                crash_image_all(&x->c, k);
        image(x, "without line", one);
        crash_image_undo(&x->c);
    }
}

/* Each line wholly, not at all, or in part: in equal shares, or (every other image) mostly wholly or mostly not. */
static void random_choices(struct explorer *x, uint32_t n) {
    for (uint32_t k = 0; k < n && !x->failed; k++) {
        uint64_t lean = crash_random(&x->rng) % 6;
        for (uint32_t i = 0; i < x->c.line_n; i++) {
            uint64_t r = crash_random(&x->rng);
            uint64_t how = r >> 60 == 0 || lean > 2 ? r % 3 : lean;
            if (how == 0)
                crash_image_all(&x->c, i);
            else if (how == 1)
                crash_image_random(&x->c, i, &x->rng);
        }
        image(x, "random", UINT32_MAX);
        crash_image_undo(&x->c);
    }
}

static void point(struct explorer *x) {
    x->st.points++;
    uint64_t n = choices(&x->c, x->limits->exhaustive);
    if (n <= x->limits->exhaustive) {
        every_choice(x, n);
        random_choices(x, n > 16 ? 4 : 0); /* words split into bytes */
    } else {
        some_choices(x);
        random_choices(x, x->limits->samples);
    }
}

/* The file becomes longer, or shorter: on the way it may have any length in between. */
static void lengths(struct explorer *x, uint64_t to) {
    uint64_t from = x->c.file_len, low = from < to ? from : to, high = from < to ? to : from;
    const uint64_t len[] = {low + 1, low + NOVA_BLOCK_SIZE, high - NOVA_BLOCK_SIZE, high - 1};
    for (size_t i = 0; i < sizeof len / sizeof *len; i++) {
        if (len[i] <= low || len[i] >= high)
            continue;
        x->st.points++;
        x->c.file_len = len[i];
        image(x, "of a length in between", UINT32_MAX);
    }
    x->c.file_len = from;
}

static const struct model *if_loose(const struct model *m) {
    return m != NULL && m->loose != NULL ? m : NULL;
}

static void set_loose(struct explorer *x, const struct model *before, const struct model *after) {
    before = if_loose(before);
    after = if_loose(after);
    if (before == x->loose[0] && after == x->loose[1])
        return;
    x->loose[0] = before;
    x->loose[1] = after;
    x->loose_turn++;
}

static void pass_call(struct explorer *x, const struct trace_event *e) {
    const struct trace_op *op = &x->c.t->ops[e->op];
    x->last = op;
    x->running[e->actor] = e->kind == TRACE_BEGIN ? op : NULL;
    x->closed = e->kind == TRACE_END && op->closes;
    if (e->kind == TRACE_END)
        x->done[e->actor] = op->after;
    if (e->actor == 0 && op->model_after != NULL)
        set_loose(x, e->kind == TRACE_BEGIN ? op->model_before : op->model_after, op->model_after);
}

static void walk(struct explorer *x, size_t from) {
    const struct trace *t = x->c.t;
    while (x->c.at < t->n && !x->failed) {
        if (x->c.at == from)
            point(x);
        const struct trace_event *e = &t->ev[x->c.at];
        bool wanted = x->c.at >= from;
        bool call = e->kind == TRACE_BEGIN || e->kind == TRACE_END;
        if (wanted && (e->kind == TRACE_DRAIN || e->kind == TRACE_LENGTH))
            point(x);
        if (wanted && e->kind == TRACE_LENGTH)
            lengths(x, e->len);
        if (call)
            pass_call(x, e);
        crash_cursor_step(&x->c);
        if (!wanted)
            continue;
        if (e->kind == TRACE_END || e->kind == TRACE_LENGTH) {
            point(x);
        } else if (e->kind <= TRACE_ZERO) {
            x->st.points++;
            all_so_far(x);
        }
    }
}

static bool explore_with(struct judge *j, const struct trace *t, size_t from, const struct explore_limits *limits,
                         struct explore_stats *st, char *failure, size_t cap) {
    struct explorer x = {.limits = limits, .judge = j, .rng = limits->seed, .failure = failure, .failure_cap = cap};
    crash_cursor_init(&x.c, t);
    known_init(&x.known, 1024);
    memcpy(x.done, t->state, sizeof x.done);
    set_loose(&x, t->loose, t->loose);
    uint64_t opens = j->opens;
    j->superblocks = t->superblocks;
    j->damaged = t->damaged;
    j->repairs = t->repairs;
    j->untimed = t->untimed;
    walk(&x, from);
    x.st.traces++;
    x.st.opens = j->opens - opens; /* of nested ones too */
    if (st != NULL)
        explore_stats_add(st, &x.st);
    free(x.known.entry);
    crash_cursor_free(&x.c);
    return !x.failed;
}

/* One judge for all traces: its pool file is there already, and mostly right. */
static struct judge the_judge;

static void at_exit(void) {
    judge_free(&the_judge);
}

bool explore(const struct trace *t, size_t from, const struct explore_limits *limits, struct explore_stats *st,
             char *failure, size_t failure_cap) {
    static bool registered;
    if (!registered)
        registered = atexit(at_exit) == 0;
    recorder_install();
    if (the_judge.len != t->len) {
        judge_free(&the_judge);
        judge_init(&the_judge, "crash-image", t->len);
    }
    return explore_with(&the_judge, t, from, limits, st, failure, failure_cap);
}
