/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.util.List;
import org.jnova.AttributeChange;
import org.jnova.NovaStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "chmod",
        header = "Set the mode of files",
        description =
                "Sets the permission bits of what is at each PATH. The store keeps them for export, and"
                        + " checks none itself.",
        footer = {
            "  jnova chmod /dev/shm/pool 640 conf/server.xml",
        })
final class ChmodCommand extends StoreCommand {
    @Mixin
    private PoolArguments pool;

    @Parameters(index = "1", paramLabel = "MODE", description = "Octal, 0 to 7777.")
    private String mode;

    @Parameters(index = "2..*", arity = "1..*", paramLabel = "PATH", description = "A file or directory.")
    private List<String> paths;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, CommandFailure {
        if (!mode.matches("[0-7]{1,5}") || Integer.parseInt(mode, 8) > 07777) {
            throw new ParameterException(spec.commandLine(), "'" + mode + "' is not an octal mode of 0 to 7777");
        }
        AttributeChange change = AttributeChange.none().mode(Integer.parseInt(mode, 8));
        try (NovaStore store = pool.open(streams())) {
            each(paths, path -> store.setAttributes(path, change));
        }
        return result();
    }
}
