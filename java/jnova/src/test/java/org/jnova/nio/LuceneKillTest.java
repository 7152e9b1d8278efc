/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.StringField;
import org.apache.lucene.index.CheckIndex;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.NIOFSDirectory;
import org.apache.lucene.util.Version;
import org.jnova.ChildJvm;
import org.jnova.TestPools;
import org.jnova.TestReport;
import org.junit.jupiter.api.Test;

/**
 * Lucene indexes into a pool and commits after each few documents, and its JVM is killed meanwhile: the next finds the
 * index whole, with all that was committed.
 */
class LuceneKillTest {
    private static final int KILLS = TestPools.FULL ? 30 : 3;
    private static final int COMMITS = 15;
    private static final int DOCUMENTS = 10; // in a commit

    /** Also for {@code java/compat-test}, with a newer Lucene. */
    @Test
    void nothingCommittedIsLost() throws Exception {
        long committed = 0;
        try (NioPools pools = new NioPools()) {
            pools.create("index", 256 * TestPools.MIB).close();
            for (int i = 0; i < KILLS; i++) {
                try (ChildJvm child = new ChildJvm(LuceneKillTest.class, pools.uri("index").toString())) {
                    String line = child.line();
                    for (int n = 0; n < COMMITS && line != null; n++) {
                        committed = Long.parseLong(line);
                        line = child.line();
                    }
                    assertTrue(line != null, "it ended by itself");
                    List<String> rest = child.kill();
                    committed = Long.parseLong(rest.isEmpty() ? line : rest.get(rest.size() - 1));
                }
                FileSystem fs = pools.open("index");
                check(fs, committed);
                pools.closeSound(fs, "index");
            }
        }
        TestReport.line(
                "Lucene %s, index in a pool: %d kills, %d documents committed, none lost",
                Version.LATEST, KILLS, committed);
    }

    private static void check(FileSystem fs, long committed) throws IOException {
        try (Directory directory = new NIOFSDirectory(fs.getPath("/index"));
                CheckIndex check = new CheckIndex(directory)) {
            CheckIndex.Status status = check.checkIndex();
            assertTrue(status.clean, "the index is damaged");
            try (DirectoryReader reader = DirectoryReader.open(directory)) {
                assertTrue(reader.numDocs() >= committed, reader.numDocs() + " of " + committed);
                assertTrue(reader.numDocs() % DOCUMENTS == 0, reader.numDocs() + ": a part of a commit");
            }
        }
    }

    /**
     * Indexes until it is killed, and says after each commit how many documents there are.
     *
     * @param args the URI of the pool
     */
    public static void main(String[] args) throws IOException {
        try (FileSystem fs = FileSystems.newFileSystem(URI.create(args[0]), Map.of("emulated", true));
                Directory directory = new NIOFSDirectory(Path.of(fs.getPath("/index").toUri()));
                IndexWriter writer = new IndexWriter(directory, new IndexWriterConfig())) {
            while (true) {
                for (int i = 0; i < DOCUMENTS; i++) {
                    Document document = new Document();
                    String key = "key" + writer.getDocStats().numDocs;
                    document.add(new StringField("key", key, Field.Store.YES));
                    writer.addDocument(document);
                }
                writer.commit();
                System.out.println(writer.getDocStats().numDocs);
            }
        }
    }
}
