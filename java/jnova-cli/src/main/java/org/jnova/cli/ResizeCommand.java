/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import org.jnova.NovaStore;
import org.jnova.StoreInfo;
import org.jnova.StoreOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
        name = "resize",
        header = "Make a pool larger",
        description = {
            "Makes a pool that is not open larger, where it is: all files stay. A crash leaves the old size or the new"
                    + " one. A pool cannot be made smaller.",
            "How large it can become was settled when it was made, at eight times its size or more: 'jnova info' tells."
                    + " To outgrow that, export the files and import them into a new pool."
        },
        footer = {
            "  jnova resize /dev/shm/pool 4G",
        })
final class ResizeCommand extends StoreCommand {
    @Mixin
    private PoolArguments pool;

    @Parameters(
            index = "1",
            paramLabel = "SIZE",
            converter = SizeConverter.class,
            description = "New size of the pool, such as 64M or 1.5G (powers of 1024).")
    private long size;

    @Override
    public Integer call() throws IOException, CommandFailure {
        StoreInfo before;
        try (NovaStore store = pool.open(streams())) {
            before = store.info();
        }
        if (size / before.blockSize() <= before.size() / before.blockSize()) {
            throw new CommandFailure(pool.path + ": has " + Text.bytes(before.size()) + " (" + before.size()
                    + " bytes) already, and can only be made larger");
        }
        if (size / before.blockSize() > before.sizeMax() / before.blockSize()) {
            throw new CommandFailure(pool.path + ": can grow to " + Text.bytes(before.sizeMax()) + " ("
                    + before.sizeMax() + " bytes) and no more; 'jnova export', 'jnova mkfs' and 'jnova import' move its"
                    + " files to a larger pool");
        }
        StoreOptions options = StoreOptions.builder().emulated(pool.emulated).build();
        try {
            Progress.during("allocating " + Text.bytes(size - before.size()), streams(), () -> {
                NovaStore.resize(pool.path, size, options);
                return null;
            });
        } catch (NoSuchFileException e) {
            throw PoolArguments.noPool(pool.path, e);
        }
        try (NovaStore store = pool.open(streams())) {
            StoreInfo info = store.info();
            out().println(pool.path + ": " + Text.bytes(info.size()) + ", " + Text.bytes(info.freeBytes())
                    + " free; it had " + Text.bytes(before.size()));
        }
        return Main.OK;
    }
}
