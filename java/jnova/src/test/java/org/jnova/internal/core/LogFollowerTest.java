/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jnova.TestPools;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A view that fails to take in what was committed is behind, and catches up later, without loss. */
class LogFollowerTest {
    private final TestPools pools = new TestPools();
    private final IoBlock io = new IoPool().lease();
    private NativePool pool;
    private NativeInode root;
    private LogFollower follower;
    private final List<String> seen = new ArrayList<>();
    private int failures;

    @BeforeEach
    void open() throws IOException {
        NativePool.create(pools.path("p"), TestPools.MIB, TestPools.EMULATED);
        pool = NativePool.open(pools.path("p"), TestPools.EMULATED);
        root = pool.openInode(Abi.ROOT_INO, 0, "root");
        root.replayAll(this::apply);
        follower = new LogFollower(root, io);
    }

    @AfterEach
    void close() throws IOException {
        root.close();
        pool.close();
        pools.close();
    }

    private void apply(ByteBuffer bytes, int at) {
        if (failures > 0) {
            failures--;
            throw new OutOfMemoryError("of the test");
        }
        int kind = Records.kind(bytes, at);
        seen.add((kind == Abi.REC_DENTRY_ADD ? "+" : "-")
                + new String(Records.childName(bytes, at), StandardCharsets.UTF_8));
    }

    private static byte[] name(String name) {
        return name.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void appliesWhatACallCommitted() throws IOException {
        follower.calling();
        assertEquals(Abi.OK, root.create(name("a"), Abi.FILE, 0644, null, io));
        assertTrue(follower.behind());
        follower.catchUp(this::apply);
        follower.catchUp(this::apply);
        assertEquals(List.of("+a"), seen);
        assertFalse(follower.behind());
    }

    @Test
    void goesOnWhereItFailed() throws IOException {
        String longName = "n".repeat(200); // an entry of several records
        follower.calling();
        assertEquals(Abi.OK, root.create(name(longName), Abi.FILE, 0644, null, io));
        follower.catchUp(this::apply);
        int ino = 2;
        follower.calling();
        assertEquals(
                Abi.OK,
                NativeInode.rename(
                        new NativeName(root, io, name(longName), ino, 1, Abi.FILE, null),
                        new NativeName(root, io, name("b"), 0, 0, 0, null)));
        failures = 1;
        assertThrows(OutOfMemoryError.class, () -> follower.catchUp(this::apply));
        assertTrue(follower.behind());
        follower.catchUp(this::apply);
        assertEquals(List.of("+" + longName, "-" + longName, "+b"), seen);
    }

    @Test
    void failedCallLeavesNothing() throws IOException {
        follower.calling();
        assertEquals(Abi.ENAME, root.create(name("x/y"), Abi.FILE, 0644, null, io));
        follower.failed();
        follower.catchUp(this::apply);
        assertEquals(List.of(), seen);
    }

    /** As when an error strikes between the announcement of a call and the call. */
    @Test
    void callThatWasNeverMadeLeavesNothing() throws IOException {
        follower.calling();
        assertEquals(Abi.OK, root.create(name("a"), Abi.FILE, 0644, null, io));
        follower.catchUp(this::apply);
        follower.calling();
        assertTrue(follower.behind());
        follower.catchUp(this::apply);
        assertEquals(List.of("+a"), seen);
    }

    @Test
    void closedHandlesRefuse() throws IOException {
        NativeInode inode = root;
        inode.close();
        assertThrows(IllegalStateException.class, () -> inode.create(name("a"), Abi.FILE, 0644, null, io));
        assertThrows(IllegalStateException.class, inode::close);
        root = pool.openInode(Abi.ROOT_INO, 0, "root");
    }
}
