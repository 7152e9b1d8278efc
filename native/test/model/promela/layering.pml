/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model, for spin(1), of files that are written and mapped at once: who waits for whom, and what mappings, log and
 * index show meanwhile (java/LOCKING.md, native/src/map). run.sh checks the protocol as it is, in all its states, and
 * that each BROKEN one is found broken.
 *
 * Source: the review of NOVA on the Linux mailing lists in 2018. A write held the inode's one lock while it copied; its
 * source, which may be a mapping, faulted; the fault wanted the lock, to give a hole its block (xfstests generic/344,
 * with two files each written from the other). And a mapping that had shown zeros for a hole went on to do so after a
 * write had filled it (generic/428). The JVM adds a wait of its own: a thread that is blocked in a page fault is "in
 * Java", where a safepoint waits for it, and whoever wants to get into Java waits for the end of the safepoint.
 *
 *   process    stands for
 *   writer     write(): takes ioLock; nova_write_fill() copies from a mapping, and may fault, or copies the mapped
 *              file's blocks under its logLock, as for Java; nova_write_commit() merges the rest of a partly written
 *              page, commits, and has the regions follow; then replay into the index
 *   storer     a Java thread that stores through one region of a file, and looks for it in another
 *   truncater  truncates a file to nothing, and extends it to a page again
 *   reader     read(): under an optimistic stamp of indexLock, and if that fails, or the view lacks what faults have
 *              committed before, under ioLock. In scenario CROSS it copies to a mapping, and faults in Java, perhaps
 *              with ioLock held
 *   handler    the thread that serves page faults
 *   collector  of garbage: the JVM's safepoints, at any time and any number
 *   judge      looks at what is left when all have ended
 *
 * A file has one page, of two words. Callers write word 0 or both; word 1 is stored to through mappings. Looking up
 * what a page shows and the load or store are one step: the kernel flushes TLBs before it returns. A commit is one step
 * too: what a crash leaves of it is a matter of the crash tests.
 *
 * What must hold, and what the assertion is called:
 *   - nobody waits for ever (invalid end state), and each run ends (ltl ends);
 *   - a load through a mapping sees what is current: what stores and writes have made of the file, in the order of the
 *     stores and of the moments at which regions came to show a written block (stale_page, lost_store);
 *   - of each word, read() sees what was current at some moment of the call (old_read); it sees no free block, because
 *     these hold what nobody writes.
 */

/* ---- scenarios: who does how much; run.sh has a table ---- */

#if defined(CROSS) /* two files, each written from a mapping of the other; read() copies from one into the other */
#define FILES 2
#define REGIONS 1
#define ACTORS 3
#else /* one file, mapped twice; the writer's source is a mapping of the file itself */
#define FILES 1
#define REGIONS 2
#define ACTORS 4
#endif
#ifndef WRITES
#define WRITES 1 /* by each writer */
#endif
#ifndef STORES
#define STORES 1
#endif
#ifndef READS
#define READS 1
#endif
#ifndef TRUNCATES
#define TRUNCATES 2 /* to no page, and to one again */
#endif
#ifndef MOVES
#define MOVES 1
#endif
#define BLOCKS 5 /* enough, or an assertion fails */

/* ---- broken protocols, one at a time ---- */

#define IO_LOCK_IN_FAULT 1   /* the fault path takes ioLock, as NOVA's took the one lock of the inode */
#define JAVA_HANDLER 2       /* faults are served by a Java thread */
#define LOG_LOCK_INTO_JVM 3  /* the commit returns to Java before it unlocks logLock */
#define NO_HOLD 4            /* partly written pages stay shown while they are merged */
#define NO_REMAP 5           /* regions keep their zeros when a write has filled the hole */
#define ONE_BY_ONE 6         /* a region shows the new block while another one shows what was before */
#define LATE_INDEX 7         /* indexLock is taken after the commit, for replay alone */
#define LATE_COUNT 8         /* a fault counts its commit after the region shows its block */
#define EARLY_FREE 9         /* a replaced block is given back with the commit, before the index has seen that */
#ifndef BROKEN
#define BROKEN 0
#endif

/* ---- what there is ---- */

/* What a page of a region shows (region.h); above BUS, a block. */
#define MISSING 0
#define HELD 1
#define ZERO 2
#define BUS 3
byte shows[FILES * REGIONS];
#define PAGE(f, r) ((f) * REGIONS + (r))
#define FILE(page) ((page) / REGIONS)
#define NOBODY 255 /* no page, where one could wait for a fault */

