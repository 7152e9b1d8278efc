/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.management;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.ClosedFileSystemException;
import java.nio.file.Path;
import javax.management.Attribute;
import javax.management.AttributeList;
import javax.management.AttributeNotFoundException;
import javax.management.DynamicMBean;
import javax.management.JMException;
import javax.management.MBeanException;
import javax.management.MBeanInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.ReflectionException;
import javax.management.openmbean.CompositeType;
import javax.management.openmbean.OpenDataException;
import javax.management.openmbean.OpenMBeanAttributeInfo;
import javax.management.openmbean.OpenMBeanAttributeInfoSupport;
import javax.management.openmbean.OpenMBeanInfoSupport;
import org.jnova.StoreStats;

/**
 * A store as an MBean. All figures are in one attribute, so that what is read together is of one call of {@link
 * org.jnova.NovaStore#stats}. A client needs no class of this library, not even for what goes wrong.
 */
final class StoreBean implements DynamicMBean {
    static final String ATTRIBUTE = "Stats";

    private final StoreBeans.Source source;
    private final CompositeType type;
    private final MBeanInfo info;

    private StoreBean(StoreBeans.Source source) throws OpenDataException {
        this.source = source;
        this.type = RecordComposites.type(StoreStats.class);
        OpenMBeanAttributeInfo attribute = new OpenMBeanAttributeInfoSupport(
                ATTRIBUTE, "What the store has done since it was opened", type, true, false, false);
        this.info = new OpenMBeanInfoSupport(
                StoreBean.class.getName(),
                "An open store",
                new OpenMBeanAttributeInfo[] {attribute},
                null,
                null,
                null);
    }

    /** Registers a store. Returns what unregisters it. */
    static Runnable register(Path pool, StoreBeans.Source source) throws IOException, JMException {
        ObjectName name = new ObjectName("org.jnova:type=NovaStore,name="
                + ObjectName.quote(pool.toRealPath().toString()));
        StoreBean bean = new StoreBean(source);
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        Runnable unregister = () -> unregister(server, name); // ahead, so that nothing fails behind
        try {
            server.registerMBean(bean, name);
        } catch (RuntimeException | Error e) { // of a listener: then the bean is registered
            if (isOfAStore(server, name)) {
                unregister.run();
            }
            throw e;
        }
        return unregister;
    }

    /** A pool is open once in a JVM: if so, it is the one that is being registered. */
    private static boolean isOfAStore(MBeanServer server, ObjectName name) {
        try {
            return server.getObjectInstance(name).getClassName().equals(StoreBean.class.getName());
        } catch (JMException e) {
            return false;
        }
    }

    private static void unregister(MBeanServer server, ObjectName name) {
        try {
            server.unregisterMBean(name);
        } catch (JMException | RuntimeException | Error e) {
            // somebody else has done so, or forbids it, or a listener fails: a store must close all the same
        }
    }

    @Override
    public MBeanInfo getMBeanInfo() {
        return info;
    }

    @Override
    public Object getAttribute(String name) throws AttributeNotFoundException, MBeanException, ReflectionException {
        if (!ATTRIBUTE.equals(name)) {
            throw new AttributeNotFoundException(name);
        }
        try {
            return RecordComposites.of(source.read(), type);
        } catch (ClosedFileSystemException e) {
            throw new MBeanException(e, "the store is closed");
        } catch (IOException e) {
            throw new MBeanException(new IOException(e.getMessage()), e.getMessage()); // the client lacks its class
        } catch (OpenDataException | ReflectiveOperationException e) {
            throw new ReflectionException(e);
        }
    }

    /** Those that cannot be read are left out, as the interface wants. */
    @Override
    public AttributeList getAttributes(String[] names) {
        AttributeList list = new AttributeList();
        for (String name : names) {
            try {
                list.add(new Attribute(name, getAttribute(name)));
            } catch (JMException e) {
                // left out
            }
        }
        return list;
    }

    @Override
    public void setAttribute(Attribute attribute) throws AttributeNotFoundException {
        throw new AttributeNotFoundException(attribute.getName() + " cannot be set");
    }

    @Override
    public AttributeList setAttributes(AttributeList attributes) {
        return new AttributeList();
    }

    @Override
    public Object invoke(String operation, Object[] arguments, String[] signature) throws ReflectionException {
        throw new ReflectionException(new NoSuchMethodException(operation));
    }
}
