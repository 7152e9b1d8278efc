/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.util.List;
import org.jnova.FileType;
import org.jnova.NovaStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "mkdir",
        header = "Make directories in a pool",
        description = "Makes a directory at each PATH, durably.",
        footer = {
            "  jnova mkdir -p /dev/shm/pool src/main/java",
        })
final class MkdirCommand extends StoreCommand {
    @Mixin
    private PoolArguments pool;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "PATH", description = "The directory.")
    private List<String> paths;

    @Option(
            names = {"-p", "--parents"},
            description = "Make what is missing on the way, too; one that is there is no error.")
    private boolean parents;

    @Override
    public Integer call() throws IOException, CommandFailure {
        try (NovaStore store = pool.open(streams())) {
            each(paths, path -> make(store, path));
        }
        return result();
    }

    private void make(NovaStore store, String path) throws IOException {
        if (!parents) {
            store.createDirectory(path);
            return;
        }
        for (int end = path.indexOf('/', 1); end >= 0; end = path.indexOf('/', end + 1)) {
            makeMissing(store, path.substring(0, end));
        }
        makeMissing(store, path);
    }

    private static void makeMissing(NovaStore store, String path) throws IOException {
        if (!store.exists(path) || store.stat(path).type() != FileType.DIRECTORY) {
            store.createDirectory(path);
        }
    }
}
