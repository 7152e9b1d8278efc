/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a long test has done, in one closing line with its counts: how many crash states, mutants, flips. `./jnova test`
 * shows these lines at its end.
 */
#ifndef NOVA_TEST_SUPPORT_REPORT_H
#define NOVA_TEST_SUPPORT_REPORT_H

/* Prints the line to standard output, and appends it to the file that NOVA_REPORT names, if any. No newline in it. */
void report_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
