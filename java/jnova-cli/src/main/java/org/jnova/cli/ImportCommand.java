/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.jnova.CorruptPoolException;
import org.jnova.FileInfo;
import org.jnova.FileType;
import org.jnova.NoSpaceException;
import org.jnova.NovaStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "import",
        header = "Store a directory tree in a pool",
        description = {
            "Stores what is below DIR in the root directory of the pool: files, directories,"
                    + " symbolic links (which are not"
                    + " followed) and hard links, with mode, owner, times of the last change"
                    + " and access, and extended attributes (user.*, without that prefix). Special files"
                    + " are counted and left out; names that are not UTF-8 are reported and left out.",
            "A path is a whole file at any time, also after a crash: an import that was interrupted can be run again,"
                    + " and leaves alone what is there and equal. Files of the pool that are not in DIR stay."
        },
        footer = {
            "  jnova import /dev/shm/pool /usr/share/doc",
        })
final class ImportCommand extends StoreCommand {
    /** First words of the lines that --verbose prints; separated from the rest by tabs. */
    static final String STORED = "stored";

    static final String SAME = "same";
    static final String WRITING = "writing";

    @Mixin
    private PoolArguments pool;

    @Parameters(index = "1", paramLabel = "DIR", description = "The directory.")
    private Path directory;

    @Option(
            names = {"-v", "--verbose"},
            description =
                    "Print a line per file or link once it is durable: stored or same, bytes,"
                            + " path; and for a long file a"
                        + " line per part: writing, bytes so far, path. Separated by tabs; paths as 'jnova ls' shows"
                        + " names.")
    private boolean verbose;

    @Option(
            names = {"-q", "--quiet"},
            description = "Print no summary and no progress.")
    private boolean quiet;

    /** For the demo: makes a tiny tree last long enough to be interrupted. */
    @Option(names = "--pause-ms", hidden = true)
    private int pauseMs;

    private NovaStore store;
    private WholeFiles whole;
    private Progress progress;
    /** Inode numbers that entries of the tree have got: another entry must not share them by chance. */
    private final Set<Long> taken = new HashSet<>();

    private int stored;
    private int same;
    private int selves;
    private long storedBytes;
    private long doneBytes;

    @Override
    public Integer call() throws IOException, CommandFailure {
        SourceTree tree = SourceTree.list(directory);
        tree.problems().forEach(this::problem);
        int unfinished;
        Duration elapsed;
        try (NovaStore opened = pool.open(streams());
                Progress shown = new Progress(quiet ? silent() : streams(), "importing", tree.bytes(), true)) {
            store = opened;
            progress = shown;
            whole = new WholeFiles(store);
            unfinished = whole.deleteUnfinished();
            for (SourceTree.Entry entry : tree.entries()) {
                store(entry);
            }
            for (SourceTree.Entry entry : tree.entries()) {
                setDirectoryAttributes(entry); // only now, since what is made in a directory changes its times
            }
            elapsed = shown.elapsed();
        }
        if (!quiet) {
            summarise(tree, unfinished, elapsed);
        }
        return result();
    }

    private Streams silent() {
        return new Streams(streams().in(), streams().out(), new PrintStream(OutputStream.nullOutputStream()), false);
    }

    private void store(SourceTree.Entry entry) throws IOException, CommandFailure {
        if (entry.type() == FileType.FILE && Files.isSameFile(entry.path(), pool.path)) {
            selves++;
            return;
        }
        try {
            FileInfo there = info(entry.name());
            if (entry.type() == FileType.DIRECTORY) {
                if (there == null) {
                    store.createDirectory(entry.name());
                } else if (there.type() != FileType.DIRECTORY) {
                    throw new FileAlreadyExistsException(entry.name(), null, "is no directory in the pool");
                }
                return;
            }
            long size = entry.linked() != null
                    ? storeLink(entry, there)
                    : entry.type() == FileType.SYMLINK ? storeSymbolicLink(entry, there) : storeFile(entry, there);
            doneBytes += size;
            LockSupport.parkNanos(pauseMs * 1_000_000L);
        } catch (NoSpaceException e) {
            throw new CommandFailure(
                    pool.path + ": no room for " + entry.name() + " (" + Text.bytes(entry.size()) + "); "
                            + Text.files(stored)
                            + " stored before it stay; import into a larger pool, or delete files and run the import"
                            + " again",
                    e);
        } catch (CorruptPoolException e) {
            throw e;
        } catch (FileSystemException e) {
            problem(e);
        } catch (IOException e) {
            problem(entry.path() + ": " + ErrorText.of(e));
        }
        progress.update(doneBytes);
    }

