/* SPDX-License-Identifier: Apache-2.0 */
/* nova-fsck: checks a pool file, and repairs what can be. */
#include <getopt.h>

#include "tool.h"

static const char help[] =
    "Usage: nova-fsck [OPTION]... FILE\n"
    "Checks every structure of the JNova pool FILE, which no process may have open, and changes nothing unless\n"
    "--repair is given.\n"
    "\n"
    "Each finding is a line on standard output, its fields separated by tabs:\n"
    "  error, warning or repaired, structure, byte offset in the pool (or -), what is (or was) wrong\n"
    "An error is damage. A warning is harmless: a leftover of a crash that the next open clears, or a removal in a\n"
    "directory's log of a name that it did not hold, or held for another inode.\n"
    "\n"
    "  -r, --repair    repair what has a replica or follows from what is whole: superblock, state, snapshot, bytes\n"
    "                  that must be zero, inodes without a name; damage in logs is left as it is\n"
    "  -q, --quiet     findings only, no summary\n"
    "  -s, --strict    count warnings as findings\n"
    "  -h, --help      this text\n"
    "  -V, --version   the library's version\n"
    "\n"
    "Exit code: 0 no errors, 1 errors (with --strict: or warnings), 2 usage, or FILE cannot be read as a pool.\n";

static void print_summary(const struct nova_fsck_summary *s) {
    if (s->repaired != 0)
        (void)printf("%llu repaired\n", (unsigned long long)s->repaired);
    (void)printf("%s: %llu errors, %llu warnings\n"
                 "%llu inodes, %llu log entries, %llu bytes in files; blocks: %llu used + %llu free = %llu\n",
                 s->clean ? "closed in order" : "not closed in order (the next open recovers)",
                 (unsigned long long)s->errors, (unsigned long long)s->warnings, (unsigned long long)s->inodes,
                 (unsigned long long)s->entries, (unsigned long long)s->bytes, (unsigned long long)s->blocks_used,
                 (unsigned long long)s->blocks_free, (unsigned long long)s->blocks_total);
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"repair", no_argument, NULL, 'r'},  {"quiet", no_argument, NULL, 'q'},
                                            {"strict", no_argument, NULL, 's'},  {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'V'}, {0}};
    int repair = 0, quiet = 0, strict = 0;
    for (int c; (c = getopt_long(argc, argv, "rqshV", options, NULL)) != -1;) {
        switch (c) {
        case 'r': repair = 1; break;
        case 'q': quiet = 1; break;
        case 's': strict = 1; break;
        case 'h': (void)fputs(help, stdout); return tool_done("nova-fsck", EXIT_FINE);
        case 'V': (void)printf("nova-fsck %s\n", nova_version()); return tool_done("nova-fsck", EXIT_FINE);
        default: return tool_usage("nova-fsck");
        }
    }
    if (argc - optind != 1)
        return tool_usage("nova-fsck");
    struct nova_error err;
    struct nova_fsck_summary sum;
    char *text = NULL;
    size_t cap = 0, needed = 1 << 16;
    while (needed >= cap) { /* the first report may not fit */
        cap = needed + 1;
        free(text);
        text = malloc(cap);
        if (text == NULL) {
            perror("nova-fsck");
            return EXIT_CANNOT;
        }
        int rc = repair ? nova_fsck_repair(argv[optind], NULL, text, cap, &needed, &sum, &err)
                        : nova_fsck(argv[optind], text, cap, &needed, &sum, &err);
        if (rc != NOVA_OK) {
            free(text);
            return tool_fail("nova-fsck", &err);
        }
    }
    (void)fputs(text, stdout);
    free(text);
    if (!quiet)
        print_summary(&sum);
    return tool_done("nova-fsck", sum.errors != 0 || (strict && sum.warnings != 0) ? EXIT_FINDINGS : EXIT_FINE);
}
