/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.MMapDirectory;
import org.apache.lucene.store.NIOFSDirectory;
import org.apache.lucene.tests.mockfile.VirusCheckingFS;
import org.apache.lucene.tests.store.BaseDirectoryTestCase;
import org.apache.lucene.tests.util.LuceneTestCase;
import org.apache.lucene.util.Version;
import org.jnova.TestPools;
import org.junit.jupiter.api.Test;

/** Lucene's tests of a directory, on paths in a pool. {@code java/compat-test} runs them with a newer Lucene. */
class LuceneSuiteTest {
    private static final int TESTS = 50;

    private static volatile FileSystem fs;

    /** The suite: its directories, which it makes in the default file system, are replaced by some in the pool. */
    public abstract static class Suite extends BaseDirectoryTestCase {
        abstract Directory inPool(Path path) throws IOException;

        /** A directory of the same name; where the test wants deletions to fail, behind what sees to that. */
        @Override
        protected final Directory getDirectory(Path path) throws IOException {
            Path directory = Files.createDirectories(fs.getPath("/" + path.getFileName()));
            return inPool(
                    path.getFileSystem().provider() instanceof VirusCheckingFS
                            ? new VirusCheckingFS(fs, random().nextLong()).wrapPath(directory)
                            : directory);
        }

        /** Lucene's own deletes the file by the path that it has made, which is not the pool's. */
        @Override
        public void testFsyncDoesntCreateNewFiles() throws IOException {
            try (Directory directory = getDirectory(Path.of("nocreate"))) {
                directory.createOutput("afile", IOContext.DEFAULT).close();
                Files.delete(fs.getPath("/nocreate/afile"));
                expectThrows(IOException.class, () -> directory.sync(List.of("afile")));
                assertEquals(0, directory.listAll().length);
                directory.syncMetaData();
            }
        }
    }

    /** Reads and writes by channels. */
    @LuceneTestCase.SuppressFileSystems("*")
    public static final class Channels extends Suite {
        @Override
        Directory inPool(Path path) throws IOException {
            return new NIOFSDirectory(path);
        }
    }

    /** Reads by mapping: buffers here, segments in {@link LuceneMappedTest}. */
    @LuceneTestCase.SuppressFileSystems("*")
    public static final class Mapped extends Suite {
        @Override
        Directory inPool(Path path) throws IOException {
            return new MMapDirectory(path);
        }
    }

    /** With channels. */
    static void channelsInPool() throws IOException {
        run("NIOFSDirectory", Channels.class);
    }

    /** With mapped files; takes JDK 22. */
    static void mappedInPool() throws IOException {
        run("MMapDirectory", Mapped.class);
    }

    private static void run(String directory, Class<?> suite) throws IOException {
        try (NioPools pools = new NioPools();
                FileSystem pool = pools.create("lucene", 512 * TestPools.MIB)) {
            fs = pool;
            String name = "directory tests of Lucene " + Version.LATEST + ", " + directory;
            ForeignSuite.run(name, suite, Map.of(), TESTS);
            pools.closeSound(pool, "lucene");
        }
    }

    @Test
    void channels() throws IOException {
        channelsInPool();
    }

    /** By mapped buffers also on JDKs where Lucene would take segments. */
    @Test
    void mapped() throws IOException {
        System.setProperty("org.apache.lucene.store.MMapDirectory.enableMemorySegments", "false");
        run("MMapDirectory with mapped buffers", Mapped.class);
    }
}
