/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stand-ins for the libndctl and libdaxctl functions that libpmem.a references.
 *
 * libpmem asks libndctl about device DAX (/dev/daxX.Y) and about bad blocks of whole pool sets. A JNova
 * pool is one regular file on a file system, for which libpmem reaches none of these functions (it finds
 * out by mmap(MAP_SYNC)). Linking the real libraries would drag udev, kmod and a crypto library into every
 * JVM; leaving the symbols undefined would forbid -z defs and -z now. So each of them is defined here, and
 * says what a machine without NVDIMMs says: there is no context, no bus, no region.
 *
 * ndctl_new() fails, hence nobody ever holds an object to pass to the functions below it; they exist to
 * be linked, and answer "none" should that change.
 *
 * The definitions are hidden: they end in the library or program they are linked into, and cannot stand in
 * for the real libndctl of a process that uses it as well.
 */
#include <errno.h>
#include <stddef.h>

struct ndctl_ctx;
struct ndctl_bus;
struct ndctl_region;
struct ndctl_namespace;
struct ndctl_btt;
struct ndctl_pfn;
struct ndctl_dax;
struct daxctl_region;
struct daxctl_dev;

/* Prototype, then definition: the headers of libndctl need not be installed. */
#define NONE(type, name, ...)                                                                                          \
    __attribute__((visibility("hidden"))) type name(__VA_ARGS__);                                                      \
    type name(__VA_ARGS__)

NONE(int, ndctl_new, struct ndctl_ctx **ctx) {
    *ctx = NULL;
    return -ENOTSUP;
}

NONE(struct ndctl_ctx *, ndctl_unref, struct ndctl_ctx *ctx) {
    (void)ctx;
    return NULL;
}

NONE(struct ndctl_bus *, ndctl_bus_get_first, struct ndctl_ctx *ctx) {
    (void)ctx;
    return NULL;
}

NONE(struct ndctl_bus *, ndctl_bus_get_next, struct ndctl_bus *bus) {
    (void)bus;
    return NULL;
}

NONE(struct ndctl_region *, ndctl_region_get_first, struct ndctl_bus *bus) {
    (void)bus;
    return NULL;
}

NONE(struct ndctl_region *, ndctl_region_get_next, struct ndctl_region *region) {
    (void)region;
    return NULL;
}

NONE(unsigned int, ndctl_region_get_id, struct ndctl_region *region) {
    (void)region;
    return 0;
}

NONE(int, ndctl_region_get_numa_node, struct ndctl_region *region) {
    (void)region;
    return -1;
}

NONE(struct ndctl_namespace *, ndctl_namespace_get_first, struct ndctl_region *region) {
    (void)region;
    return NULL;
}

NONE(struct ndctl_namespace *, ndctl_namespace_get_next, struct ndctl_namespace *ndns) {
    (void)ndns;
    return NULL;
}

NONE(struct ndctl_btt *, ndctl_namespace_get_btt, struct ndctl_namespace *ndns) {
    (void)ndns;
    return NULL;
}

NONE(struct ndctl_pfn *, ndctl_namespace_get_pfn, struct ndctl_namespace *ndns) {
    (void)ndns;
    return NULL;
}

NONE(struct ndctl_dax *, ndctl_namespace_get_dax, struct ndctl_namespace *ndns) {
    (void)ndns;
    return NULL;
}

NONE(const char *, ndctl_namespace_get_block_device, struct ndctl_namespace *ndns) {
    (void)ndns;
    return "";
}

NONE(const char *, ndctl_btt_get_block_device, struct ndctl_btt *btt) {
    (void)btt;
    return "";
}

NONE(const char *, ndctl_pfn_get_block_device, struct ndctl_pfn *pfn) {
    (void)pfn;
    return "";
}

NONE(unsigned long, ndctl_dax_get_align, struct ndctl_dax *dax) {
    (void)dax;
    return 0;
}

NONE(unsigned long long, ndctl_dax_get_size, struct ndctl_dax *dax) {
    (void)dax;
    return 0;
}

NONE(struct daxctl_region *, ndctl_dax_get_daxctl_region, struct ndctl_dax *dax) {
    (void)dax;
    return NULL;
}

NONE(struct daxctl_dev *, daxctl_dev_get_first, struct daxctl_region *region) {
    (void)region;
    return NULL;
}

NONE(struct daxctl_dev *, daxctl_dev_get_next, struct daxctl_dev *dev) {
    (void)dev;
    return NULL;
}

NONE(const char *, daxctl_dev_get_devname, struct daxctl_dev *dev) {
    (void)dev;
    return "";
}
