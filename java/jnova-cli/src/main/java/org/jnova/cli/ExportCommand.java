/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jnova.CorruptPoolException;
import org.jnova.FileInfo;
import org.jnova.FileType;
import org.jnova.NovaStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
        name = "export",
        header = "Write the tree of a pool to a directory",
        description = {
            "Writes the tree of the pool below DIR: files, directories, symbolic links and hard links, with modes,"
                    + " times and extended attributes (as user.*), and with owners where that is"
                    + " permitted. A file that is there is left alone if it has the same bytes, and else replaced once all bytes are there. What else is in DIR stays."
        },
        footer = {
            "  jnova export /dev/shm/pool /tmp/restored",
        })
final class ExportCommand extends StoreCommand {
    @Mixin
    private PoolArguments pool;

    @Parameters(index = "1", paramLabel = "DIR", description = "The directory; made if it is not there.")
    private Path directory;

    private NovaStore store;
    private WholeFiles whole;
    private Progress progress;
    /** By inode number: where the first name of a file with several was written. */
    private final Map<Long, Path> firsts = new HashMap<>();
    /** File keys of what was there and is kept: another file must not share them by chance. */
    private final Set<Object> taken = new HashSet<>();

    private int files;
    private int same;
    private int unfinished;
    private long bytes;
    private long doneBytes;

    @Override
    public Integer call() throws IOException, CommandFailure {
        Duration elapsed;
        try (NovaStore opened = pool.open(streams())) {
            store = opened;
            Files.createDirectories(directory);
            whole = new WholeFiles(store);
            try (Progress shown = new Progress(streams(), "exporting", 0, true)) {
                progress = shown;
                exportInto(directory, "/");
                elapsed = shown.elapsed();
            }
        }
        summarise(elapsed);
        return result();
    }

    private void exportInto(Path folder, String path) throws IOException {
        for (FileInfo info : store.list(path)) {
            String from = StoreTree.join(path, info.name());
            if (WholeFiles.isUnfinished(from)) {
                unfinished++;
                continue;
            }
            try {
                export(HostPath.child(folder, info.name()), from, info);
            } catch (CorruptPoolException e) {
                throw e;
            } catch (IOException e) {
                problem(Text.printable(from) + ": " + ErrorText.of(e));
            }
        }
    }

    private void export(Path target, String path, FileInfo info) throws IOException {
        if (info.type() == FileType.DIRECTORY) {
            if (!Files.exists(target, NOFOLLOW_LINKS)) {
                Files.createDirectory(target);
            } else if (!Files.isDirectory(target, NOFOLLOW_LINKS)) {
                throw new FileSystemException(target.toString(), null, "is no directory, or a link to one; remove it");
            }
            exportInto(target, path);
            ExtendedAttributes.restore(store, path, target);
            HostAttributes.restore(target, info); // only now, since what is made in it changes its times
            return;
        }
        if (Files.isDirectory(target, NOFOLLOW_LINKS)) {
            throw new FileSystemException(target.toString(), null, "is a directory; remove it");
        }
        Path first = info.nlink() > 1 ? firsts.putIfAbsent(info.ino(), target) : null;
        if (first != null) {
            writeLink(target, first);
        } else if (info.type() == FileType.SYMLINK) {
            writeSymbolicLink(target, path, info);
        } else {
            writeFile(target, path, info);
        }
    }

    private void writeLink(Path target, Path first) throws IOException {
        if (Files.exists(target, NOFOLLOW_LINKS)
                && HostAttributes.of(target).key().equals(HostAttributes.of(first).key())) {
            same++;
            return;
        }
        replace(target, part -> Files.createLink(part, first));
        files++;
    }

    private void writeSymbolicLink(Path target, String path, FileInfo info) throws IOException {
        Path leadsTo = HostPath.of(store.readSymbolicLink(path));
        if (Files.isSymbolicLink(target)
                && Files.readSymbolicLink(target).equals(leadsTo)
                && taken.add(HostAttributes.of(target).key())) {
            same++;
        } else {
            replace(target, part -> Files.createSymbolicLink(part, leadsTo));
            taken.add(HostAttributes.of(target).key());
            files++;
        }
        HostAttributes.restore(target, info);
    }

    /** Makes something at a path. */
    private interface Making {
        void make(Path part) throws IOException;
    }

    private static void replace(Path target, Making making) throws IOException {
        Path part = target.resolveSibling(".jnova-part-" + ProcessHandle.current().pid());
        Files.deleteIfExists(part);
        making.make(part);
        Files.move(part, target, ATOMIC_MOVE);
    }

    private void writeFile(Path target, String path, FileInfo info) throws IOException {
        if (Files.isSymbolicLink(target)) {
            Files.delete(target); // not to write where it leads
        }
        if (isThere(target, path, info) && taken.add(HostAttributes.of(target).key())) {
            same++;
        } else {
            long before = doneBytes;
            TargetFile.write(
                    target,
                    pool.path,
                    channel -> whole.get(path, channel, position -> progress.update(before + position)));
            taken.add(HostAttributes.of(target).key());
            files++;
            bytes += info.size();
        }
        doneBytes += info.size();
        ExtendedAttributes.restore(store, path, target);
        HostAttributes.restore(target, info);
    }

    private boolean isThere(Path target, String path, FileInfo info) throws IOException {
        if (!Files.isRegularFile(target, NOFOLLOW_LINKS) || Files.size(target) != info.size()) {
            return false;
        }
        try (FileChannel there = FileChannel.open(target, StandardOpenOption.READ)) {
            return whole.isSame(path, there);
        }
    }

    private void summarise(Duration elapsed) {
        out().println(Text.files(files) + " written (" + Text.bytes(bytes) + ", " + Text.rate(bytes, elapsed) + "), "
                + same + " there already");
        if (unfinished > 0) {
            out().println("left out: " + Text.files(unfinished) + " that an interrupted import had not finished");
        }
    }
}
