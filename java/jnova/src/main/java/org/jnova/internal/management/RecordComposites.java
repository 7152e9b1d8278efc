/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.management;

import java.lang.reflect.RecordComponent;
import java.time.Duration;
import javax.management.openmbean.CompositeData;
import javax.management.openmbean.CompositeDataSupport;
import javax.management.openmbean.CompositeType;
import javax.management.openmbean.OpenDataException;
import javax.management.openmbean.OpenType;
import javax.management.openmbean.SimpleType;

/**
 * Records as composite data, by the names of their components: records within likewise, durations as nanoseconds,
 * numbers and booleans as they are, all else as text. Thus what is documented of the records is true of the data.
 */
final class RecordComposites {
    private RecordComposites() {}

    /** The type of what {@link #of} makes of a record. */
    static CompositeType type(Class<? extends Record> record) throws OpenDataException {
        RecordComponent[] components = record.getRecordComponents();
        String[] names = new String[components.length];
        String[] descriptions = new String[components.length];
        OpenType<?>[] types = new OpenType<?>[components.length];
        for (int i = 0; i < components.length; i++) {
            names[i] = components[i].getName();
            descriptions[i] = names[i] + (components[i].getType() == Duration.class ? ", nanoseconds" : "");
            types[i] = itemType(components[i].getType());
        }
        return new CompositeType(record.getName(), record.getSimpleName(), names, descriptions, types);
    }

    private static OpenType<?> itemType(Class<?> type) throws OpenDataException {
        if (type.isRecord()) {
            return type(type.asSubclass(Record.class));
        } else if (type == long.class || type == Duration.class) {
            return SimpleType.LONG;
        } else if (type == int.class) {
            return SimpleType.INTEGER;
        } else if (type == boolean.class) {
            return SimpleType.BOOLEAN;
        }
        return SimpleType.STRING;
    }

    /** A record of the class that the type was made of. */
    static CompositeData of(Record record, CompositeType type) throws OpenDataException, ReflectiveOperationException {
        RecordComponent[] components = record.getClass().getRecordComponents();
        String[] names = new String[components.length];
        Object[] values = new Object[components.length];
        for (int i = 0; i < components.length; i++) {
            names[i] = components[i].getName();
            values[i] = item(components[i].getAccessor().invoke(record), type.getType(names[i]));
        }
        return new CompositeDataSupport(type, names, values);
    }

    private static Object item(Object value, OpenType<?> type) throws OpenDataException, ReflectiveOperationException {
        if (type instanceof CompositeType composite) {
            return of((Record) value, composite);
        } else if (value instanceof Duration time) {
            return time.toNanos();
        }
        return type == SimpleType.STRING ? value.toString() : value;
    }
}
