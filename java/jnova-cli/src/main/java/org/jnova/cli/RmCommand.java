/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import org.jnova.FileInfo;
import org.jnova.FileType;
import org.jnova.NovaStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "rm",
        header = "Delete files, links and directories of a pool",
        description = "Deletes the file, symbolic link or empty directory at each PATH, durably, also on a full pool.",
        footer = {
            "  jnova rm /dev/shm/pool notes.txt old.log",
            "  jnova rm -r /dev/shm/pool old/versions",
        })
final class RmCommand extends StoreCommand {
    @Mixin
    private PoolArguments pool;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "PATH", description = "What to delete.")
    private List<String> names;

    @Option(
            names = {"-f", "--force"},
            description = "A PATH that is not there is no error.")
    private boolean force;

    @Option(
            names = {"-r", "--recursive"},
            description = "Delete directories with all that is in them; file by file, so a crash may leave some.")
    private boolean recursive;

    @Override
    public Integer call() throws IOException, CommandFailure {
        try (NovaStore store = pool.open(streams())) {
            each(names, name -> delete(store, name));
        }
        return result();
    }

    private void delete(NovaStore store, String name) throws IOException {
        if (!store.exists(name, NOFOLLOW_LINKS)) {
            if (!force) {
                problem(GetCommand.noFile(name));
            }
            return;
        }
        if (recursive && store.stat(name, NOFOLLOW_LINKS).type() == FileType.DIRECTORY) {
            if (Set.of("", ".", "..").contains(StoreTree.lastName(name))) {
                problem(Text.printable(name) + ": the root, or a path that ends in \".\" or \"..\", is not deleted");
                return;
            }
            deleteTree(store, name);
        } else {
            store.delete(name);
        }
    }

    /** Deletes what a path names, with all that is in it. */
    static void deleteTree(NovaStore store, String path) throws IOException {
        StoreTree.walk(store, path, new StoreTree.Visitor() {
            @Override
            public void enter(String inside, FileInfo info) throws IOException {
                if (info.type() != FileType.DIRECTORY) {
                    store.delete(inside);
                }
            }

            @Override
            public void leave(String inside, FileInfo info) throws IOException {
                store.delete(inside);
            }
        });
    }
}
