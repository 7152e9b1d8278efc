/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.ClosedFileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import javax.management.InstanceNotFoundException;
import javax.management.JMException;
import javax.management.MBeanException;
import javax.management.MBeanServerConnection;
import javax.management.ObjectName;
import javax.management.openmbean.CompositeData;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;
import org.jnova.StoreStats;

/**
 * The stores of another JVM, which is asked for their statistics over the JDK's local management agent. That agent is
 * started only where the switch says that somebody may look: until then the JVM has been asked for its properties
 * alone.
 */
final class RemoteStores implements AutoCloseable {
    /** The system property without which a JVM's stores are not to be looked at. */
    static final String SWITCH = "jnova.management";

    private static final String STORES = "org.jnova:type=NovaStore,*";
    private static final String MAGIC = "JNPOOLv1"; // native/FORMAT.md, "Superblock"
    private static final int END_CHECKS = 50;
    private static final int END_CHECK_MILLIS = 20;

    private final HostProcess process;
    private final Object poolKey; // of the only pool wanted, or null
    private final JMXConnector connector;

    private RemoteStores(HostProcess process, Object poolKey, JMXConnector connector) {
        this.process = process;
        this.poolKey = poolKey;
        this.connector = connector;
    }

    /**
     * Connects to a JVM that has stores open.
     *
     * @param target its process id, or a pool that it has open
     */
    static RemoteStores of(String target) throws IOException, CommandFailure {
        if (target.matches("[0-9]+")) {
            return connect(new HostProcess(pid(target)), null);
        }
        Path pool = Path.of(target);
        Object key = HostProcess.key(pool);
        if (!isPool(pool)) {
            throw new CommandFailure(pool + ": it is no pool");
        }
        List<HostProcess> jvms = HostProcess.jvmsWriting(key);
        if (jvms.isEmpty()) {
            throw new CommandFailure(pool + ": no JVM has it open"
                    + (HostProcess.ownUid() == 0 ? "" : ", unless another user's; that user may look"));
        }
        CommandFailure failure = null;
        for (HostProcess jvm : jvms) { // one, unless others write to what is not theirs
            try {
                return connect(jvm, key);
            } catch (CommandFailure e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        throw failure;
    }

    /** Whether a file begins as a pool does: no JVM is asked anything for the sake of another file. */
    private static boolean isPool(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            return false;
        }
        try (InputStream in = Files.newInputStream(file)) {
            return new String(in.readNBytes(MAGIC.length()), StandardCharsets.ISO_8859_1).equals(MAGIC);
        }
    }

    private static long pid(String digits) throws CommandFailure {
        try {
            return Long.parseLong(digits);
        } catch (NumberFormatException e) {
            throw new CommandFailure("process " + digits + ": no such process", e);
        }
    }

    private static RemoteStores connect(HostProcess process, Object poolKey) throws CommandFailure {
        check(process);
        JMXConnector connector;
        try {
            connector = JMXConnectorFactory.connect(new JMXServiceURL(agentOf(process)));
        } catch (IOException e) {
            throw gone(process, e);
        }
        RemoteStores stores = new RemoteStores(process, poolKey, connector);
        boolean good = false;
        try {
            if (stores.names().isEmpty()) {
                throw failure(
                        process,
                        "no store is open there"
                                + (poolKey == null ? "" : " on this pool, under the name that it has now")
                                + ", or none could be made an MBean: its log says so");
            }
            good = true;
            return stores;
        } finally {
            if (!good) {
                stores.close();
            }
        }
    }

    /** What is no JVM must not be attached to: it would get a signal that ends it. */
    private static void check(HostProcess process) throws CommandFailure {
        if (!process.exists()) {
            throw failure(process, "no such process");
        }
        long leader;
        try {
            leader = process.leader();
        } catch (IOException e) {
            throw gone(process, e);
        }
        if (leader != process.pid()) { // its signal would go to the whole process
            throw failure(process, "it is a thread of process " + leader);
        }
        if (process.pid() == ProcessHandle.current().pid()) {
            throw failure(process, "this is the command itself");
        }
        try {
            if (process.uid() != HostProcess.ownUid()) { // root, too: what it answers is not to be trusted
                throw failure(process, "it is of user " + process.uid() + "; that user may look");
            }
            if (!process.isJvm()) {
                throw failure(process, "no JVM runs there");
            }
            if (process.isStopped()) {
                throw failure(process, "it is stopped; kill -CONT " + process.pid() + " lets it go on");
            }
            if (!process.handlesQuit()) {
                throw failure(process, "its JVM takes no requests: it is just starting, or was started with -Xrs");
            }
        } catch (IOException e) {
            throw gone(process, e);
        }
    }

    /** Where its management agent listens, which is started if it is not running. */
    private static String agentOf(HostProcess process) throws IOException, CommandFailure {
        VirtualMachine jvm;
        try {
            jvm = VirtualMachine.attach(Long.toString(process.pid()));
        } catch (AttachNotSupportedException e) {
            throw new CommandFailure(
                    "process " + process.pid() + ": its JVM takes no requests: it hangs, or is of another user or"
                            + " group, or was started with -XX:+DisableAttachMechanism (" + e.getMessage() + ")",
                    e);
        }
        try {
            if (!Boolean.parseBoolean(jvm.getSystemProperties().getProperty(SWITCH))) {
                throw failure(process, "its stores are not to be looked at; start its JVM with -D" + SWITCH + "=true");
            }
            return jvm.startLocalManagementAgent();
        } finally {
            jvm.detach();
        }
    }

    private static CommandFailure failure(HostProcess process, String text) {
        return new CommandFailure("process " + process.pid() + ": " + text);
    }

    long pid() {
        return process.pid();
    }

    /**
     * Reads the statistics of all stores, by their pools.
     *
     * @param problem told of a store that cannot be read, for another reason than that it has been closed
     * @throws CommandFailure if there is no process any more, or no answer
     */
    Map<String, StoreStats> read(Consumer<String> problem) throws CommandFailure {
        Map<String, StoreStats> all = new TreeMap<>();
        for (Map.Entry<String, ObjectName> store : names().entrySet()) {
            try {
                CompositeData data = (CompositeData) server().getAttribute(store.getValue(), "Stats");
                all.put(store.getKey(), RemoteRecords.read(StoreStats.class, data));
            } catch (InstanceNotFoundException e) {
                // closed meanwhile
            } catch (MBeanException e) {
                if (!(e.getCause() instanceof ClosedFileSystemException)) {
                    problem.accept(store.getKey() + ": " + e.getMessage());
                }
            } catch (JMException | RuntimeException | CommandFailure e) {
                problem.accept(store.getKey() + ": " + e.getMessage());
            } catch (IOException e) {
                throw gone(process, e);
            }
        }
        return all;
    }

    private MBeanServerConnection server() throws IOException {
        return connector.getMBeanServerConnection();
    }

    /** The stores that are wanted, by their pools. */
    private Map<String, ObjectName> names() throws CommandFailure {
        Map<String, ObjectName> names = new TreeMap<>();
        try {
            for (ObjectName name : server().queryNames(ObjectName.getInstance(STORES), null)) {
                Optional<String> pool = poolOf(name);
                if (pool.isPresent() && (poolKey == null || process.isAt(poolKey, pool.get()))) {
                    names.put(pool.get(), name);
                }
            }
        } catch (IOException e) {
            throw gone(process, e);
        } catch (JMException e) {
            throw new IllegalArgumentException(STORES, e);
        }
        return names;
    }

    /** Empty if it is of somebody else's bean. */
    private static Optional<String> poolOf(ObjectName name) {
        try {
            return Optional.ofNullable(name.getKeyProperty("name")).map(ObjectName::unquote);
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** A process that ends closes its connections some time before. */
    private static CommandFailure gone(HostProcess process, IOException e) {
        for (int i = 0; i < END_CHECKS && process.exists(); i++) {
            try {
                Thread.sleep(END_CHECK_MILLIS);
            } catch (InterruptedException interrupt) {
                Thread.currentThread().interrupt();
                break;
            }
        }
        return new CommandFailure(
                "process " + process.pid() + ": "
                        + (process.exists() ? "no answer: " + ErrorText.of(e) : "it has ended"),
                e);
    }

    @Override
    public void close() {
        try {
            connector.close();
        } catch (IOException e) {
            // the other side is gone
        }
    }
}
