/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import javax.management.Attribute;
import javax.management.AttributeNotFoundException;
import javax.management.MBeanServer;
import javax.management.MBeanServerNotification;
import javax.management.NotificationListener;
import javax.management.ObjectName;
import javax.management.ReflectionException;
import javax.management.StandardMBean;
import javax.management.openmbean.CompositeData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A store as an MBean, and as none. */
class ManagementTest {
    private static final String PROPERTY = "jnova.management";

    private final TestPools pools = new TestPools();
    private final MBeanServer server = ManagementFactory.getPlatformMBeanServer();

    @BeforeEach
    void switchOn() {
        System.setProperty(PROPERTY, "true");
    }

    @AfterEach
    void remove() {
        System.clearProperty(PROPERTY);
        pools.close();
    }

    private ObjectName name(String pool) throws Exception {
        return new ObjectName("org.jnova:type=NovaStore,name="
                + ObjectName.quote(pools.path(pool).toRealPath().toString()));
    }

    private Set<ObjectName> all() throws Exception {
        return server.queryNames(new ObjectName("org.jnova:*"), null);
    }

    @Test
    void itIsThereWhileTheStoreIsOpen() throws Exception {
        String pool = "a, \"pool\"?*";
        for (int i = 0; i < 2; i++) {
            try (NovaStore store = i == 0 ? pools.create(pool, 16 * TestPools.MIB) : pools.open(pool)) {
                assertTrue(store.isOpen());
                assertEquals(Set.of(name(pool)), all());
            }
            assertEquals(Set.of(), all());
        }
    }

    @Test
    void withoutTheSwitchThereIsNone() throws Exception {
        System.clearProperty(PROPERTY);
        try (NovaStore store = pools.create("p", 16 * TestPools.MIB)) {
            assertTrue(store.isOpen());
            assertEquals(Set.of(), all());
        }
    }

    @Test
    void itTellsWhatTheStatisticsTell() throws Exception {
        try (NovaStore store = pools.create("p", 16 * TestPools.MIB);
                NovaFile file = store.open("f", CREATE, WRITE)) {
            for (int i = 0; i < 500; i++) {
                file.write(0, new byte[100], 0, 100);
            }
            StoreStats stats = store.stats();
            CompositeData data = (CompositeData) server.getAttribute(name("p"), "Stats");
            assertTrue(stats.writes().calls() == 500 && stats.cleaning().nanos() > 0);
            assertSame(stats, data, "");
            file.write(0, new byte[100], 0, 100);
            CompositeData later = (CompositeData) server.getAttribute(name("p"), "Stats");
            assertEquals(501L, ((CompositeData) later.get("writes")).get("calls"));
            assertTrue(server.getMBeanInfo(name("p")).getAttributes().length == 1);
            assertTrue((Long) later.get("uptime") > (Long) data.get("uptime"));
        }
    }

    /** Each component, but the time, which goes on. */
    private static void assertSame(Record record, CompositeData data, String path) throws Exception {
        assertEquals(record.getClass().getRecordComponents().length, data.values().size(), path);
        for (RecordComponent component : record.getClass().getRecordComponents()) {
            String name = path + "/" + component.getName();
            Object value = component.getAccessor().invoke(record);
            Object item = data.get(component.getName());
            if (value instanceof Record inner) {
                assertSame(inner, (CompositeData) item, name);
            } else if (value instanceof Duration time) {
                assertTrue(name.equals("/uptime") ? time.toNanos() < (Long) item : time.toNanos() == (Long) item, name);
            } else if (value instanceof Number || value instanceof Boolean) {
                assertEquals(value, item, name);
            } else {
                assertEquals(value.toString(), item, name);
            }
        }
    }

    @Test
    void whatItDoesNotHave() throws Exception {
        try (NovaStore store = pools.create("p", 16 * TestPools.MIB)) {
            assertTrue(store.isOpen());
            assertThrows(AttributeNotFoundException.class, () -> server.getAttribute(name("p"), "Other"));
            assertThrows(
                    AttributeNotFoundException.class,
                    () -> server.setAttribute(name("p"), new Attribute("Stats", null)));
            assertThrows(ReflectionException.class, () -> server.invoke(name("p"), "close", null, null));
            assertEquals(1, server.getAttributes(name("p"), new String[] {"Other", "Stats"}).size());
        }
    }

