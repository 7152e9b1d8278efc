/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that each thread has to itself, until it ends. */
#ifndef NOVA_TEST_SUPPORT_THREAD_BUFFER_H
#define NOVA_TEST_SUPPORT_THREAD_BUFFER_H

#include <stddef.h>
#include <stdint.h>

enum thread_buffer { BUFFER_COPY, BUFFER_FRESH, THREAD_BUFFERS };

/* At least len bytes of the calling thread's; what they held before may be gone. */
uint8_t *thread_buffer(enum thread_buffer which, size_t len);

#endif