/* Blocks are 1..BLOCKS; 0 stands for a hole, and has zeros. */
#define FREE 0
#define USED 1
#define REPLACED(f) (2 + (f))       /* by a commit of which the index has not been told */
#define QUEUED(f) (2 + FILES + (f)) /* by one whose records are under way to the index */
#define POISON 7
byte state[BLOCKS + 1];
byte word0[BLOCKS + 1], word1[BLOCKS + 1];

/* The log, as far as the core has followed it (file_map.h). */
byte map[FILES];
bit size[FILES]; /* pages */

/* The view of Java, the records that a call has brought for it, and how many commits by faults it has not counted. */
byte index[FILES], records[FILES];
bit index_size[FILES], records_size[FILES];
byte unseen[FILES];
byte lacks; /* how many of those that the reader found when it began are not in the view yet */

/* Locks, in their order. */
bit io_lock[FILES], index_lock[FILES], log_lock[FILES];
bit stamp; /* the reader's, of index_lock[0]: still valid */

/* Page faults on their way to the handler: thread, page, 1 for a store. What page each thread waits for, plus one. */
#define THREADS 3
chan faults = [0] of {byte, byte, bit};
byte waits[THREADS];

/* The JVM: whether it stops, or has stopped, its threads; how many of them it waits for. */
bit safepoint;
byte in_java;

/* Not of the protocol: what is current; what has been since the reader began, as a set, or 0. */
byte current0[FILES], current1[FILES];
byte since0, since1;
byte finished, moves;
bit stale_page, lost_store, old_read, no_block; /* always 0: what a failed assertion is called */

/*
 * A thread in Java that waits for nothing is not counted in in_java: it lets the safepoint come soon. What it does
 * there begins with !safepoint.
 */

/* ---- what is current ---- */

inline now0(f, v) {
    current0[f] = v;
    if :: since0 != 0 && f == 0 -> since0 = since0 | (1 << v) :: else fi
}

inline now1(f, v) {
    current1[f] = v;
    if :: since1 != 0 && f == 0 -> since1 = since1 | (1 << v) :: else fi
}

/* ---- blocks; each in an atomic step ---- */

inline poison(b) {
    state[b] = FREE;
    word0[b] = POISON;
    word1[b] = POISON
}

/* The lowest free one: reuse is likely. */
inline allocate(b) {
    b = 1;
    do
    :: b <= BLOCKS && state[b] != FREE -> b++
    :: else -> break
    od;
    if :: b > BLOCKS -> assert(no_block) :: else -> state[b] = USED fi
}

/* The tail of the log moves: the page is this block now. */
inline commit(f, b) {
    if
    :: map[f] != 0 && BROKEN == EARLY_FREE -> poison(map[f])
    :: map[f] != 0 && BROKEN != EARLY_FREE -> state[map[f]] = REPLACED(f)
    :: else
    fi;
    map[f] = b
}

/* A call returns the records of all commits so far. */
inline report(f) {
    records[f] = map[f];
    records_size[f] = size[f];
    i = 1;
    do
    :: i <= BLOCKS -> if :: state[i] == REPLACED(f) -> state[i] = QUEUED(f) :: else fi; i++
    :: else -> break
    od;
    i = 0
}

/* They go into the index, and what they replaced is free. The caller holds io_lock and index_lock. */
inline replay(f) {
    index[f] = records[f];
    index_size[f] = records_size[f];
    records[f] = 0;
    records_size[f] = 0;
    i = 1;
    do
    :: i <= BLOCKS -> if :: state[i] == QUEUED(f) -> poison(i) :: else fi; i++
    :: else -> break
    od;
    i = 0
}

/* The view has reached what the count was before the call. */
inline seen(f) {
    unseen[f] = unseen[f] - count;
    if
    :: f == 0 && lacks > count -> lacks = lacks - count
    :: f == 0 && lacks <= count -> lacks = 0
    :: else
    fi;
    count = 0
}

/* Nobody else waits for index_lock: who takes it exclusively holds io_lock. */
inline lock_index(f) {
    assert(!index_lock[f]);
    index_lock[f] = 1;
    if :: f == 0 -> stamp = 0 :: else fi
}

/* ---- what regions show; the caller holds log_lock, each in an atomic step ---- */

inline wake(page) {
    i = 0;
    do
    :: i < THREADS -> if :: waits[i] == page + 1 -> waits[i] = 0 :: else fi; i++
    :: else -> break
    od;
    i = 0
}

