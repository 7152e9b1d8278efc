/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.StringReader;
import java.nio.file.FileSystem;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.store.fs.FilePath;
import org.h2.tools.Restore;
import org.jnova.TestPools;
import org.jnova.TestReport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * H2 with its files in a pool: random calls against a map in memory. H2's own tests are in none of its jars. Seeds are
 * printed.
 */
class H2Test {
    private static final long SEED = Long.getLong("jnova.seed", System.nanoTime());
    private static final int LENGTH = TestPools.FULL ? 20 : 1; // of the random runs

    @BeforeAll
    static void register() {
        FilePath.register(new PoolFilePath());
        System.out.println("H2Test: seed " + SEED);
    }

    // ---- the key-value store beneath

    @Test
    void store() throws Exception {
        SplittableRandom random = new SplittableRandom(SEED);
        TreeMap<Integer, String> model = new TreeMap<>();
        int calls = 0;
        int commits = 0;
        try (NioPools pools = new NioPools()) {
            FileSystem fs = pools.create("mv", 128 * TestPools.MIB);
            String file = fs.getPath("/store.mv").toUri().toString();
            for (int open = 0; open < 10 * LENGTH; open++) {
                try (MVStore store = new MVStore.Builder()
                        .fileName(file)
                        .autoCommitDisabled()
                        .open()) {
                    MVMap<Integer, String> map = store.openMap("map");
                    assertEquals(model, map, "seed " + SEED);
                    store.commit(); // or else a rollback would take the map away
                    TreeMap<Integer, String> committed = new TreeMap<>(model);
                    for (int i = 0; i < 2000; i++, calls++) {
                        int key = random.nextInt(5000);
                        switch (random.nextInt(40)) {
                            case 0 -> {
                                store.commit();
                                committed = new TreeMap<>(model);
                                commits++;
                            }
                            case 1 -> {
                                store.rollback();
                                model = new TreeMap<>(committed);
                            }
                            case 2, 3, 4, 5, 6, 7, 8 -> assertEquals(model.remove(key), map.remove(key));
                            default -> {
                                String value = Integer.toString(i).repeat(random.nextInt(100));
                                assertEquals(model.put(key, value), map.put(key, value));
                            }
                        }
                    }
                    assertEquals(model, map, "seed " + SEED);
                    store.commit();
                    commits++;
                    if (open % 2 == 1) {
                        store.compactFile(200);
                    }
                }
                if (open % 3 == 2) {
                    pools.closeSound(fs, "mv");
                    fs = pools.open("mv");
                }
            }
            pools.closeSound(fs, "mv");
        }
        TestReport.line("H2 MVStore in a pool: %d calls, %d commits", calls, commits);
    }

    // ---- SQL

    /** A row of the table, with what its large objects must be. */
    private record Row(String name, int blobLength, int clobLength) {
        static Row random(SplittableRandom random) {
            int large = random.nextInt(200) == 0 ? 3_000_000 : 20_000;
            return new Row("name" + random.nextInt(1000), random.nextInt(large), random.nextInt(large));
        }

        byte[] blob() {
            byte[] bytes = new byte[blobLength];
            new Random(blobLength).nextBytes(bytes);
            return bytes;
        }

        String clob() {
            return name.repeat(clobLength / name.length());
        }
    }

    private static Connection connect(FileSystem fs, String path) throws SQLException {
        return DriverManager.getConnection("jdbc:h2:" + fs.getPath(path).toUri() + ";MAX_MEMORY_ROWS=50");
    }

    @Test
    void sql() throws Exception {
        Map<Integer, Row> model = new TreeMap<>();
        SplittableRandom random = new SplittableRandom(SEED);
        int transactions = 0;
        try (NioPools pools = new NioPools()) {
            FileSystem fs = pools.create("sql", 256 * TestPools.MIB);
            try (Connection connection = connect(fs, "/db");
                    Statement statement = connection.createStatement()) {
                statement.execute("CREATE TABLE t(id INT PRIMARY KEY, name VARCHAR(100), b BLOB, c CLOB)");
                statement.execute("CREATE INDEX by_name ON t(name)");
            }
            for (int open = 0; open < 6 * LENGTH; open++) {
                try (Connection connection = connect(fs, "/db")) {
                    check(connection, model);
                    connection.setAutoCommit(false);
                    for (int i = 0; i < 30; i++, transactions++) {
                        model = transaction(connection, model, random);
                    }
                    check(connection, model);
                    connection.setAutoCommit(true);
                    if (open % 2 == 1) {
                        connection.createStatement().execute("SHUTDOWN COMPACT");
                    }
                }
                if (open % 3 == 2) {
                    pools.closeSound(fs, "sql");
                    fs = pools.open("sql");
                }
            }
            backup(fs, model);
            pools.closeSound(fs, "sql");
        }
        TestReport.line("H2 database in a pool: %d transactions, backed up, restored", transactions);
    }

    /** A few changes, then commit or rollback; what is so committed. */
    private static Map<Integer, Row> transaction(
            Connection connection, Map<Integer, Row> model, SplittableRandom random) throws SQLException {
        Map<Integer, Row> next = new TreeMap<>(model);
        try (PreparedStatement put = connection.prepareStatement("MERGE INTO t VALUES(?, ?, ?, ?)");
                PreparedStatement delete = connection.prepareStatement("DELETE FROM t WHERE id = ?")) {
            for (int n = random.nextInt(1, 20); n > 0; n--) {
                int id = random.nextInt(300);
                if (random.nextInt(4) == 0) {
                    delete.setInt(1, id);
                    assertEquals(next.remove(id) == null ? 0 : 1, delete.executeUpdate());
                } else {
                    Row row = Row.random(random);
                    put.setInt(1, id);
                    put.setString(2, row.name());
                    put.setBinaryStream(3, new ByteArrayInputStream(row.blob()));
                    put.setCharacterStream(4, new StringReader(row.clob()));
                    put.executeUpdate();
                    next.put(id, row);
                }
            }
        }
        if (random.nextInt(4) == 0) {
            connection.rollback();
            return model;
        }
        connection.commit();
        return next;
    }

    /** Compares all of the table, and what its index says. */
    private static void check(Connection connection, Map<Integer, Row> model) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT * FROM t ORDER BY id")) {
            for (Map.Entry<Integer, Row> entry : model.entrySet()) {
                assertTrue(rows.next(), "seed " + SEED);
                assertEquals(entry.getKey(), rows.getInt(1), "seed " + SEED);
                assertEquals(entry.getValue().name(), rows.getString(2), "seed " + SEED);
                assertArrayEquals(entry.getValue().blob(), rows.getBytes(3), "seed " + SEED);
                assertEquals(entry.getValue().clob(), rows.getString(4), "seed " + SEED);
            }
            assertFalse(rows.next(), "seed " + SEED);
        }
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT COUNT(*) FROM t WHERE name >= ''")) {
            assertTrue(rows.next());
            assertEquals(model.size(), rows.getInt(1), "seed " + SEED);
        }
    }

    /** A backup of the open database, and another database of that. */
    private static void backup(FileSystem fs, Map<Integer, Row> model) throws SQLException {
        String zip = fs.getPath("/backup.zip").toUri().toString();
        try (Connection connection = connect(fs, "/db");
                Statement statement = connection.createStatement()) {
            statement.execute("BACKUP TO '" + zip + "'");
            statement.execute("DELETE FROM t");
            check(connection, Map.of());
        }
        Restore.execute(zip, fs.getPath("/restored").toUri().toString(), "db");
        try (Connection connection = connect(fs, "/restored/db")) {
            check(connection, model);
        }
    }
}