    /** What a name names in the store, or null. */
    private FileInfo info(String name) throws IOException {
        return store.exists(name, NOFOLLOW_LINKS) ? store.stat(name, NOFOLLOW_LINKS) : null;
    }

    /** Another name of a file that is stored by now. */
    private long storeLink(SourceTree.Entry entry, FileInfo there) throws IOException {
        FileInfo first = store.stat(entry.linked(), NOFOLLOW_LINKS);
        if (there != null && there.ino() == first.ino()) {
            same(entry, 0);
        } else {
            whole.replace(entry.name(), part -> store.createLink(part, entry.linked()));
            stored(entry, 0);
        }
        return 0;
    }

    private long storeSymbolicLink(SourceTree.Entry entry, FileInfo there) throws IOException {
        String target = HostPath.text(Files.readSymbolicLink(entry.path()))
                .orElseThrow(() -> new IOException("its target is not UTF-8"));
        boolean equal = there != null
                && there.type() == FileType.SYMLINK
                && store.readSymbolicLink(entry.name()).equals(target)
                && taken.add(there.ino());
        if (equal) {
            setAttributes(entry, there);
            same(entry, 0);
            return 0;
        }
        whole.replace(entry.name(), part -> {
            store.createSymbolicLink(part, target);
            store.setAttributes(part, entry.attributes().change(), NOFOLLOW_LINKS);
        });
        taken.add(store.stat(entry.name(), NOFOLLOW_LINKS).ino());
        stored(entry, 0);
        return 0;
    }

    private long storeFile(SourceTree.Entry entry, FileInfo there) throws IOException {
        try (FileChannel source = FileChannel.open(entry.path(), StandardOpenOption.READ)) {
            if (isEqual(entry, there, source) && taken.add(there.ino())) {
                setAttributes(entry, there);
                same(entry, entry.size());
                return entry.size();
            }
            source.position(0);
            long before = doneBytes;
            long size = whole.put(entry.name(), source, part -> setNew(entry, part), position -> {
                progress.update(before + position);
                report(WRITING, position, entry.name());
            });
            taken.add(store.stat(entry.name(), NOFOLLOW_LINKS).ino());
            storedBytes += size;
            stored(entry, size);
            return size;
        }
    }

    private void setNew(SourceTree.Entry entry, String part) throws IOException {
        ExtendedAttributes.store(entry.path(), store, part);
        store.setAttributes(part, entry.attributes().change());
    }

    private boolean isEqual(SourceTree.Entry entry, FileInfo there, FileChannel source) throws IOException {
        return there != null
                && there.type() == FileType.FILE
                && there.size() == source.size()
                && whole.isSame(entry.name(), source);
    }

    private void setAttributes(SourceTree.Entry entry, FileInfo there) throws IOException {
        ExtendedAttributes.store(entry.path(), store, entry.name());
        if (!entry.attributes().areThoseOf(there)) {
            store.setAttributes(entry.name(), entry.attributes().change(), NOFOLLOW_LINKS);
        }
    }

    private void setDirectoryAttributes(SourceTree.Entry entry) throws IOException {
        FileInfo there = entry.type() == FileType.DIRECTORY ? info(entry.name()) : null;
        if (there != null && there.type() == FileType.DIRECTORY) {
            setAttributes(entry, there);
        }
    }

    private void stored(SourceTree.Entry entry, long size) {
        stored++;
        report(STORED, size, entry.name());
    }

    private void same(SourceTree.Entry entry, long size) {
        same++;
        report(SAME, size, entry.name());
    }

    private void report(String event, long bytes, String name) {
        if (verbose) {
            out().println(event + "\t" + bytes + "\t" + Text.printable(name));
            out().flush();
        }
    }

    private void summarise(SourceTree tree, int unfinished, Duration elapsed) {
        out().println(Text.files(stored) + " stored (" + Text.bytes(storedBytes) + ", "
                + Text.rate(storedBytes, elapsed) + "), " + same + " there already, "
                + Text.count(tree.count(FileType.DIRECTORY), "directory", "directories") + ", "
                + Text.count(tree.count(FileType.SYMLINK), "symbolic link", "symbolic links") + " among the files");
        if (tree.special() + selves > 0) {
            out().println("left out: " + Text.count(tree.special() + selves, "special file", "special files"));
        }
        if (unfinished > 0) {
            out().println("deleted " + Text.files(unfinished) + " that an interrupted import had not finished");
        }
        if (problems() > 0) {
            out().println("not all was imported: " + Text.count(problems(), "problem", "problems") + " reported above");
        }
    }
}
