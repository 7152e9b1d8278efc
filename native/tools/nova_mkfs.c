/* SPDX-License-Identifier: Apache-2.0 */
/* nova-mkfs: makes a pool file. */
#include <errno.h>
#include <getopt.h>

#include "tool.h"

static const char
    help[] = "Usage: nova-mkfs [OPTION]... FILE SIZE\n"
             "Makes a JNova pool in the new file FILE and allocates all of its SIZE bytes.\n"
             "\n"
             "SIZE is a number of bytes, or one with a suffix K, M, G or T (powers of 1024): 1M to 8T.\n"
             "\n"
             "  -e, --emulated  treat the file as persistent memory although it is not (tmpfs, page\n"
             "                  cache): survives the end of a process, not a power failure\n"
             "  -h, --help      this text\n"
             "  -V, --version   the library's version\n"
             "\n"
             "Exit code: 0 the pool is made, 2 usage, or it could not be made (no file is left behind).\n";

/* 0 if the text is no size. */
static uint64_t parse_size(const char *text) {
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (errno != 0 || end == text || text[0] == '-')
        return 0;
    unsigned shift = 0;
    switch (*end) {
    case 'K':
    case 'k': shift = 10; break;
    case 'M':
    case 'm': shift = 20; break;
    case 'G':
    case 'g': shift = 30; break;
    case 'T':
    case 't': shift = 40; break;
    case '\0': break;
    default: return 0;
    }
    if (shift != 0 && end[1] != '\0')
        return 0;
    return n > UINT64_MAX >> shift ? 0 : (uint64_t)n << shift;
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"emulated", no_argument, NULL, 'e'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'V'},
                                            {0}};
    struct nova_pool_options opt = {0};
    struct nova_error err;
    for (int c; (c = getopt_long(argc, argv, "ehV", options, NULL)) != -1;) {
        switch (c) {
        case 'e': opt.flags |= NOVA_OPT_EMULATED; break;
        case 'h': (void)fputs(help, stdout); return tool_done("nova-mkfs", EXIT_FINE);
        case 'V': (void)printf("nova-mkfs %s\n", nova_version()); return tool_done("nova-mkfs", EXIT_FINE);
        default: return tool_usage("nova-mkfs");
        }
    }
    if (argc - optind != 2)
        return tool_usage("nova-mkfs");
    uint64_t size = parse_size(argv[optind + 1]);
    if (size == 0) {
        (void)fprintf(stderr, "nova-mkfs: '%s' is not a size\n", argv[optind + 1]);
        return tool_usage("nova-mkfs");
    }
    if (nova_pool_create(argv[optind], size, &opt, &err) != NOVA_OK)
        return tool_fail("nova-mkfs", &err);
    return EXIT_FINE;
}
