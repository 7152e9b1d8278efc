/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.io.IOException;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jnova.FileInfo;
import org.jnova.FileType;
import org.jnova.NovaStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "ls",
        header = "List a directory of a pool",
        description = {
            "Lists names in the order of their bytes. Control characters and backslashes in them are shown as in C; "
                    + "--json has them as they are.",
            "Names in the root that begin with .jnova-part- are left over from an import or put"
                    + " that was cut short; the next one deletes"
                    + " them."
        },
        footer = {
            "  jnova ls /dev/shm/pool -l src/main",
            "  jnova ls /dev/shm/pool --json | jq -r '.[] | select(.size > 1000000) | .name'",
        })
final class LsCommand extends StoreCommand {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT).withZone(ZoneId.systemDefault());

    @Mixin
    private PoolArguments pool;

    @Parameters(index = "1", arity = "0..1", paramLabel = "PATH", description = "What to list. Default: the root.")
    private String path = "/";

    @Option(
            names = "-l",
            description =
                    "Long: type and mode, names, owner, group, bytes, time of the last change, name ->"
                            + " target.")
    private boolean details;

    @Option(names = "--json", description = "Print JSON: a list with an object per file.")
    private boolean json;

    @Override
    public Integer call() throws IOException, CommandFailure {
        try (NovaStore store = pool.open(streams())) {
            boolean directory = store.exists(path) && store.stat(path).type() == FileType.DIRECTORY;
            if (!json && !details && directory) {
                store.names(path).forEach(name -> out().println(Text.printable(name)));
                return Main.OK;
            }
            List<FileInfo> list = directory ? inside(store) : List.of(store.stat(path, NOFOLLOW_LINKS));
            if (json) {
                out().println(Json.of(list.stream().map(LsCommand::json).toList()));
            } else if (details) {
                for (FileInfo info : list) {
                    print(store, info, directory ? StoreTree.join(path, info.name()) : path);
                }
            } else {
                out().println(Text.printable(path));
            }
        }
        return Main.OK;
    }

    /** Reads the log of every file, so a large directory may take a while. */
    private List<FileInfo> inside(NovaStore store) throws IOException {
        return Progress.during("reading the logs", streams(), () -> store.list(path));
    }

    private void print(NovaStore store, FileInfo info, String at) throws IOException {
        String arrow = info.type() == FileType.SYMLINK ? " -> " + Text.printable(store.readSymbolicLink(at)) : "";
        out().printf(
                        Locale.ROOT,
                        "%s %4d %5d %5d %14d  %s  %s%n",
                        Text.mode(info),
                        info.nlink(),
                        info.uid(),
                        info.gid(),
                        info.size(),
                        TIME.format(info.modified().toInstant()),
                        Text.printable(info.name()) + arrow);
    }

    static Map<String, Object> json(FileInfo file) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("name", file.name());
        map.put("type", file.type().name());
        map.put("mode", file.mode());
        map.put("nlink", file.nlink());
        map.put("uid", file.uid());
        map.put("gid", file.gid());
        map.put("size", file.size());
        map.put("allocated", file.allocated());
        map.put("blocks", file.blocks());
        map.put("modified", file.modified().toString());
        map.put("accessed", file.accessed().toString());
        map.put("changed", file.changed().toString());
        map.put("created", file.created().toString());
        map.put("inode", file.ino());
        map.put("logEntries", file.logEntries());
        map.put("logPages", file.logPages());
        return map;
    }
}
