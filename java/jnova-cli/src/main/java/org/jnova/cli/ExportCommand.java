/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jnova.CorruptPoolException;
import org.jnova.FileInfo;
import org.jnova.NovaStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
        name = "export",
        header = "Write all files of a pool to a directory tree",
        description = {
            "Writes each file of the pool below DIR, at the path that its name encodes ('jnova import --help'); a name"
                + " that encodes none is taken as it is. Directories are made as needed. A file that is there is left"
                + " alone if it has the same bytes, and else replaced once all bytes are there.",
            "A name that leads out of DIR is reported and left out, and so is the second of two names that lead to one"
                    + " path."
        },
        footer = {
            "  jnova export /dev/shm/pool /tmp/restored",
        })
final class ExportCommand extends StoreCommand {
    @Mixin
    private PoolArguments pool;

    @Parameters(index = "1", paramLabel = "DIR", description = "The directory; made if it is not there.")
    private Path directory;

    private final Map<Path, String> written = new HashMap<>();
    private int files;
    private int same;
    private int unfinished;
    private long bytes;
    private long doneBytes;

    @Override
    public Integer call() throws IOException, CommandFailure {
        Duration elapsed;
        try (NovaStore store = pool.open(streams())) {
            List<FileInfo> all = store.list();
            long total = all.stream().mapToLong(FileInfo::size).sum();
            Files.createDirectories(directory);
            WholeFiles whole = new WholeFiles(store);
            try (Progress progress = new Progress(streams(), "exporting", total, true)) {
                for (FileInfo file : all) {
                    export(whole, file, progress);
                    doneBytes += file.size();
                }
                elapsed = progress.elapsed();
            }
        }
        summarise(elapsed);
        return result();
    }

    private void export(WholeFiles whole, FileInfo file, Progress progress) throws CorruptPoolException {
        String name = file.name();
        byte[] path = TreeName.pathOf(name);
        if (WholeFiles.isUnfinished(name)) {
            unfinished++;
        } else if (!TreeName.staysInside(path)) {
            problem(Text.printable(name) + ": leads out of " + directory + "; 'jnova get' fetches it");
        } else {
            Path target = TreeName.resolve(directory, path);
            String other = written.putIfAbsent(target, name);
            if (other != null) {
                problem(Text.printable(name) + ": " + Text.printable(other)
                        + " has its path already; 'jnova get' fetches it");
                return;
            }
            try {
                write(whole, file, target, progress);
            } catch (CorruptPoolException e) {
                throw e;
            } catch (IOException e) {
                problem(Text.printable(name) + ": " + ErrorText.of(e));
            }
        }
    }

    private void write(WholeFiles whole, FileInfo file, Path target, Progress progress) throws IOException {
        Path nearest = target.getParent();
        while (!Files.exists(nearest)) {
            nearest = nearest.getParent();
        }
        if (!nearest.toRealPath().startsWith(directory.toRealPath())) {
            throw new FileSystemException(target.toString(), null, "a link there leads out of " + directory);
        }
        Files.createDirectories(target.getParent());
        if (Files.isRegularFile(target) && Files.size(target) == file.size()) {
            try (FileChannel there = FileChannel.open(target, StandardOpenOption.READ)) {
                if (whole.isSame(file.name(), there)) {
                    same++;
                    return;
                }
            }
        }
        long before = doneBytes;
        TargetFile.write(
                target, pool.path, channel -> whole.get(file.name(), channel, position -> progress.update(before + position)));
        files++;
        bytes += file.size();
    }

    private void summarise(Duration elapsed) {
        out().println(Text.files(files) + " written (" + Text.bytes(bytes) + ", " + Text.rate(bytes, elapsed) + "), "
                + same + " there already with the same bytes");
        if (unfinished > 0) {
            out().println("left out: " + Text.files(unfinished) + " that an interrupted import had not finished");
        }
    }
}
