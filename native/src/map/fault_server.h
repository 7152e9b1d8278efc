/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page faults in user space, by userfaultfd(2): a descriptor for the whole process, one thread that reads it, and a few
 * that serve what it reads. Started with the first lazy region, and never stopped. A child of fork() has none of them,
 * and may start its own.
 *
 * The reader takes no lock but that of its queue, so that it always gets on: whoever moves a mapping (fault_hide())
 * waits until the event about it has been read, and may hold any lock of the core meanwhile. All these threads are
 * plain ones: they never enter a virtual machine whose threads may be what waits for them.
 */
#ifndef NOVA_MAP_FAULT_SERVER_H
#define NOVA_MAP_FAULT_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "nova.h"

/* Whoever serves a fault at addr; store: it was not a mere load. Ends in fault_wake() of the page, sooner or later. */
typedef void fault_handler(void *addr, bool store);

/*
 * Starts it, if it does not run. False if the kernel has no userfaultfd for faults of any mode, here: then nothing else
 * of this header may be called.
 */
bool fault_server_start(fault_handler *handler);

/* Whether it could be, of this moment. Starts nothing. */
bool fault_server_possible(void);

/* Faults that nobody serves yet, of this moment. */
unsigned fault_waiting(void);

/*
 * Makes [addr, addr + len), mapped in any way, pages that are missing: the next access to each waits for the server.
 * In one step: no access finds anything in between. 0 or an errno: then nothing has changed, or, for lack of mappings
 * or of the kernel's memory, nothing is there any more.
 */
int fault_hide(void *addr, size_t len, int prot);

/* Fills missing pages with zeros that may be loaded; stores to them are faults. 0 or an errno. */
int fault_zeros(void *addr, size_t len);

/* The same in a mapping of its own, in one step: takes longer by some 60 us, but then less per page, and no memory. */
int fault_zeros_apart(void *addr, size_t len, int prot);

/* Lets the threads go on that wait for these pages. */
void fault_wake(void *addr, size_t len);

#endif
