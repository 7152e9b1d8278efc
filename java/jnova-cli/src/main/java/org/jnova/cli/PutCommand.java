/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.jnova.NoSpaceException;
import org.jnova.NovaStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "put",
        header = "Copy files into a pool",
        description = {
            "Stores each FILE under its own name without the directories, or at the path --name. A file there is"
                    + " replaced atomically: after a crash the name holds the whole old or the whole new file.",
            "What has been stored when the command ends is durable."
        },
        footer = {
            "  jnova put /dev/shm/pool report.pdf photo.jpg",
            "  tar c src | jnova put /dev/shm/pool - --name src.tar",
        })
final class PutCommand extends StoreCommand {
    private static final String STDIN = "-";

    @Mixin
    private PoolArguments pool;

    @Parameters(
            index = "1..*",
            arity = "1..*",
            paramLabel = "FILE",
            description = "A file to store, or - for standard input.")
    private List<String> files;

    @Option(names = "--name", paramLabel = "PATH", description = "Where to store a single FILE; needed for -.")
    private String name;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, CommandFailure {
        if (name != null && files.size() > 1) {
            throw new ParameterException(spec.commandLine(), "--name is for a single FILE");
        }
        if (name == null && files.contains(STDIN)) {
            throw new ParameterException(spec.commandLine(), "standard input needs a name: - --name NAME");
        }
        try (NovaStore store = pool.open(streams())) {
            WholeFiles whole = new WholeFiles(store);
            whole.deleteUnfinished();
            for (String file : files) {
                try {
                    put(whole, file);
                } catch (NoSpaceException e) {
                    throw e;
                } catch (IOException | InvalidPathException | CommandFailure e) {
                    problem(e);
                }
            }
        }
        return result();
    }

    private void put(WholeFiles whole, String file) throws IOException, CommandFailure {
        if (file.equals(STDIN)) {
            copy(whole, file, name, Channels.newChannel(streams().in()), 0);
            return;
        }
        Path path = Path.of(file);
        if (Files.isDirectory(path)) {
            throw new CommandFailure(path + ": a directory; 'jnova import' stores a tree");
        }
        try (FileChannel source = FileChannel.open(path, StandardOpenOption.READ)) {
            copy(whole, file, name != null ? name : nameOf(path), source, source.size());
        }
    }

    private void copy(WholeFiles whole, String file, String target, ReadableByteChannel source, long size)
            throws IOException, CommandFailure {
        if (WholeFiles.isUnfinished(target)) {
            throw new CommandFailure(
                    target + ": names beginning with " + WholeFiles.PART_PREFIX + " are for unfinished files");
        }
        try (Progress progress = new Progress(streams(), "storing " + file, size, true)) {
            whole.put(target, source, progress::update);
        }
    }

    private static String nameOf(Path path) throws CommandFailure {
        return HostPath.name(path)
                .orElseThrow(() -> new CommandFailure(path + ": its name is not UTF-8; give one with --name"));
    }
}