    /** Somebody has taken the name: the store does without, and leaves alone what is not its own. */
    @Test
    void aNameThatIsTaken() throws Exception {
        pools.create("p", 16 * TestPools.MIB).close();
        ObjectName name = name("p");
        server.registerMBean(new StandardMBean((Runnable) () -> {}, Runnable.class), name);
        try {
            pools.open("p").close();
            assertTrue(server.isRegistered(name));
        } finally {
            server.unregisterMBean(name);
        }
        pools.open("p").close();
    }

    @Test
    void closingTwiceLeavesTheNextStoreAlone() throws Exception {
        NovaStore first = pools.create("p", 16 * TestPools.MIB);
        first.close();
        try (NovaStore second = pools.open("p")) {
            first.close();
            assertTrue(second.isOpen() && server.isRegistered(name("p")));
            server.unregisterMBean(name("p"));
        }
    }

    /** Unregistering calls whoever listens, who may ask the store something: it is open until then. */
    @Test
    void aListenerMayUseTheStoreThatIsClosing() throws Exception {
        NovaStore store = pools.create("p", 16 * TestPools.MIB);
        AtomicReference<StoreStats> heard = new AtomicReference<>();
        ObjectName delegate = new ObjectName("JMImplementation:type=MBeanServerDelegate");
        NotificationListener listener = (notification, handback) -> {
            if (notification.getType().equals(MBeanServerNotification.UNREGISTRATION_NOTIFICATION)) {
                try {
                    heard.set(store.stats());
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }
        };
        server.addNotificationListener(delegate, listener, null, null);
        try {
            store.close();
        } finally {
            server.removeNotificationListener(delegate, listener);
        }
        assertTrue(heard.get() != null && !store.isOpen());
    }

    /** It keeps no store from opening and closing, and no bean stays. */
    @Test
    void aListenerThatFails() throws Exception {
        ObjectName delegate = new ObjectName("JMImplementation:type=MBeanServerDelegate");
        NotificationListener listener = (notification, handback) -> {
            throw new AssertionError("somebody else's");
        };
        pools.create("p", 16 * TestPools.MIB).close();
        server.addNotificationListener(delegate, listener, null, null);
        try {
            NovaStore store = pools.open("p");
            assertEquals(Set.of(), all());
            store.close();
            assertFalse(store.isOpen());
        } finally {
            server.removeNotificationListener(delegate, listener);
        }
        NovaStore store = pools.open("p");
        assertEquals(Set.of(name("p")), all());
        server.addNotificationListener(delegate, listener, null, null);
        try {
            store.close();
            assertFalse(store.isOpen());
            assertEquals(Set.of(), all());
        } finally {
            server.removeNotificationListener(delegate, listener);
        }
        pools.open("p").close();
    }

    // ---- JVMs of their own

    /** Opens and closes a pool. */
    static final class OpenAndClose {
        private OpenAndClose() {}

        public static void main(String[] args) throws IOException {
            try (NovaStore store = NovaStore.open(Path.of(args[0]), TestPools.EMULATED)) {
                System.out.println(store.stats().info().files());
            }
        }
    }

    private void openInAChild(List<String> options) throws Exception {
        if (!Files.exists(pools.path("p"))) {
            pools.create("p", 16 * TestPools.MIB).close();
        }
        try (ChildJvm child = new ChildJvm(
                TestJdk.current(), options, OpenAndClose.class, pools.path("p").toString())) {
            assertEquals("0", child.line());
            assertNull(child.line());
            assertEquals(0, child.exitCode());
        }
    }

    private boolean loadsManagement(boolean on) throws Exception {
        Path log = pools.path("classes-" + on);
        openInAChild(List.of("-D" + PROPERTY + "=" + on, "-Xlog:class+load:file=" + log));
        try (Stream<String> lines = Files.lines(log)) {
            List<String> loaded = lines.toList();
            assertTrue(loaded.stream().anyMatch(line -> line.contains("org.jnova.internal.store.StoreCore ")));
            return loaded.stream().anyMatch(line -> line.contains(" javax.management."));
        }
    }

    /** That takes longer than to open a pool. */
    @Test
    void withoutTheSwitchNothingOfManagementIsLoaded() throws Exception {
        assertFalse(loadsManagement(false));
        assertTrue(loadsManagement(true));
    }

    @Test
    void aJvmWithoutManagementOpensTheStore() throws Exception {
        openInAChild(List.of("-D" + PROPERTY + "=true", "--limit-modules=java.base,jdk.jfr,jdk.nio.mapmode"));
    }
}
