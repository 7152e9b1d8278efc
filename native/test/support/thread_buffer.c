/* SPDX-License-Identifier: Apache-2.0 */
#include "thread_buffer.h"

#include <pthread.h>
#include <stdlib.h>

struct buffer {
    uint8_t *bytes;
    size_t cap;
};

static _Thread_local struct buffer mine[THREAD_BUFFERS];
static pthread_key_t at_end;

static void release(void *buffers) {
    struct buffer *b = buffers;
    for (int i = 0; i < THREAD_BUFFERS; i++) {
        free(b[i].bytes);
        b[i] = (struct buffer){0};
    }
}

static void make_key(void) {
    if (pthread_key_create(&at_end, release) != 0)
        abort();
}

uint8_t *thread_buffer(enum thread_buffer which, size_t len) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct buffer *b = &mine[which];
    if (len <= b->cap)
        return b->bytes;
    pthread_once(&once, make_key);
    free(b->bytes);
    b->cap = len < 4096 ? 4096 : 2 * len;
    b->bytes = malloc(b->cap);
    if (b->bytes == NULL || pthread_setspecific(at_end, mine) != 0)
        abort();
    return b->bytes;
}
