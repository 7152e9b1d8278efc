/* SPDX-License-Identifier: Apache-2.0 */
/* nova-dump: shows an inode and its log. */
#include <getopt.h>

#include "tool.h"

static const char
    help[] = "Usage: nova-dump [OPTION]... FILE [NAME]\n"
             "Shows the inode that the root directory of the JNova pool FILE knows by NAME (without NAME: the root\n"
             "directory itself): slot, log pages, and each log entry with its place, sequence number and contents.\n"
             "No process may have the pool open. Changes nothing; damage is shown as far as it can be read.\n"
             "\n"
             "  -h, --help      this text\n"
             "  -V, --version   the library's version\n"
             "\n"
             "Exit code: 0 shown, 2 usage, no such name, or FILE cannot be read as a pool.\n";

int main(int argc, char **argv) {
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {0}};
    for (int c; (c = getopt_long(argc, argv, "hV", options, NULL)) != -1;) {
        switch (c) {
        case 'h': (void)fputs(help, stdout); return tool_done("nova-dump", EXIT_FINE);
        case 'V': (void)printf("nova-dump %s\n", nova_version()); return tool_done("nova-dump", EXIT_FINE);
        default: return tool_usage("nova-dump");
        }
    }
    if (argc - optind < 1 || argc - optind > 2)
        return tool_usage("nova-dump");
    const char *name = argc - optind == 2 ? argv[optind + 1] : NULL;
    struct nova_error err;
    char *text = NULL;
    size_t cap = 0, needed = 1 << 16;
    while (needed >= cap) { /* the first report may not fit */
        cap = needed + 1;
        free(text);
        text = malloc(cap);
        if (text == NULL) {
            perror("nova-dump");
            return EXIT_CANNOT;
        }
        if (nova_dump(argv[optind], name, text, cap, &needed, &err) != NOVA_OK) {
            free(text);
            return tool_fail("nova-dump", &err);
        }
    }
    (void)fputs(text, stdout);
    free(text);
    return tool_done("nova-dump", EXIT_FINE);
}
