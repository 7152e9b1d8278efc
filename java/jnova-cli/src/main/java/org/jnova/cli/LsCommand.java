/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jnova.FileInfo;
import org.jnova.NovaStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "ls",
        header = "List the files of a pool",
        description = {
            "Lists names in the order of their bytes. Control characters and backslashes in them are shown as in C; "
                    + "--json has them as they are.",
            "Names beginning with %%part- are left over from an import or put that was cut short; the next one deletes"
                    + " them."
        },
        footer = {
            "  jnova ls /dev/shm/pool -l",
            "  jnova ls /dev/shm/pool --json | jq -r '.[] | select(.size > 1000000) | .name'",
        })
final class LsCommand extends StoreCommand {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT).withZone(ZoneId.systemDefault());

    @Mixin
    private PoolArguments pool;

    @Option(names = "-l", description = "Long: size in bytes, entries in the log, time of the last write, name.")
    private boolean details;

    @Option(names = "--json", description = "Print JSON: a list with an object per file.")
    private boolean json;

    @Override
    public Integer call() throws IOException, CommandFailure {
        try (NovaStore store = pool.open(streams())) {
            if (json) {
                out().println(Json.of(list(store).stream().map(LsCommand::json).toList()));
            } else if (details) {
                list(store).forEach(this::print);
            } else {
                store.names().forEach(name -> out().println(Text.printable(name)));
            }
        }
        return Main.OK;
    }

    /** Reads the log of every file, so a large store may take a while. */
    private List<FileInfo> list(NovaStore store) throws IOException {
        return Progress.during("reading the logs", streams(), store::list);
    }

    private void print(FileInfo file) {
        out().printf(
                        Locale.ROOT,
                        "%14d %8d  %s  %s%n",
                        file.size(),
                        file.logEntries(),
                        TIME.format(file.modified().toInstant()),
                        Text.printable(file.name()));
    }

    private static Map<String, Object> json(FileInfo file) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("name", file.name());
        map.put("size", file.size());
        map.put("allocated", file.allocated());
        map.put("modified", file.modified().toString());
        map.put("created", file.created().toString());
        map.put("inode", file.ino());
        map.put("logEntries", file.logEntries());
        map.put("logPages", file.logPages());
        return map;
    }
}
