/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.util.List;
import org.jnova.NovaStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "rm",
        header = "Delete files of a pool",
        description =
                "Deletes each NAME, durably, also on a full pool. A NAME with slashes is the path of an imported file.",
        footer = {
            "  jnova rm /dev/shm/pool notes.txt old.log",
        })
final class RmCommand extends StoreCommand {
    @Mixin
    private PoolArguments pool;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "NAME", description = "A file in the pool.")
    private List<String> names;

    @Option(
            names = {"-f", "--force"},
            description = "A NAME that is not there is no error.")
    private boolean force;

    @Override
    public Integer call() throws IOException, CommandFailure {
        try (NovaStore store = pool.open(streams())) {
            for (String name : names) {
                String stored = TreeName.ofArgument(name);
                boolean deleted = store.exists(stored) && store.deleteIfExists(stored);
                if (!deleted && !force) {
                    problem(GetCommand.noFile(name));
                }
            }
        }
        return result();
    }
}