/* Nobody stores to what the page showed from now on; it will be shown again. */
inline hold(page) {
    if :: shows[page] != MISSING -> shows[page] = HELD :: else fi
}

inline hold_all(f) {
    hold(PAGE(f, 0));
#if REGIONS == 2
    hold(PAGE(f, 1))
#endif
}

/*
 * Before a page gets another block: only the region that will show it first, that of the fault if there is one, keeps
 * what it shows until then. Or else somebody could see the new bytes in one, and then the old in another.
 */
inline hide_but_one(f, faulting) {
#if REGIONS == 2
    if
    :: BROKEN != ONE_BY_ONE && faulting == PAGE(f, 1) -> shows[PAGE(f, 0)] = MISSING
    :: BROKEN != ONE_BY_ONE && faulting != PAGE(f, 1) && (faulting == PAGE(f, 0) || shows[PAGE(f, 0)] != MISSING) ->
        shows[PAGE(f, 1)] = MISSING
    :: else
    fi
#else
    skip
#endif
}

/* The page shows the block, unless it is missing and nobody waits for it. */
inline turn_to(at, b, faulting) {
    if
    :: shows[at] != MISSING || faulting == at -> shows[at] = BUS + b; wake(at)
    :: else
    fi
}

/* The file has, or will have, one page. */
inline grow(page) {
    if :: shows[page] == BUS -> shows[page] = MISSING :: else fi
}

/*
 * Follows a write of word 0, or of both. What it wrote is current from the moment on that a region shows it; or, if
 * none shows anything of the page, when it has been followed.
 */
inline follow_write(page, b, both, last) {
    atomic {
        turn_to(page, b, NOBODY);
        if :: shows[page] != MISSING || last -> now0(FILE(page), word0[b]) :: else fi;
        if :: both && (shows[page] != MISSING || last) -> now1(FILE(page), word1[b]) :: else fi
    }
}

/* ---- accesses through a mapping ---- */

/* Of a block, or of a hole. */
inline check(b, f) {
    if :: word0[b] != current0[f] -> assert(stale_page) :: else fi;
    if :: word1[b] != current1[f] -> assert(lost_store) :: else fi
}

/* Of a page that shows a block, or zeros; these are stale if anything else is current. */
inline load(page) {
    if
    :: shows[page] > BUS -> check(shows[page] - BUS, FILE(page))
    :: shows[page] == ZERO && (current0[FILE(page)] != 0 || current1[FILE(page)] != 0) -> assert(stale_page)
    :: else
    fi
}

/*
 * A load, or a store of a value to word 1. java: 1 if the thread is in Java, and stays there while the fault is served.
 * It looks again when the handler wakes it, or, before the handler has taken the fault, when the page changes. SIGBUS
 * ends it.
 */
inline access(me, page, store, value, java) {
    atomic {
        !java || !safepoint ->
        in_java = in_java + java;
        do
        :: shows[page] > BUS && store ->
            word1[shows[page] - BUS] = value;
            now1(FILE(page), value);
            break
        :: (shows[page] > BUS || shows[page] == ZERO) && !store -> load(page); break
        :: shows[page] == BUS -> break
        :: shows[page] == MISSING || shows[page] == HELD || shows[page] == ZERO && store ->
            if
            :: faults!me, page, store -> waits[me] == 0
            :: shows[page] >= BUS || shows[page] == ZERO && !store
            fi
        od;
        in_java = in_java - java
    }
}

/* ---- processes ---- */

