/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import org.h2.store.fs.FilePath;
import org.jnova.ChildJvm;
import org.jnova.TestPools;
import org.jnova.TestReport;
import org.junit.jupiter.api.Test;

/**
 * Threads commit transactions to an H2 database in a pool, and their JVM is killed meanwhile: the next finds all that
 * was committed, and no part of a transaction.
 */
class H2KillTest {
    private static final int KILLS = TestPools.FULL ? 40 : 4;
    private static final int COMMITS = 60; // at least, before a kill
    private static final int THREADS = 2;

    @Test
    void nothingCommittedIsLost() throws Exception {
        FilePath.register(new PoolFilePath());
        int[] committed = new int[THREADS];
        try (NioPools pools = new NioPools()) {
            try (FileSystem fs = pools.create("db", 256 * TestPools.MIB);
                    Connection connection = connect(fs);
                    Statement statement = connection.createStatement()) {
                statement.execute("CREATE TABLE account(id INT PRIMARY KEY, seq INT, total INT)");
                statement.execute("CREATE TABLE entry(account INT, seq INT, amount INT, data BLOB)");
                for (int i = 0; i < THREADS; i++) {
                    statement.execute("INSERT INTO account VALUES(" + i + ", 0, 0)");
                }
            }
            for (int i = 0; i < KILLS; i++) {
                try (ChildJvm child = new ChildJvm(H2KillTest.class, pools.uri("db").toString())) {
                    for (int n = 0; n < COMMITS; n++) {
                        String line = child.line();
                        assertNotNull(line, "it ended by itself");
                        note(committed, line);
                    }
                    child.kill().forEach(line -> note(committed, line));
                }
                FileSystem fs = pools.open("db");
                check(fs, committed);
                pools.closeSound(fs, "db");
            }
        }
        int total = 0;
        for (int n : committed) {
            total += n;
        }
        TestReport.line("H2 database in a pool: %d kills, %d transactions committed, none lost", KILLS, total);
    }

    private static void note(int[] committed, String line) {
        String[] words = line.split(" ");
        committed[Integer.parseInt(words[0])] = Integer.parseInt(words[1]);
    }

    /** With each commit written out before it returns. */
    private static Connection connect(FileSystem fs) throws SQLException {
        return DriverManager.getConnection("jdbc:h2:" + fs.getPath("/db").toUri() + ";WRITE_DELAY=0");
    }

    /** For each account its last transaction, and that each has both entries; notes the transactions there are. */
    private static void check(FileSystem fs, int[] committed) throws SQLException {
        String query = "SELECT id, a.seq, total, COUNT(*), COUNT(DISTINCT e.seq), MAX(e.seq), SUM(amount),"
                + " SUM(LENGTH(data)) FROM account a JOIN entry e ON id = account GROUP BY id, a.seq, total ORDER BY id";
        try (Connection connection = connect(fs);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            for (int i = 0; i < THREADS; i++) {
                assertTrue(rows.next());
                int seq = rows.getInt(2);
                assertTrue(seq >= committed[i], seq + " of " + committed[i]);
                assertEquals(seq, rows.getInt(3));
                assertEquals(2 * seq, rows.getInt(4));
                assertEquals(seq, rows.getInt(5));
                assertEquals(seq, rows.getInt(6));
                assertEquals(seq, rows.getInt(7));
                assertEquals(dataUpTo(seq), rows.getLong(8));
                committed[i] = seq;
            }
        }
    }

    private static int dataLength(int seq) {
        return seq * 997 % 20_000;
    }

    private static long dataUpTo(int seq) {
        long sum = 0;
        for (int i = 1; i <= seq; i++) {
            sum += dataLength(i);
        }
        return sum;
    }

    // ---- in the other JVM

    /**
     * Commits until it is killed, and says after each commit of what thread it was, and which.
     *
     * @param args the URI of the pool
     */
    public static void main(String[] args) throws Exception {
        FilePath.register(new PoolFilePath());
        FileSystem fs = FileSystems.newFileSystem(URI.create(args[0]), Map.of("emulated", true));
        for (int i = 0; i < THREADS; i++) {
            int account = i;
            new Thread(() -> {
                try (Connection connection = connect(fs)) {
                    transactions(connection, account);
                } catch (SQLException e) {
                    e.printStackTrace();
                    Runtime.getRuntime().halt(1);
                }
            }).start();
        }
    }

    /** Each makes an entry of 3 and one of -2, and so adds 1 to the total. */
    private static void transactions(Connection connection, int account) throws SQLException {
        connection.setAutoCommit(false);
        int seq = 1;
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT seq FROM account WHERE id = " + account)) {
            rows.next();
            seq += rows.getInt(1);
        }
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO entry VALUES(?, ?, ?, ?)");
                PreparedStatement update =
                        connection.prepareStatement("UPDATE account SET seq = ?, total = total + 1 WHERE id = ?")) {
            for (; ; seq++) {
                insert.setInt(1, account);
                insert.setInt(2, seq);
                insert.setInt(3, 3);
                insert.setBytes(4, new byte[dataLength(seq)]);
                insert.executeUpdate();
                update.setInt(1, seq);
                update.setInt(2, account);
                update.executeUpdate();
                insert.setInt(3, -2);
                insert.setBytes(4, new byte[0]);
                insert.executeUpdate();
                connection.commit();
                System.out.println(account + " " + seq);
            }
        }
    }
}
