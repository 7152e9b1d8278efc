/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program whose power is cut. Checks a pool against the journal of what was done to it before the cut, then, given
 * a seed, goes on writing to it, and says on standard output what it is about to do and what is done (power_journal.h),
 * until it is killed.
 *
 * What is checked: every operation that the journal shows as ended is there; one that had only begun is there wholly or
 * not at all; files hold these bytes and no others, and there are no other names; nova_fsck() finds no damage before
 * recovery, and nothing at all after it; used + free = total; and a second opening, without recovery, shows the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "power_journal.h"
#include "store.h"
#include "util/crc32c.h"

#define POOL_SIZE (16 << 20)

struct options {
    const char *pool;
    const char *journal;
    uint32_t flags; /* of nova_pool_options */
    bool spoil;
    bool write;
    uint64_t seed;
    uint64_t ops; /* per actor */
};

struct world;

struct writer {
    struct world *world;
    struct power_actor actor;
    struct store_file file[POWER_FILES];
    struct store_file gone; /* the file that the last operation took the name from: open until the next one */
    bool has_gone;
    uint8_t *buf; /* POWER_FILE_MAX */
    pthread_t thread;
};

struct world {
    const struct options *opt;
    struct store store;
    pthread_mutex_t names; /* guards the root directory's part of store: struct store knows no threads */
    struct writer writer[POWER_ACTORS];
};

