/* SPDX-License-Identifier: Apache-2.0 */
#include "pmem/pool_lock.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/error.h"
#include "util/lock_rank.h"

struct pool_lock {
    struct pool_lock *next;
    dev_t dev; /* of the file, which is not deleted as long as fd is open, or the pool */
    ino_t ino;
    int fd;         /* holds the lock while the pool is closed; -1 while it is open */
    unsigned users; /* of pool_lock_share() */
    unsigned readers;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards the list, and what is in it */
static struct pool_lock *locks;

bool pool_lock_is_of(const struct pool_lock *l, int fd) {
    struct stat st;
    return fstat(fd, &st) == 0 && l->dev == st.st_dev && l->ino == st.st_ino;
}

static struct pool_lock *find_locked(int fd) {
    struct pool_lock *l = locks;
    while (l != NULL && !pool_lock_is_of(l, fd))
        l = l->next;
    return l;
}

static int busy(const char *path, struct nova_error *err) {
    return nova_fail(err, NOVA_EBUSY, "pool %s is open already, in this or another process; close it there first",
                     path);
}

/* flock and not fcntl: it belongs to this open file alone, so closing another descriptor of the pool does not drop it.
 */
static int lock(int fd, int how, const char *path, struct nova_error *err) {
    if (flock(fd, how | LOCK_NB) == 0)
        return NOVA_OK;
    if (errno == EWOULDBLOCK)
        return busy(path, err);
    return nova_fail_os(err, NOVA_EOS, errno, "cannot lock pool %s", path);
}

static int answer(int *fd, int rc) {
    if (rc != NOVA_OK) {
        close(*fd);
        *fd = -1;
    }
    return rc;
}

int pool_lock_take(int *fd, const char *path, struct nova_error *err) {
    int rc = NOVA_OK;
    ranked_lock(&mutex, RANK_POOL_LOCK);
    struct pool_lock *l = find_locked(*fd);
    if (l == NULL || l->fd < 0) {
        rc = lock(*fd, LOCK_EX, path, err);
    } else if (l->readers != 0) {
        rc = busy(path, err);
    } else {
        close(*fd);
        *fd = l->fd;
        l->fd = -1;
    }
    ranked_unlock(&mutex, RANK_POOL_LOCK);
    return answer(fd, rc);
}

int pool_lock_take_shared(int *fd, const char *path, struct nova_error *err) {
    int rc = NOVA_OK;
    ranked_lock(&mutex, RANK_POOL_LOCK);
    struct pool_lock *l = find_locked(*fd);
    if (l == NULL || l->fd < 0)
        rc = lock(*fd, LOCK_SH, path, err);
    else
        l->readers++; /* under the lock that is kept */
    ranked_unlock(&mutex, RANK_POOL_LOCK);
    return answer(fd, rc);
}

/* Closing drops the lock only if no child process, forked meanwhile, still holds a copy of the descriptor. */
static void unlock(int fd) {
    (void)flock(fd, LOCK_UN);
    close(fd);
}

static void forget_locked(struct pool_lock *l) {
    struct pool_lock **at = &locks;
    if (l->users != 0 || l->readers != 0)
        return;
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    if (l->fd >= 0)
        unlock(l->fd);
    free(l);
}

void pool_lock_give_back(int fd) {
    if (fd < 0)
        return;
    ranked_lock(&mutex, RANK_POOL_LOCK);
    struct pool_lock *l = find_locked(fd);
    if (l == NULL) {
        unlock(fd);
    } else if (l->fd < 0) {
        l->fd = fd;
    } else {
        close(fd);
        l->readers--;
        forget_locked(l);
    }
    ranked_unlock(&mutex, RANK_POOL_LOCK);
}

struct pool_lock *pool_lock_share(int fd) {
    struct stat st;
    ranked_lock(&mutex, RANK_POOL_LOCK);
    struct pool_lock *l = find_locked(fd);
    if (l == NULL && fstat(fd, &st) == 0 && (l = malloc(sizeof *l)) != NULL) {
        *l = (struct pool_lock){.next = locks, .dev = st.st_dev, .ino = st.st_ino, .fd = -1};
        locks = l;
    }
    if (l != NULL)
        l->users++;
    ranked_unlock(&mutex, RANK_POOL_LOCK);
    return l;
}

void pool_lock_drop(struct pool_lock *l) {
    ranked_lock(&mutex, RANK_POOL_LOCK);
    l->users--;
    forget_locked(l);
    ranked_unlock(&mutex, RANK_POOL_LOCK);
}
