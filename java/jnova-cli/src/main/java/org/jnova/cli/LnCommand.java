/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import org.jnova.NovaStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "ln",
        header = "Link files in a pool",
        description =
                "Gives the file TARGET another name, LINK; or, with -s, makes LINK a symbolic link to"
                        + " the path TARGET.",
        footer = {
            "  jnova ln /dev/shm/pool current.log archive/today.log",
            "  jnova ln -s /dev/shm/pool versions/7 current",
        })
final class LnCommand extends StoreCommand {
    @Mixin
    private PoolArguments pool;

    @Parameters(index = "1", paramLabel = "TARGET", description = "The file; for -s any path.")
    private String target;

    @Parameters(index = "2", paramLabel = "LINK", description = "The new name.")
    private String link;

    @Option(
            names = {"-s", "--symbolic"},
            description = "Make a symbolic link. A relative TARGET is relative to the directory of LINK.")
    private boolean symbolic;

    @Override
    public Integer call() throws IOException, CommandFailure {
        try (NovaStore store = pool.open(streams())) {
            if (symbolic) {
                store.createSymbolicLink(link, target);
            } else {
                store.createLink(link, target);
            }
        }
        return Main.OK;
    }
}
