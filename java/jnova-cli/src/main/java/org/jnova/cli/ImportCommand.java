/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.jnova.CorruptPoolException;
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
            "Stores each regular file below DIR. A pool has one flat directory, so the name is the path below DIR with"
                    + " / as %%2F and %% as %%25; 'jnova export' turns it back. A path whose encoded form has more than"
                    + " 255 bytes is reported and left out. Symbolic links, special files and empty directories are"
                    + " counted and left out.",
            "A name is a whole file at any time, also after a crash: an import that was interrupted can be run again,"
                    + " and leaves alone what is there with the same bytes. Files of the pool that are not in DIR stay."
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
                    "Print a line per file once it is durable: stored or same, bytes, name; and for a long file a line"
                        + " per part: writing, bytes so far, name. Separated by tabs; names as 'jnova ls' shows them.")
    private boolean verbose;

    @Option(
            names = {"-q", "--quiet"},
            description = "Print no summary and no progress.")
    private boolean quiet;

    /** For the demo: makes a tiny tree last long enough to be interrupted. */
    @Option(names = "--pause-ms", hidden = true)
    private int pauseMs;

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
        try (NovaStore store = pool.open(streams());
                Progress progress = new Progress(quiet ? silent() : streams(), "importing", tree.bytes(), true)) {
            WholeFiles whole = new WholeFiles(store);
            unfinished = whole.deleteUnfinished();
            for (SourceTree.Entry entry : tree.files()) {
                store(store, whole, entry, progress);
                LockSupport.parkNanos(pauseMs * 1_000_000L);
            }
            elapsed = progress.elapsed();
        }
        if (!quiet) {
            summarise(tree, unfinished, elapsed);
        }
        return result();
    }

    private Streams silent() {
        return new Streams(streams().in(), streams().out(), new PrintStream(OutputStream.nullOutputStream()), false);
    }

    private void store(NovaStore store, WholeFiles whole, SourceTree.Entry entry, Progress progress)
            throws IOException, CommandFailure {
        if (Files.isSameFile(entry.path(), pool.path)) {
            selves++;
            return;
        }
        try (FileChannel source = FileChannel.open(entry.path(), StandardOpenOption.READ)) {
            if (isThere(store, whole, entry, source)) {
                same++;
                report(SAME, entry.size(), entry.name());
                doneBytes += entry.size();
            } else {
                long before = doneBytes;
                long size = whole.put(entry.name(), source, position -> {
                    progress.update(before + position);
                    report(WRITING, position, entry.name());
                });
                stored++;
                storedBytes += size;
                report(STORED, size, entry.name());
                doneBytes += size;
            }
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

    /** Whether the store has the file already. Leaves the source at its start if not. */
    private static boolean isThere(NovaStore store, WholeFiles whole, SourceTree.Entry entry, FileChannel source)
            throws IOException {
        if (!store.exists(entry.name()) || store.stat(entry.name()).size() != source.size()) {
            return false;
        }
        boolean equal = whole.isSame(entry.name(), source);
        source.position(0);
        return equal;
    }

    private void report(String event, long bytes, String name) {
        if (verbose) {
            out().println(event + "\t" + bytes + "\t" + Text.printable(name));
            out().flush();
        }
    }

    private void summarise(SourceTree tree, int unfinished, Duration elapsed) {
        out().println(Text.files(stored) + " stored (" + Text.bytes(storedBytes) + ", "
                + Text.rate(storedBytes, elapsed) + "), " + same + " there already with the same bytes");
        int left = tree.symlinks() + tree.special() + selves + tree.emptyDirectories();
        if (left > 0) {
            out().println("left out: " + Text.count(tree.symlinks(), "symbolic link", "symbolic links") + ", "
                    + Text.count(tree.special() + selves, "special file", "special files") + ", "
                    + Text.count(tree.emptyDirectories(), "empty directory", "empty directories"));
        }
        if (unfinished > 0) {
            out().println("deleted " + Text.files(unfinished) + " that an interrupted import had not finished");
        }
        if (problems() > 0) {
            out().println("not all was imported: " + Text.count(problems(), "problem", "problems") + " reported above");
        }
    }
}
