/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import org.jnova.NovaStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
        name = "cat",
        header = "Print files of a pool",
        description = "Writes the bytes of the file at each PATH, one after the other, to standard output.",
        footer = {
            "  jnova cat /dev/shm/pool notes.txt | less",
            "  jnova cat /dev/shm/pool src.tar | tar t",
        })
final class CatCommand extends StoreCommand {
    @Mixin
    private PoolArguments pool;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "PATH", description = "A file in the pool.")
    private List<String> names;

    @Override
    public Integer call() throws IOException, CommandFailure {
        try (NovaStore store = pool.openToRead(streams())) {
            WholeFiles whole = new WholeFiles(store);
            WritableByteChannel out = streams().outChannel();
            for (String name : names) {
                if (store.exists(name)) {
                    whole.get(name, out, position -> {});
                } else {
                    problem(GetCommand.noFile(name));
                }
            }
        }
        return result();
    }
}
