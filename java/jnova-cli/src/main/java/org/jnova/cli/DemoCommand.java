/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.jnova.CheckReport;
import org.jnova.Durability;
import org.jnova.FileType;
import org.jnova.NovaStore;
import org.jnova.StoreInfo;
import org.jnova.StoreOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "demo",
        header = "Import a tree, be killed half-way, recover, compare, and time writes",
        description = {
            "Makes a pool and lets a second JVM import a directory tree into it; kills that JVM with SIGKILL part-way;"
                + " reopens the pool and shows what had been committed; finishes the import; compares it with the source:"
                + " every byte, modes, owners, times, symbolic and hard links; exports it, and compares that, too; then"
                + " times durable writes beside FileChannel.write + force on the same file system.",
            "The exit code is 0 only if every check held. The pool is deleted at the end, unless --keep or --pool is"
                    + " given."
        },
        footer = {
            "  jnova demo",
            "  jnova demo /usr/share/doc",
            "  jnova demo --pool /mnt/pmem/demo-pool --no-emulated",
        })
final class DemoCommand extends StoreCommand {
    private static final Path SHARED_MEMORY = Path.of("/dev/shm");

    /** Of each attempt, after each file. */
    private static final int[] PAUSES_MS = {0, 2, 50, 2000};

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "DIR",
            description = "The tree to import; default: the running JDK.")
    private Path directory;

    @Option(
            names = "--pool",
            paramLabel = "PATH",
            description = "Make the pool there and keep it. Default: in /dev/shm.")
    private Path poolPath;

    @Option(
            names = "--size",
            converter = SizeConverter.class,
            description = "Size of the pool. Default: what the tree and the timing need.")
    private Long size;

    @Option(names = "--keep", description = "Keep the pool.")
    private boolean keep;

    @Option(
            names = "--no-emulated",
            description = "Do not treat memory as persistent that is not: on a disk every write then waits for msync.")
    private boolean notEmulated;

    @Option(
            names = "--seconds",
            defaultValue = "2",
            description = "Longest time for each row of the timing. Default: 2.")
    private int seconds;

    private DemoStory story;
    private Path pool;
    private SourceTree tree;

    @Override
    public Integer call() throws IOException, CommandFailure, InterruptedException {
        out().println("JNova demo: a store whose writer is killed half-way, and what is left of it");
        story = new DemoStory(out());
        Path source = directory != null ? directory : Path.of(System.getProperty("java.home"));
        listSource(source);
        long poolSize = size != null ? size : sizeNeeded();
        pool = poolPath != null ? poolPath : placeFor(poolSize, tree.bytes());
        boolean temporary = poolPath == null && !keep;
        makePool(poolSize);
        ShutdownTask cleanUp = new ShutdownTask(() -> deletePool(temporary));
        try {
            run();
        } finally {
            cleanUp.finish();
        }
        if (!temporary) {
            story.line("the pool is kept: " + pool);
        }
        return story.verdict() ? Main.OK : Main.FAILED;
    }

    private void run() throws IOException, CommandFailure, InterruptedException {
        DemoChild.Result killed = importAndKill();
        if (killed == null) {
            return;
        }
        showCommitted(killed);
        fsck("nothing found after recovery and a clean close");
        finishImport();
        compareAll();
        DemoExport.run(pool, emulated(), tree, story, streams());
        DemoLatency.Plan plan = new DemoLatency.Plan(pool, emulated(), seconds);
        story.begin("Time of one durable write, beside FileChannel.write + force(false) on the same file system");
        DemoLatency.run(plan, story, streams());
        story.end();
        fsck("nothing found at the end");
    }

    private boolean emulated() {
        return !notEmulated;
    }

    /** The exit code of a whole import of this tree. */
    private int importCode() {
        return tree.problems().isEmpty() ? Main.OK : Main.FAILED;
    }

    private void listSource(Path source) throws IOException, CommandFailure {
        story.begin("Source tree " + source);
        tree = SourceTree.list(source);
        if (tree.files().size() < 2) {
            throw new CommandFailure(source + ": an import of fewer than two files has no middle to be killed in");
        }
        long linked = tree.files().stream().filter(entry -> entry.linked() != null).count();
        story.line(Text.files(tree.files().size()) + ", among them "
                + Text.count(tree.count(FileType.SYMLINK), "symbolic link", "symbolic links") + " and "
                + Text.count(linked, "further name", "further names") + " of others (hard links); "
                + Text.count(tree.count(FileType.DIRECTORY), "directory", "directories") + "; "
                + Text.bytes(tree.bytes()) + "; left out: "
                + Text.count(tree.special(), "special file", "special files"));
        if (!tree.problems().isEmpty()) {
            story.line("and " + tree.problems().size() + " that no import can take, the first: "
                    + tree.problems().get(0));
        }
        story.end();
    }

    /** Room for the tree, a second copy of its longest file while that is replaced, and the timing with its logs. */
    private long sizeNeeded() {
        long longest =
                tree.files().stream().mapToLong(SourceTree.Entry::size).max().orElse(0);
        long perFile = 3L * 4096;
        long needed = tree.bytes() + longest + tree.entries().size() * perFile + DemoLatency.ROOM;
        return Math.addExact(needed + needed / 16, 8 << 20) >>> 20 << 20;
    }

    private static Path placeFor(long size, long exported) throws IOException {
        String name = "jnova-demo-" + ProcessHandle.current().pid() + ".pool";
        if (Files.isWritable(SHARED_MEMORY)) {
            FileStore store = Files.getFileStore(SHARED_MEMORY);
            if (store.getUsableSpace() > size + size / 8 + exported + DemoLatency.PEER_FILE_LEN) {
                return SHARED_MEMORY.resolve(name);
            }
        }
        return Path.of(System.getProperty("java.io.tmpdir")).resolve(name);
    }

    private void makePool(long poolSize) throws IOException {
        story.begin("Pool " + pool);
        StoreOptions options = StoreOptions.builder().emulated(emulated()).build();
        try (NovaStore store = NovaStore.create(pool, poolSize, options)) {
            Durability durability = store.info().durability();
            story.line(Text.bytes(poolSize) + " on " + Files.getFileStore(pool).type() + "; "
                    + InfoCommand.durability(durability));
        }
        if (poolPath == null && !pool.startsWith(SHARED_MEMORY)) {
            story.line("(" + SHARED_MEMORY + " has no room for it)");
        }
        story.end();
    }

    /**
     * The parent kills when it has read that the import is half-way. A child that is quicker than the pipe may be done
     * by then: the next attempt is earlier, and in the end slower. Returns null, and has told so, if no attempt hit the
     * middle.
     */
    private DemoChild.Result importAndKill() throws IOException, CommandFailure, InterruptedException {
        story.begin("Import by a second JVM, killed in the middle with SIGKILL");
        long killAtBytes = tree.bytes() / 2;
        for (int pauseMs : PAUSES_MS) {
            DemoChild.Result result = DemoChild.run(pool, tree, emulated(), killAtBytes, pauseMs);
            int durable = result.durable().size();
            if (result.killed() && durable < tree.files().size()) {
                story.line("JVM " + result.pid() + " killed; it had reported as durable " + durable + " of "
                        + Text.files(tree.files().size()) + ", " + Text.bytes(result.bytes()) + " of "
                        + Text.bytes(tree.bytes())
                        + (result.writing() == null ? "" : "; it was at work on " + Text.printable(result.writing())));
                story.end();
                return result;
            }
            if (!result.killed() && result.exitCode() != importCode()) {
                break;
            }
            story.line("it had finished before the kill; again, in an emptied pool, with an earlier kill and a slower"
                    + " import");
            killAtBytes /= 8;
            emptyPool();
        }
        story.check(false, "the import is under way, without errors, when it is killed");
        story.end();
        return null;
    }

    private void emptyPool() throws IOException, CommandFailure {
        try (NovaStore store = open()) {
            for (String name : store.names()) {
                RmCommand.deleteTree(store, name);
            }
        }
    }

    private NovaStore open() throws IOException, CommandFailure {
        return PoolArguments.open(pool, emulated(), streams());
    }

    private void showCommitted(DemoChild.Result killed) throws IOException, CommandFailure {
        story.begin("Reopen and recover");
        long start = System.nanoTime();
        try (NovaStore store = open()) {
            long openNs = System.nanoTime() - start;
            StoreInfo info = store.info();
            story.line("open in " + DemoStory.time(openNs) + ", of which recovery " + Text.time(info.recoveryTime())
                    + ": logs of " + Text.count(info.recoveredInodes(), "inode", "inodes") + " read");
            story.check(info.recovered(), "the store says that it had to recover");
            TreeCompare compare = new TreeCompare(store, tree);
            Set<String> committed = compare.stored(false);
            boolean unfinished = store.names().stream().anyMatch(WholeFiles::isUnfinished);
            long bytes = 0;
            int equal = 0;
            try (Progress progress = new Progress(streams(), "comparing", tree.bytes(), true)) {
                for (String name : committed) {
                    equal += compare.sameContent(name) && compare.sameAttributes(name) ? 1 : 0;
                    bytes += store.stat(name, NOFOLLOW_LINKS).size();
                    progress.update(bytes);
                }
            }
            story.line("committed: " + Text.files(committed.size()) + ", " + Text.bytes(bytes)
                    + (unfinished ? "; one file that was being written is there under its temporary name only" : ""));
            story.check(equal == committed.size(), "each committed file equals its source: bytes, mode, owner, time");
            story.check(committed.containsAll(killed.durable()), "each file reported as durable is there");
            story.check(
                    committed.size() <= killed.durable().size() + 1,
                    "nothing is there beyond what was reported, but for one file whose report the kill cut off");
        }
        story.end();
    }

    private void fsck(String claim) throws IOException, CommandFailure {
        story.begin("Check of the pool (fsck)");
        CheckReport report = FsckCommand.check(pool, streams());
        story.line(FsckCommand.summary(report));
        report.findings().stream().limit(10).forEach(finding -> story.line(finding.severity() + " " + finding.text()));
        story.check(report.findings().isEmpty(), claim);
        story.end();
    }

    private void finishImport() {
        story.begin("The same import again");
        String[] args = emulated()
                ? new String[] {
                    "import", "--emulated", pool.toString(), tree.root().toString()
                }
                : new String[] {"import", pool.toString(), tree.root().toString()};
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PrintStream capture = new PrintStream(printed, false, StandardCharsets.UTF_8);
        int code = Main.run(
                new Streams(streams().in(), capture, streams().err(), streams().interactive()), args);
        printed.toString(StandardCharsets.UTF_8).lines().forEach(story::line);
        story.check(code == importCode(), "it goes through");
        story.end();
    }

    private void compareAll() throws IOException, CommandFailure {
        story.begin("Compare all with the source");
        try (NovaStore store = open();
                Progress progress = new Progress(streams(), "comparing", tree.bytes(), true)) {
            story.check(!store.info().recovered(), "the store had been closed in order, and opens without recovery");
            TreeCompare compare = new TreeCompare(store, tree);
            Set<String> names = new HashSet<>();
            tree.entries().forEach(entry -> names.add(entry.name()));
            Set<String> stored = compare.stored(true);
            story.check(stored.equals(names), "the store has the paths of the tree, no more and no less");
            stored.retainAll(names);
            int contents = 0;
            int attributes = 0;
            int links = 0;
            long bytes = 0;
            for (String name : stored) {
                contents += compare.sameContent(name) ? 1 : 0;
                attributes += compare.sameAttributes(name) ? 1 : 0;
                links += compare.sameLinks(name) ? 1 : 0;
                bytes += store.stat(name, NOFOLLOW_LINKS).size();
                progress.update(bytes);
            }
            int all = names.size();
            story.check(contents == all, contents + " of " + all + " have the bytes, or the target, of their source");
            story.check(attributes == all, attributes + " of " + all + " have its mode, owner and time");
            story.check(links == all, links + " of " + all + " are the same file as the same others, and count them");
        }
        story.end();
    }

    private void deletePool(boolean temporary) {
        try {
            if (temporary) {
                Files.deleteIfExists(pool);
            }
        } catch (IOException e) {
            problem(e);
        }
    }
}
