/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

/**
 * What cleaning has done to the logs of a store since it was opened. A file or directory has a log that grows with each
 * change; what no longer counts in it is cleaned away by the calls that make it longer, a bounded step at a time, so that
 * it stays below twice what counts and a few pages.
 *
 * @param steps steps in which the first pages of a log were given up
 * @param pagesFreed log pages, of 4096 bytes, that were given back
 * @param copied extents, names and attributes that were appended again
 * @param failed steps that were given up, for lack of space or because of damage; the log is then longer than it should
 *     be, and says the same
 * @param nanos time that all of it took, nanoseconds
 */
public record CleaningStats(long steps, long pagesFreed, long copied, long failed, long nanos) {}
