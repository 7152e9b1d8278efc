/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a recording of the Java Flight Recorder hears of a store. */
class FlightEventsTest {
    private static final int PAGE = 4096;

    private final TestPools pools = new TestPools();

    @AfterEach
    void remove() {
        pools.close();
    }

    /** Something that may be recorded. */
    private interface Work {
        void run() throws IOException;
    }

    private List<RecordedEvent> record(String event, Duration threshold, Work work) throws IOException {
        Path file = pools.path("recording.jfr");
        try (Recording recording = new Recording()) {
            recording.enable(event).withThreshold(threshold);
            recording.start();
            work.run();
            recording.stop();
            recording.dump(file);
        }
        List<RecordedEvent> events = RecordingFile.readAllEvents(file);
        Files.delete(file);
        return events.stream()
                .filter(e -> e.getEventType().getName().equals(event))
                .toList();
    }

    @Test
    void writesAboveTheThreshold() throws IOException {
        try (NovaStore store = pools.create("p", 16 * TestPools.MIB);
                NovaFile file = store.open("f", CREATE, WRITE)) {
            byte[] bytes = new byte[1 << 20];
            file.write(0, bytes, 0, 100); // before any recording
            Work work = () -> {
                file.setSize(0);
                file.write(PAGE, bytes, 0, 100);
                file.append(bytes, 0, bytes.length); // in pieces
            };
            List<RecordedEvent> events = record("org.jnova.Write", Duration.ZERO, work);
            assertEquals(2, events.size(), events.toString());
            assertEquals("f", events.get(0).getString("file"));
            assertEquals(PAGE, events.get(0).getLong("position"));
            assertEquals(100, events.get(0).getLong("length"));
            assertEquals(PAGE + 100, events.get(1).getLong("position"));
            assertEquals(bytes.length, events.get(1).getLong("length"));
            assertEquals(List.of(), record("org.jnova.Write", Duration.ofHours(1), work));
        }
    }

    @Test
    void recoveryOfAPoolThatWasNotClosed() throws IOException {
        try (NovaStore store = pools.create("p", 16 * TestPools.MIB)) {
            store.open("f", CREATE, WRITE).close();
            Files.copy(pools.path("p"), pools.path("crashed")); // nothing is stored meanwhile
        }
        Work open = () -> pools.open("crashed").close();
        List<RecordedEvent> events = record("org.jnova.Recovery", Duration.ZERO, open);
        assertEquals(1, events.size(), events.toString());
        assertEquals(pools.path("crashed").toString(), events.get(0).getString("pool"));
        assertEquals(2, events.get(0).getLong("inodes"));
        assertTrue(events.get(0).getDuration("scan").compareTo(events.get(0).getDuration()) <= 0);
        assertEquals(List.of(), record("org.jnova.Recovery", Duration.ZERO, open), "it is closed in order now");
    }

    @Test
    void cleaningOfALog() throws IOException {
        try (NovaStore store = pools.create("p", 16 * TestPools.MIB);
                NovaFile file = store.open("f", CREATE, WRITE)) {
            long freed = store.stats().logs().pagesFreed();
            List<RecordedEvent> events = record("org.jnova.Cleaning", Duration.ZERO, () -> {
                for (int i = 0; i < 2000; i++) {
                    file.write(0, new byte[PAGE], 0, PAGE);
                }
            });
            long shorter = events.stream()
                    .mapToInt(e -> e.getInt("pagesBefore") - e.getInt("pagesAfter"))
                    .sum();
            assertTrue(shorter > 20, events.toString());
            assertTrue(store.stats().logs().pagesFreed() - freed >= shorter);
            assertEquals("f", events.get(0).getString("file"));
        }
    }

    @Test
    void faultsThatTheIndexTakesIn() throws IOException {
        try (NovaStore store = pools.create("p", 16 * TestPools.MIB);
                NovaFile file = store.open("f", CREATE, READ, WRITE)) {
            file.setSize(64 * PAGE);
            try (MappedRegion region = file.map(MapMode.READ_WRITE, 0, 64 * PAGE)) {
                assumeTrue(region.status().lazy());
                List<RecordedEvent> events = record("org.jnova.FaultBatch", Duration.ZERO, () -> {
                    region.buffer().put(0, (byte) 1);
                    region.buffer().put(32 * PAGE, (byte) 1);
                    file.write(PAGE, new byte[1], 0, 1);
                    file.write(PAGE, new byte[1], 0, 1);
                });
                assertEquals(1, events.size(), events.toString());
                assertEquals("f", events.get(0).getString("file"));
                assertEquals(2, events.get(0).getLong("commits"));
            }
        }
    }
}
