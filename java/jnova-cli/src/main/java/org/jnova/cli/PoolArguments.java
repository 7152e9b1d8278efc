/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jnova.AccessTimes;
import org.jnova.NovaStore;
import org.jnova.StoreOptions;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Names a pool and how to treat it, and opens it. */
final class PoolArguments {
    @Parameters(index = "0", paramLabel = "POOL", description = "The pool file.")
    Path path;

    @Option(
            names = "--emulated",
            description = {
                "Treat a pool that is on a disk as persistent memory: fast, but what is written survives a crash of the"
                        + " process only, not of the machine. Without it such a pool is made durable with msync. Of no"
                        + " effect on persistent memory, and on tmpfs (/dev/shm), where nothing survives the machine.",
            })
    boolean emulated;

    /** Opens the pool for a command that is to leave no traces of reading. */
    NovaStore open(Streams streams) throws IOException, CommandFailure {
        return open(path, emulated, streams);
    }

    /** Opens the pool for a command whose reads are the user's. */
    NovaStore openToRead(Streams streams) throws IOException, CommandFailure {
        return open(path, emulated, AccessTimes.RELATIME, streams);
    }

    static NovaStore open(Path pool, boolean emulated, Streams streams) throws IOException, CommandFailure {
        return open(pool, emulated, AccessTimes.NEVER, streams);
    }

    /** Opens a pool, telling how far recovery is when it takes long. */
    private static NovaStore open(Path pool, boolean emulated, AccessTimes accessTimes, Streams streams)
            throws IOException, CommandFailure {
        try (Progress progress = new Progress(streams, "recovering " + pool, 0, false)) {
            StoreOptions options = StoreOptions.builder()
                    .emulated(emulated)
                    .accessTimes(accessTimes)
                    .progress(p -> progress.update(p.done(), p.total()))
                    .build();
            return NovaStore.open(pool, options);
        } catch (NoSuchFileException e) {
            throw noPool(pool, e);
        }
    }

    static CommandFailure noPool(Path pool, NoSuchFileException cause) {
        return new CommandFailure(pool + ": no such pool; 'jnova mkfs " + pool + " --size 1G' makes one", cause);
    }
}
