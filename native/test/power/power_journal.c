/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "power_journal.h"
#include "util/crc32c.h"

void power_say(const char *fmt, ...) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    char line[200] = "J ";
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(line + 2, sizeof line - 3, fmt, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof line - 3)
        abort();
    size_t len = (size_t)n + 2;
    line[len++] = '\n';
    pthread_mutex_lock(&lock);
    for (size_t done = 0; done < len;) {
        ssize_t w = write(STDOUT_FILENO, line + done, len - done);
        if (w < 0 && errno != EINTR)
            abort();
        done += w < 0 ? 0 : (size_t)w;
    }
    pthread_mutex_unlock(&lock);
    while (tcdrain(STDOUT_FILENO) != 0 && errno == EINTR) { /* not a terminal: nothing to wait for */
    }
}

uint32_t power_crc(const struct power_actor *a, const struct power_op *op, uint64_t *size) {
    uint32_t i = power_affected(op);
    *size = i == POWER_FILES ? 0 : a->file[i].size;
    return i == POWER_FILES ? 0 : nova_crc32c(0, a->file[i].bytes, *size);
}

/* One line less its "J "; a text that says what is wrong with it, or NULL. */
static const char *line(const char *s, struct power_journal *j, struct power_actor *actors) {
    uint32_t id, crc;
    uint64_t seq, size, seed;
    int words = 0;
    if (strcmp(s, "create") == 0) {
        j->creating = true;
    } else if (strcmp(s, "created") == 0) {
        j->created = true;
    } else if (strcmp(s, "open") == 0) {
        return NULL;
    } else if (sscanf(s, "round %" SCNu64, &seed) == 1) {
        for (id = 0; id < POWER_ACTORS; id++) {
            if (j->in_flight[id])
                return "a round began before the operation in flight was resolved";
            power_round(&actors[id], seed);
        }
    } else if (sscanf(s, "> %" SCNu32 " %" SCNu64 " %n", &id, &seq, &words) == 2 && words != 0) {
        if (id >= POWER_ACTORS || j->in_flight[id])
            return "an operation began before the one before it had ended";
        char text[POWER_TEXT_MAX];
        power_next(&actors[id], &j->op[id]);
        power_text(&j->op[id], text);
        if (actors[id].seq != seq || strcmp(text, s + words) != 0)
            return "the seed makes another operation";
        j->in_flight[id] = true;
    } else if (sscanf(s, "< %" SCNu32 " %" SCNu64 " %" SCNu64 " %" SCNx32, &id, &seq, &size, &crc) == 4) {
        if (id >= POWER_ACTORS || !j->in_flight[id] || actors[id].seq != seq)
            return "an operation ended that had not begun";
        uint64_t want_size;
        power_apply(&actors[id], &j->op[id]);
        if (power_crc(&actors[id], &j->op[id], &want_size) != crc || want_size != size)
            return "before the cut already, the file did not hold what was written to it";
        j->in_flight[id] = false;
        j->acknowledged++;
    } else if (sscanf(s, "resolved %" SCNu32 " %" SCNu64, &id, &seq) == 2) {
        if (id >= POWER_ACTORS || seq > actors[id].seq || seq + (j->in_flight[id] ? 1 : 0) < actors[id].seq)
            return "resolved to what cannot be";
        if (j->in_flight[id] && seq == actors[id].seq)
            power_apply(&actors[id], &j->op[id]);
        actors[id].seq = seq;
        j->in_flight[id] = false;
    } else {
        return "not a line of the journal";
    }
    return NULL;
}

bool power_journal_replay(const char *path, struct power_journal *j, struct power_actor *actors, char *why,
                          size_t why_len) {
    *j = (struct power_journal){0};
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        snprintf(why, why_len, "%s: %s", path, strerror(errno));
        return false;
    }
    char *text = NULL;
    size_t cap = 0;
    const char *wrong = NULL;
    for (unsigned long n = 1; wrong == NULL; n++) {
        ssize_t len = getline(&text, &cap, f);
        if (len < 0)
            break;
        if (len < 3 || text[len - 1] != '\n' || strncmp(text, "J ", 2) != 0) {
            wrong = "not a whole line of the journal";
        } else {
            text[len - 1] = 0;
            wrong = line(text + 2, j, actors);
        }
        if (wrong != NULL)
            snprintf(why, why_len, "%s, line %lu (%.100s): %s", path, n, text, wrong);
    }
    free(text);
    fclose(f);
    return wrong == NULL;
}
