/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import org.jnova.NovaStore;
import org.jnova.StoreInfo;
import org.jnova.StoreOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "mkfs",
        header = "Make a pool",
        description = {
            "Makes a pool file of a fixed size and allocates all of it at once, so that a full disk shows now and not"
                    + " later.",
            "The file must not exist; nothing is ever overwritten."
        },
        footer = {
            "  jnova mkfs /mnt/pmem/pool --size 64G",
            "  jnova mkfs /dev/shm/pool --size 1G",
        })
final class MkfsCommand extends StoreCommand {
    @Mixin
    private PoolArguments pool;

    @Option(
            names = "--size",
            required = true,
            converter = SizeConverter.class,
            description = "Size of the pool, 1M to 8T, such as 64M or 1.5G (powers of 1024).")
    private long size;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, CommandFailure {
        if (size < NovaStore.SIZE_MIN || size > NovaStore.SIZE_MAX) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--size " + Text.bytes(size) + ": a pool has " + Text.bytes(NovaStore.SIZE_MIN) + " to "
                            + Text.bytes(NovaStore.SIZE_MAX));
        }
        StoreOptions options = StoreOptions.builder().emulated(pool.emulated).build();
        String what = "allocating " + Text.bytes(size);
        try (NovaStore store = Progress.during(what, streams(), () -> NovaStore.create(pool.path, size, options))) {
            StoreInfo info = store.info();
            out().println(pool.path + ": " + Text.bytes(info.size()) + ", " + Text.bytes(info.freeBytes()) + " free, "
                    + InfoCommand.durability(info.durability()));
        } catch (FileAlreadyExistsException e) {
            throw new CommandFailure(pool.path + ": exists already; delete it first if you no longer need it", e);
        } catch (NoSuchFileException e) {
            throw new CommandFailure(pool.path + ": its directory does not exist", e);
        }
        return Main.OK;
    }
}
