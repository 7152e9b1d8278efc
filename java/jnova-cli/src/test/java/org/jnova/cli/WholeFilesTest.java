/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jnova.NovaStore;
import org.jnova.StoreOptions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WholeFilesTest {
    @TempDir(factory = SharedMemoryDir.class)
    Path dir;

    private NovaStore store;
    private WholeFiles whole;

    @BeforeEach
    void makeStore() throws IOException {
        store = NovaStore.create(
                dir.resolve("pool"),
                32 << 20,
                StoreOptions.builder().emulated(true).build());
        whole = new WholeFiles(store);
    }

    @AfterEach
    void closeStore() throws IOException {
        store.close();
    }

    private static ReadableByteChannel zeros(int length) {
        return Channels.newChannel(new ByteArrayInputStream(new byte[length]));
    }

    @Test
    void progressIsToldOfEachFullChunk() throws IOException {
        List<Long> told = new ArrayList<>();
        assertEquals(WholeFiles.CHUNK_LEN - 1, whole.put("a", zeros(WholeFiles.CHUNK_LEN - 1), told::add));
        assertEquals(List.of(), told);
        whole.put("a", zeros(2 * WholeFiles.CHUNK_LEN + 1), told::add);
        assertEquals(List.of((long) WholeFiles.CHUNK_LEN, 2L * WholeFiles.CHUNK_LEN), told);
        assertEquals(2 * WholeFiles.CHUNK_LEN + 1, store.stat("a").size());
    }

    @Test
    void aSourceThatFailsChangesNothing() throws IOException {
        whole.put("a", zeros(10), n -> {});
        InputStream failing = new FilterInputStream(new ByteArrayInputStream(new byte[WholeFiles.CHUNK_LEN + 10])) {
            private int reads;

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                if (++reads > 600) {
                    throw new IOException("cannot read on");
                }
                return super.read(bytes, offset, Math.min(length, 8192));
            }

            @Override
            public int available() {
                return 0;
            }
        };
        IOException e = assertThrows(IOException.class, () -> whole.put("a", new Slow(failing), n -> {}));
        assertEquals("cannot read on", e.getMessage());
        assertEquals(10, store.stat("a").size());
        assertEquals(List.of("a"), store.names());
    }

    /** Gives few bytes at a time, as a pipe does. */
    private record Slow(InputStream in) implements ReadableByteChannel {
        @Override
        public int read(ByteBuffer dst) throws IOException {
            byte[] bytes = new byte[Math.min(dst.remaining(), 7000)];
            int n = in.read(bytes, 0, bytes.length);
            if (n > 0) {
                dst.put(bytes, 0, n);
            }
            return n;
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }

    @Test
    void sameMeansSameBytesAndLength() throws IOException {
        int chunk = WholeFiles.CHUNK_LEN;
        for (int length : new int[] {0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk}) {
            whole.put("a", zeros(length), n -> {});
            assertTrue(whole.isSame("a", zeros(length)), "" + length);
            assertFalse(whole.isSame("a", zeros(length + 1)), "" + length);
            if (length > 0) {
                assertFalse(whole.isSame("a", zeros(length - 1)), "" + length);
                byte[] other = new byte[length];
                other[length - 1] = 1;
                assertFalse(whole.isSame("a", Channels.newChannel(new ByteArrayInputStream(other))), "" + length);
            }
        }
    }

    @Test
    void leftoversAreDeleted() throws IOException {
        whole.put(WholeFiles.PART_PREFIX + "x", zeros(1), n -> {});
        whole.put("a", zeros(1), n -> {});
        assertEquals(1, whole.deleteUnfinished());
        assertEquals(0, whole.deleteUnfinished());
        assertEquals(List.of("a"), store.names());
    }
}
