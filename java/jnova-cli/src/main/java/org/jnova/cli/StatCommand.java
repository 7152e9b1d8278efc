/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.io.IOException;
import java.util.ArrayList;
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
        name = "stat",
        header = "Show attributes",
        description =
                "Prints type, size, names, mode, owner, times and extended attributes of what is at each PATH;"
                        + " symbolic links are not followed.",
        footer = {
            "  jnova stat /dev/shm/pool notes.txt",
        })
final class StatCommand extends StoreCommand {
    @Mixin
    private PoolArguments pool;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "PATH", description = "What to show.")
    private List<String> paths;

    @Option(names = "--json", description = "Print JSON: a list with an object per PATH.")
    private boolean json;

    @Override
    public Integer call() throws IOException, CommandFailure {
        List<Object> objects = new ArrayList<>();
        try (NovaStore store = pool.open(streams())) {
            each(paths, path -> {
                FileInfo info = store.stat(path, NOFOLLOW_LINKS);
                List<String> attributes = store.listAttributes(path, NOFOLLOW_LINKS);
                Map<String, Object> object = LsCommand.json(info);
                object.put("attributes", attributes);
                objects.add(object);
                if (!json) {
                    print(info, info.type() == FileType.SYMLINK ? " -> " + store.readSymbolicLink(path) : "");
                    attributes.forEach(name -> out().println("  attribute " + Text.printable(name)));
                }
            });
        }
        if (json) {
            out().println(Json.of(objects));
        }
        return result();
    }

    private void print(FileInfo info, String arrow) {
        out().println(Text.printable(info.name() + arrow));
        out().printf(Locale.ROOT, "  type %s, inode %d, names %d%n", info.type(), info.ino(), info.nlink());
        out().printf(
                        Locale.ROOT,
                        "  mode %04o (%s), owner %d, group %d%n",
                        info.mode(),
                        Text.mode(info),
                        info.uid(),
                        info.gid());
        out().printf(
                        Locale.ROOT,
                        "  size %d, allocated %d, blocks %d, log entries %d, log pages %d%n",
                        info.size(),
                        info.allocated(),
                        info.blocks(),
                        info.logEntries(),
                        info.logPages());
        out().println("  created  " + info.created());
        out().println("  modified " + info.modified());
        out().println("  accessed " + info.accessed());
        out().println("  changed  " + info.changed());
    }
}