/* source: a page of a region. */
proctype writer(byte me, f, source) {
    byte n, b, i, count;
    bit both, keeps;
    do
    :: atomic {
            n < WRITES ->
            !safepoint && !io_lock[f] ->
            io_lock[f] = 1;
            n++;
            if :: both = 0 :: both = 1 fi
        };
        if /* nova_write_fill */
        :: access(me, source, 0, 0, 0)
        :: atomic { !log_lock[FILE(source)] -> check(map[FILE(source)], FILE(source)) }
        fi;
        atomic {
            allocate(b);
            word0[b] = n;
            if :: both -> word1[b] = 3 + n :: else fi;
            !safepoint;
            if :: BROKEN != LATE_INDEX -> lock_index(f) :: else fi;
            count = unseen[f]
        };
        atomic { /* nova_write_commit */
            !log_lock[f] ->
            log_lock[f] = 1;
            keeps = BROKEN == NO_REMAP && map[f] == 0;
            if :: !both && BROKEN != NO_HOLD && !keeps -> hold_all(f) :: else fi
        };
        if
        :: !both -> word1[b] = word1[map[f]]
        :: else
        fi;
        atomic {
            commit(f, b);
            size[f] = 1;
            report(f);
            grow(PAGE(f, 0));
#if REGIONS == 2
            grow(PAGE(f, 1));
#endif
            if
            :: !keeps -> hide_but_one(f, NOBODY)
            :: else ->
                now0(f, word0[b]);
                if :: both -> now1(f, word1[b]) :: else fi
            fi
        };
        if
        :: !keeps ->
            follow_write(PAGE(f, 0), b, both, REGIONS == 1);
#if REGIONS == 2
            follow_write(PAGE(f, 1), b, both, 1)
#endif
        :: else
        fi;
        atomic {
            if :: BROKEN != LOG_LOCK_INTO_JVM -> log_lock[f] = 0 :: else fi;
            b = 0;
            keeps = 0;
            !safepoint;
            if :: BROKEN == LATE_INDEX -> lock_index(f) :: else fi;
            replay(f);
            seen(f);
            both = 0;
            index_lock[f] = 0;
            io_lock[f] = 0;
            if :: BROKEN == LOG_LOCK_INTO_JVM -> log_lock[f] = 0 :: else fi
        }
    :: atomic { n == WRITES -> finished++; break }
    od
}

proctype truncater(byte f) {
    byte n, i, count;
    do
    :: atomic {
            n < TRUNCATES ->
            !safepoint && !io_lock[f] ->
            io_lock[f] = 1;
            lock_index(f);
            count = unseen[f]
        };
        atomic {
            !log_lock[f] ->
            log_lock[f] = 1;
            if :: n == 0 -> commit(f, 0) :: else fi;
            size[f] = n;
            report(f)
        };
        if
        :: n == 0 ->
#if REGIONS == 2
            atomic { shows[PAGE(f, 1)] = BUS; wake(PAGE(f, 1)) };
#endif
            atomic { shows[PAGE(f, 0)] = BUS; wake(PAGE(f, 0)); now0(f, 0); now1(f, 0) }
        :: else ->
            atomic {
                grow(PAGE(f, 0));
#if REGIONS == 2
                grow(PAGE(f, 1))
#endif
            }
        fi;
        atomic {
            log_lock[f] = 0;
            !safepoint;
            replay(f);
            seen(f);
            n++;
            index_lock[f] = 0;
            io_lock[f] = 0
        }
    :: atomic { n == TRUNCATES -> finished++; break }
    od
}

/* What it stores through one region it looks for in the other. */
proctype storer(byte me, f) {
    byte n;
    do
    :: atomic { n < STORES -> n++ };
        access(me, PAGE(f, (n + 1) % REGIONS), 1, n, 1);
        access(me, PAGE(f, n % REGIONS), 0, 0, 1)
    :: atomic { n == STORES -> finished++; break }
    od
}

/* What is read is copied to a mapping. */
inline copied_to() {
#if defined(CROSS)
    access(me, PAGE(1, 0), 1, 3, 1)
#else
    skip
#endif
}

inline read_word(word, since) {
    if :: (since & (1 << word)) == 0 -> wrong = 1 :: else fi
}

/* Reads file 0. What it copies behind an invalid stamp is of no interest. */
proctype reader(byte me) {
    byte n, b, i, count;
    bit wrong;
    do
    :: atomic {
            n < READS ->
            !safepoint ->
            n++;
            lacks = unseen[0];
            since0 = 1 << current0[0];
            since1 = 1 << current1[0]
        };
        atomic {
            if
            :: index_lock[0] || lacks != 0 -> goto locked
            :: else -> stamp = 1; b = (index_size[0] -> index[0] : 0)
            fi
        };
        atomic { if :: stamp -> read_word(word0[b], since0) :: else -> goto locked fi };
        atomic { if :: stamp -> read_word(word1[b], since1) :: else -> goto locked fi };
        copied_to();
        atomic { if :: stamp -> stamp = 0; goto done :: else -> goto locked fi };
locked:
        atomic {
            b = 0;
            wrong = 0;
            !safepoint && !io_lock[0] ->
            io_lock[0] = 1;
            if :: lacks == 0 -> goto complete :: else -> count = unseen[0] fi
        };
        atomic { !log_lock[0] -> report(0) }; /* nova_replay */
        atomic {
            !safepoint ->
            lock_index(0);
            replay(0);
            seen(0);
            index_lock[0] = 0
        };
complete:
        copied_to();
        atomic {
            b = (index_size[0] -> index[0] : 0);
            read_word(word0[b], since0);
            read_word(word1[b], since1);
            io_lock[0] = 0
        };
done:
        atomic {
            if :: wrong -> assert(old_read) :: else fi;
            b = 0;
            lacks = 0;
            since0 = 0;
            since1 = 0
        }
    :: atomic { n == READS -> finished++; break }
    od
}