static void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
static void die(const char *fmt, ...) {
    va_list args;
    fflush(stdout);
    fputs("power-writer: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    _exit(1);
}

static void must(int rc, const char *what, const struct nova_error *err) {
    if (rc != NOVA_OK)
        die("%s: %s: %s", what, nova_strerror(rc), err->msg);
}

/* ---- checking ---------------------------------------------------------------------------------------------------- */

static bool names_match(const struct world *w, char *why, size_t why_len) {
    uint64_t want = 0;
    for (uint32_t a = 0; a < POWER_ACTORS; a++)
        for (uint32_t i = 0; i < POWER_FILES; i++)
            want += w->writer[a].actor.file[i].exists;
    if (want == w->store.names.live)
        return true;
    snprintf(why, why_len, "the directory has %" PRIu64 " names instead of %" PRIu64, (uint64_t)w->store.names.live,
             want);
    return false;
}

static bool file_matches(struct writer *wr, uint32_t i, char *why, size_t why_len) {
    const struct power_file *want = &wr->actor.file[i];
    struct store_file f;
    int rc = store_file_open(&wr->world->store, power_name(wr->actor.id, i), false, &f);
    if (!want->exists && rc == NOVA_ENOENT)
        return true;
    if (want->exists != (rc == NOVA_OK)) {
        snprintf(why, why_len, "file %u: %s", i, want->exists ? nova_strerror(rc) : "is there");
        if (rc == NOVA_OK)
            store_file_close(&f);
        return false;
    }
    uint64_t size = f.size, at = 0;
    if (size == want->size) {
        store_read(&f, 0, wr->buf, size);
        while (at < size && wr->buf[at] == want->bytes[at])
            at++;
    }
    if (size != want->size)
        snprintf(why, why_len, "file %u: %" PRIu64 " bytes instead of %" PRIu64, i, size, want->size);
    else if (at != size)
        snprintf(why, why_len, "file %u of %" PRIu64 " bytes: wrong from byte %" PRIu64, i, size, at);
    must(store_file_close(&f), "close", &wr->world->store.err);
    return size == want->size && at == size;
}

static bool actor_matches(struct writer *wr, char *why, size_t why_len) {
    for (uint32_t i = 0; i < POWER_FILES; i++)
        if (!file_matches(wr, i, why, why_len))
            return false;
    return true;
}

/* Finds out whether the operation in flight at the cut was done, and brings the actor's model to what the store holds.
 */
static void resolve(struct writer *wr, bool in_flight, const struct power_op *op) {
    char without[200], with[200], text[POWER_TEXT_MAX];
    struct power_actor *a = &wr->actor;
    uint64_t done = a->seq - (in_flight ? 1 : 0);
    if (!actor_matches(wr, without, sizeof without)) {
        if (!in_flight)
            die("actor %u after its operation %" PRIu64 ": %s", a->id, done, without);
        power_apply(a, op);
        done++;
        if (!actor_matches(wr, with, sizeof with)) {
            power_text(op, text);
            die("actor %u holds neither the state before its operation %" PRIu64 " (%s): %s; nor the one after: %s",
                a->id, done, text, without, with);
        }
    }
    a->seq = done;
    power_say("resolved %u %" PRIu64, a->id, done);
}

static void fsck(const char *path, bool recovered, const struct nova_pool_info *info) {
    static char report[1 << 14];
    struct nova_fsck_summary sum;
    struct nova_error err;
    size_t needed;
    must(nova_fsck(path, report, sizeof report, &needed, &sum, &err), "fsck", &err);
    if (sum.errors != 0 || (recovered && (sum.warnings != 0 || !sum.clean)))
        die("fsck %s: %" PRIu64 " errors, %" PRIu64 " warnings\n%s", recovered ? "after recovery" : "before recovery",
            sum.errors, sum.warnings, report);
    if (sum.blocks_used + sum.blocks_free != sum.blocks_total)
        die("blocks: %" PRIu64 " used and %" PRIu64 " free of %" PRIu64, sum.blocks_used, sum.blocks_free,
            sum.blocks_total);
    if (recovered && (info->blocks_free != sum.blocks_free || info->blocks_data != sum.blocks_total))
        die("free blocks: %" PRIu64 " by recovery, %" PRIu64 " by fsck", info->blocks_free, sum.blocks_free);
}

static void open_store(struct world *w, struct nova_pool_info *info) {
    must(store_open(&w->store, w->opt->pool, w->opt->flags), "open", &w->store.err);
    nova_pool_info(w->store.pool, info);
    uint32_t want = w->opt->flags & NOVA_OPT_EMULATED ? NOVA_DURABLE_EMULATED : NOVA_DURABLE_PMEM;
    if (info->durability != want)
        die("the pool is open with durability %u instead of %u", info->durability, want);
}

static void check(struct world *w, const struct power_journal *j) {
    struct nova_pool_info info;
    char why[200];
    power_say("open");
    fsck(w->opt->pool, false, NULL);
    open_store(w, &info);
    printf("recovery: %s, %" PRIu64 " logs in %" PRIu64 " us, %" PRIu64 " orphans, %" PRIu64 " of %" PRIu64
           " blocks free\n",
           info.recovered ? "yes" : "not needed", info.recovered_inodes, info.recovery_ns / 1000, info.orphans,
           info.blocks_free, info.blocks_data);
    fflush(stdout);
    for (uint32_t a = 0; a < POWER_ACTORS; a++)
        resolve(&w->writer[a], j->in_flight[a], &j->op[a]);
    if (!names_match(w, why, sizeof why))
        die("%s", why);
    nova_pool_info(w->store.pool, &info);
    must(store_close(&w->store), "close", &w->store.err);
    fsck(w->opt->pool, true, &info);

    struct nova_pool_info again;
    open_store(w, &again);
    if (again.recovered || again.blocks_free != info.blocks_free)
        die("the pool was closed, but does not open as it was");
    for (uint32_t a = 0; a < POWER_ACTORS; a++)
        if (!actor_matches(&w->writer[a], why, sizeof why))
            die("actor %u, opened again: %s", a, why);
    printf("checked: %" PRIu64 " operations acknowledged\n", j->acknowledged);
    fflush(stdout);
}

/* Changes a byte of a file on the media, behind the store's back: the next check must notice. */
static void spoil(struct world *w) {
    uint64_t at = 0;
    for (uint32_t i = 0; at == 0 && i < POWER_ACTORS * POWER_FILES; i++) {
        struct store_file f;
        if (store_file_open(&w->store, power_name(i / POWER_FILES, i % POWER_FILES), false, &f) != NOVA_OK)
            continue;
        for (uint64_t page = 0; at == 0 && page * NOVA_BLOCK_SIZE < f.size; page++)
            at = (uint64_t)block_map_get(&f.map, page) * NOVA_BLOCK_SIZE;
        must(store_file_close(&f), "close", &w->store.err);
    }
    if (at == 0)
        die("no file holds anything that could be spoiled");
    uint8_t byte = w->store.base[at] ^ 1;
    int fd = open(w->opt->pool, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || pwrite(fd, &byte, 1, (off_t)at) != 1 || close(fd) != 0)
        die("%s: %s", w->opt->pool, strerror(errno));
    printf("spoiled: the byte at %" PRIu64 " of the pool\n", at);
}

/* Makes the pool, unless that had happened when the power was cut in the middle of it. */
static void create(struct world *w, bool creating) {
    const struct options *o = w->opt;
    struct nova_error err;
    struct nova_pool_options opt = {.flags = o->flags};
    if (creating) {
        nova_pool *pool;
        int rc = nova_pool_open(o->pool, &opt, &pool, &err);
        if (rc == NOVA_OK) {
            must(nova_pool_close(pool, &err), "close", &err);
            power_say("created");
            return;
        }
        if (rc != NOVA_ENOTPOOL && rc != NOVA_ENOENT)
            die("a pool cut off while it was made: %s: %s", nova_strerror(rc), err.msg);
        unlink(o->pool);
    }
    power_say("create");
    must(nova_pool_create(o->pool, POOL_SIZE, &opt, &err), "create", &err);
    power_say("created");
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static int write_op(struct writer *wr, struct store_file *f, const struct power_op *op) {
    power_content(op, wr->buf);
    return op->kind == POWER_GATHER ? store_write_pieces(f, op->off, wr->buf, op->len, op->piece, op->backwards)
                                    : store_write(f, op->off, wr->buf, op->len);
}

static int close_gone(struct writer *wr) {
    bool had = wr->has_gone;
    wr->has_gone = false;
    return had ? store_file_close(&wr->gone) : NOVA_OK;
}

/* A file that loses its name stays open for a while: a cut then leaves an orphan, which recovery must release. */
static int name_op(struct writer *wr, const struct power_op *op) {
    struct store *s = &wr->world->store;
    struct store_file *file = wr->file;
    uint32_t id = wr->actor.id;
    int rc;
    if (op->kind == POWER_CREATE)
        return store_file_open(s, power_name(id, op->file), true, &file[op->file]);
    if (op->kind == POWER_UNLINK) {
        rc = store_unlink(s, power_name(id, op->file));
        wr->gone = file[op->file];
        wr->has_gone = true;
    } else {
        rc = store_rename(s, power_name(id, op->file), power_name(id, op->to));
        wr->gone = file[op->to];
        wr->has_gone = wr->actor.file[op->to].exists;
        file[op->to] = file[op->file];
    }
    return rc;
}

static void perform(struct writer *wr, const struct power_op *op) {
    int rc = close_gone(wr);
    if (rc != NOVA_OK)
        die("actor %u, close of a removed file: %s: %s", wr->actor.id, nova_strerror(rc), wr->world->store.err.msg);
    if (op->kind == POWER_CREATE || op->kind == POWER_UNLINK || op->kind == POWER_RENAME) {
        pthread_mutex_lock(&wr->world->names);
        rc = name_op(wr, op);
        pthread_mutex_unlock(&wr->world->names);
    } else {
        struct store_file *f = &wr->file[op->file];
        rc = op->kind == POWER_TRUNCATE ? store_truncate(f, op->len) : write_op(wr, f, op);
    }
    if (rc != NOVA_OK) {
        char text[POWER_TEXT_MAX];
        power_text(op, text);
        die("actor %u, %s: %s: %s", wr->actor.id, text, nova_strerror(rc), wr->world->store.err.msg);
    }
}

/* Reports what the store, not the model, now holds: the checker compares it with the model. */
static void acknowledge(struct writer *wr, const struct power_op *op) {
    uint32_t i = power_affected(op);
    uint64_t size = i == POWER_FILES ? 0 : store_read(&wr->file[i], 0, wr->buf, POWER_FILE_MAX);
    power_say("< %u %" PRIu64 " %" PRIu64 " %08" PRIx32, wr->actor.id, wr->actor.seq, size,
              nova_crc32c(0, wr->buf, size));
}

static void *write_on(void *arg) {
    struct writer *wr = arg;
    struct power_actor *a = &wr->actor;
    for (uint64_t n = 0; n < wr->world->opt->ops; n++) {
        struct power_op op;
        char text[POWER_TEXT_MAX];
        power_next(a, &op);
        power_text(&op, text);
        power_say("> %u %" PRIu64 " %s", a->id, a->seq, text);
        perform(wr, &op);
        acknowledge(wr, &op);
        power_apply(a, &op);
    }
    return NULL;
}

static void write_all(struct world *w) {
    power_say("round %" PRIu64, w->opt->seed);
    for (uint32_t a = 0; a < POWER_ACTORS; a++) {
        struct writer *wr = &w->writer[a];
        power_round(&wr->actor, w->opt->seed);
        for (uint32_t i = 0; i < POWER_FILES; i++)
            if (wr->actor.file[i].exists)
                must(store_file_open(&w->store, power_name(a, i), false, &wr->file[i]), "open", &w->store.err);
    }
    for (uint32_t a = 0; a < POWER_ACTORS; a++)
        if (pthread_create(&w->writer[a].thread, NULL, write_on, &w->writer[a]) != 0)
            die("no thread");
    for (uint32_t a = 0; a < POWER_ACTORS; a++) {
        struct writer *wr = &w->writer[a];
        pthread_join(wr->thread, NULL);
        for (uint32_t i = 0; i < POWER_FILES; i++)
            if (wr->actor.file[i].exists)
                must(store_file_close(&wr->file[i]), "close", &w->store.err);
        must(close_gone(wr), "close of a removed file", &w->store.err);
    }
}

/* ---- the program ------------------------------------------------------------------------------------------------- */

static const char
    usage[] = "Usage: power-writer [-ex] [-s SEED [-n OPS]] JOURNAL POOL\n"
              "  -s  after checking, write on with this seed, -n operations for each actor (default: until killed)\n"
              "  -x  after checking, change a byte of a file behind the store's back: the next check must fail\n"
              "  -e  emulated persistent memory, for a try without a guest\n"
              "An empty JOURNAL: the pool is made first.\n";

static struct options parse(int argc, char **argv) {
    struct options o = {.ops = UINT64_MAX};
    for (int c; (c = getopt(argc, argv, "exs:n:")) != -1;) {
        switch (c) {
        case 'e': o.flags |= NOVA_OPT_EMULATED; break;
        case 'x': o.spoil = true; break;
        case 's':
            o.write = true;
            o.seed = strtoull(optarg, NULL, 0);
            break;
        case 'n': o.ops = strtoull(optarg, NULL, 0); break;
        default: fputs(usage, stderr); exit(2);
        }
    }
    if (argc - optind != 2) {
        fputs(usage, stderr);
        exit(2);
    }
    o.journal = argv[optind];
    o.pool = argv[optind + 1];
    return o;
}

int main(int argc, char **argv) {
    struct options opt = parse(argc, argv);
    static struct world w = {.names = PTHREAD_MUTEX_INITIALIZER};
    struct power_actor actors[POWER_ACTORS];
    struct power_journal j;
    char why[400];
    if (getenv("PMEM_IS_PMEM_FORCE") != NULL)
        die("PMEM_IS_PMEM_FORCE is set: nothing could be learnt");
    w.opt = &opt;
    for (uint32_t a = 0; a < POWER_ACTORS; a++)
        power_actor_init(&actors[a], a);
    if (!power_journal_replay(opt.journal, &j, actors, why, sizeof why))
        die("%s", why);
    for (uint32_t a = 0; a < POWER_ACTORS; a++)
        w.writer[a] = (struct writer){.world = &w, .actor = actors[a], .buf = calloc(1, POWER_FILE_MAX)};
    if (!j.created)
        create(&w, j.creating);
    check(&w, &j);
    if (opt.spoil)
        spoil(&w);
    if (opt.write)
        write_all(&w);
    must(store_close(&w.store), "close", &w.store.err);
    for (uint32_t a = 0; a < POWER_ACTORS; a++) {
        power_actor_free(&w.writer[a].actor);
        free(w.writer[a].buf);
    }
    return 0;
}
