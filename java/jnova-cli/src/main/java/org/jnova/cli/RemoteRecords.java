/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import javax.management.openmbean.CompositeData;
import org.jnova.Durability;

/** Makes the records again of which a store's MBean is composed: an item for each component. */
final class RemoteRecords {
    private RemoteRecords() {}

    static <T extends Record> T read(Class<T> type, CompositeData data) throws CommandFailure {
        RecordComponent[] components = type.getRecordComponents();
        Class<?>[] types = new Class<?>[components.length];
        Object[] values = new Object[components.length];
        for (int i = 0; i < components.length; i++) {
            String name = components[i].getName();
            if (!data.containsKey(name)) {
                throw new CommandFailure("its JNova is of another version: it tells no " + name);
            }
            types[i] = components[i].getType();
            try {
                values[i] = value(types[i], data.get(name));
            } catch (RuntimeException e) { // a type that differs, a text that cannot be read
                throw new CommandFailure("its JNova is of another version: " + name + " differs", e);
            }
        }
        try {
            return type.getDeclaredConstructor(types).newInstance(values);
        } catch (ReflectiveOperationException | RuntimeException e) {
            throw new CommandFailure("its JNova is of another version: " + type.getSimpleName() + " differs", e);
        }
    }

    private static Object value(Class<?> type, Object item) throws CommandFailure {
        if (item instanceof CompositeData data) {
            return read(type.asSubclass(Record.class), data);
        } else if (type == Duration.class) {
            return Duration.ofNanos((Long) item);
        } else if (type == Instant.class) {
            return Instant.parse((String) item);
        } else if (type == UUID.class) {
            return UUID.fromString((String) item);
        } else if (type == Path.class) {
            return HostPath.of((String) item);
        } else if (type == Durability.class) {
            return Durability.valueOf((String) item);
        }
        return item;
    }
}