/* The page becomes this block, and no caller knows. */
inline commit_unasked(b) {
    atomic {
        commit(FILE(page), b);
        if :: BROKEN != LATE_COUNT -> unseen[FILE(page)]++ :: else fi;
        hide_but_one(FILE(page), page)
    };
    atomic { turn_to(PAGE(FILE(page), 0), b, page) };
#if REGIONS == 2
    atomic { turn_to(PAGE(FILE(page), 1), b, page) };
#endif
    if :: BROKEN == LATE_COUNT -> unseen[FILE(page)]++ :: else fi
}

proctype handler() {
    byte page, b, i;
    bit store;
end:
    do
    :: atomic {
            faults?b, page, store ->
            waits[b] = page + 1;
            b = 0;
            if :: BROKEN == JAVA_HANDLER -> !safepoint -> in_java++ :: else fi;
            if :: BROKEN == IO_LOCK_IN_FAULT -> !io_lock[FILE(page)] -> io_lock[FILE(page)] = 1 :: else fi;
            !log_lock[FILE(page)] ->
            log_lock[FILE(page)] = 1
        };
        if
        :: atomic { !size[FILE(page)] -> shows[page] = BUS }
        :: atomic { size[FILE(page)] && map[FILE(page)] != 0 -> shows[page] = BUS + map[FILE(page)] }
        :: atomic { /* moves the block, which it may do beside (map_budget.c) */
                size[FILE(page)] && map[FILE(page)] != 0 && moves < MOVES ->
                moves++;
                hold_all(FILE(page));
                allocate(b);
                word0[b] = word0[map[FILE(page)]];
                word1[b] = word1[map[FILE(page)]]
            };
            commit_unasked(b)
        :: atomic {
                size[FILE(page)] && map[FILE(page)] == 0 && store ->
                allocate(b);
                word0[b] = 0;
                word1[b] = 0
            };
            commit_unasked(b)
        :: atomic {
                size[FILE(page)] && map[FILE(page)] == 0 && !store ->
                if :: shows[page] == MISSING || shows[page] == HELD -> shows[page] = ZERO :: else fi
            }
        fi;
        atomic {
            wake(page);
            log_lock[FILE(page)] = 0;
            if :: BROKEN == IO_LOCK_IN_FAULT -> io_lock[FILE(page)] = 0 :: else fi;
            if :: BROKEN == JAVA_HANDLER -> in_java-- :: else fi;
            page = 0;
            store = 0;
            b = 0
        }
    od
}

/* A safepoint that needs not wait for anybody changes nothing. */
proctype collector() {
end:
    do
    :: in_java != 0 ->
        safepoint = 1;
        atomic { in_java == 0 -> safepoint = 0 }
    od
}

proctype judge() {
    byte f, page;
    atomic {
        finished == ACTORS && !log_lock[0] && !log_lock[FILES - 1];
        do
        :: f < FILES ->
            assert(!io_lock[f] && !index_lock[f]);
            check(map[f], f);
            f++
        :: else -> break
        od;
        do
        :: page < FILES * REGIONS ->
            f = FILE(page);
            if
            :: shows[page] == MISSING
            :: shows[page] == BUS && !size[f]
            :: shows[page] == ZERO && size[f] && map[f] == 0
            :: shows[page] > BUS && size[f] && shows[page] == BUS + map[f]
            :: else -> assert(stale_page)
            fi;
            page++
        :: else -> break
        od
    }
}

init {
    byte i = 1;
    atomic {
        do
        :: i <= BLOCKS -> poison(i); i++
        :: else -> break
        od;
        for (i : 0 .. FILES - 1) { size[i] = 1; index_size[i] = 1 }
        run handler();
        run collector();
        run judge();
        run reader(2);
        run writer(0, 0, PAGE(FILES - 1, REGIONS - 1));
#if defined(CROSS)
        run writer(1, 1, PAGE(0, 0))
#else
        run storer(1, 0);
        run truncater(0)
#endif
    }
}

#if defined(PROGRESS)
ltl ends { <> (finished == ACTORS) }
#endif
