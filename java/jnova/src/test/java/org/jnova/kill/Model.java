/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.kill;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Files as they should be, in memory; or as they were found in a pool. */
final class Model implements Target.Own {
    /** Bytes behind the size are zeros. */
    private static final class Content {
        byte[] bytes = new byte[0];
        int size;
        int mode = 0644;
        long uid;
        final TreeMap<String, byte[]> attributes = new TreeMap<>();

        void write(int at, byte[] src) {
            grow(Math.max(size, at + src.length));
            System.arraycopy(src, 0, bytes, at, src.length);
        }

        void grow(int newSize) {
            if (newSize > bytes.length) {
                bytes = Arrays.copyOf(bytes, Math.max(newSize, 2 * bytes.length));
            }
            size = newSize;
        }
    }

    private final TreeMap<String, Content> files = new TreeMap<>();

    Set<String> names() {
        return files.keySet();
    }

    boolean has(String name) {
        return files.containsKey(name);
    }

    int size(String name) {
        return files.get(name).size;
    }

    byte[] bytes(String name) {
        Content content = files.get(name);
        return Arrays.copyOf(content.bytes, content.size);
    }

    /** Names of a file's extended attributes, sorted. */
    List<String> attributes(String name) {
        return List.copyOf(files.get(name).attributes.keySet());
    }

    /** Adds a file with these bytes. */
    void put(String name, byte[] bytes) {
        create(name);
        append(name, bytes);
    }

    void apply(Call call) {
        try {
            call.on(this);
        } catch (IOException e) {
            throw new AssertionError("a model does no input or output", e);
        }
    }

    @Override
    public void create(String name) {
        if (files.putIfAbsent(name, new Content()) != null) {
            throw new AssertionError(name + " is there already");
        }
    }

    @Override
    public void write(String name, int at, byte[] bytes) {
        files.get(name).write(at, bytes);
    }

    @Override
    public void store(String name, int at, byte[] bytes, boolean force) {
        write(name, at, bytes);
    }

    @Override
    public void punchHole(String name, int at, int length) {
        write(name, at, new byte[length]);
    }

    @Override
    public void append(String name, byte[] bytes) {
        Content content = files.get(name);
        content.write(content.size, bytes);
    }

    @Override
    public void setSize(String name, int size) {
        Content content = files.get(name);
        if (size < content.size) {
            Arrays.fill(content.bytes, size, content.size, (byte) 0);
            content.size = size;
        } else {
            content.grow(size);
        }
    }

    @Override
    public void punch(String name, int at, int length) {
        Content content = files.get(name);
        int end = Math.min(at + length, content.size);
        if (at < end) {
            Arrays.fill(content.bytes, at, end, (byte) 0);
        }
    }

    @Override
    public void collapse(String name, int at, int length) {
        Content content = files.get(name);
        System.arraycopy(content.bytes, at + length, content.bytes, at, content.size - at - length);
        setSize(name, content.size - length);
    }

    @Override
    public void insert(String name, int at, int length) {
        Content content = files.get(name);
        int size = content.size;
        content.grow(size + length);
        System.arraycopy(content.bytes, at, content.bytes, at + length, size - at);
        punch(name, at, length);
    }

    @Override
    public void allocate(String name, int at, int length, boolean keepSize) {
        Content content = files.get(name);
        content.grow(keepSize ? content.size : Math.max(content.size, at + length));
    }

    @Override
    public void defragment(String name) {
        // holds what it held
    }

    @Override
    public void copy(String from, int at, String to, int toAt, int length) {
        Content source = files.get(from);
        int end = Math.min(at + length, source.size);
        if (at < end) {
            files.get(to).write(toAt, Arrays.copyOfRange(source.bytes, at, end));
        }
    }

    @Override
    public void setOwner(String name, int mode, long uid) {
        files.get(name).mode = mode;
        files.get(name).uid = uid;
    }

    @Override
    public void setAttribute(String name, String attribute, byte[] value) {
        files.get(name).attributes.put(attribute, value);
    }

    @Override
    public void removeAttribute(String name, String attribute) {
        files.get(name).attributes.remove(attribute);
    }

    @Override
    public void rename(String from, String to) {
        files.put(to, files.remove(from));
    }

    @Override
    public void delete(String name) {
        files.remove(name);
    }

    /** Where another model differs from this one, or null. */
    String difference(Model found) {
        Set<String> all = new TreeSet<>(files.keySet());
        all.addAll(found.files.keySet());
        for (String name : all) {
            Content ours = files.get(name);
            Content theirs = found.files.get(name);
            if (ours == null || theirs == null) {
                return "\"" + name + "\" " + (ours == null ? "should not be there" : "is missing");
            }
            int at = Arrays.mismatch(ours.bytes, 0, ours.size, theirs.bytes, 0, theirs.size);
            if (at >= 0) {
                return "\"" + name + "\" differs from byte " + at + " on; it has " + theirs.size
                        + " bytes and should have " + ours.size;
            }
            if (ours.mode != theirs.mode || ours.uid != theirs.uid) {
                return "\"" + name + "\" has mode " + Integer.toOctalString(theirs.mode) + " and uid " + theirs.uid
                        + " and should have " + Integer.toOctalString(ours.mode) + " and " + ours.uid;
            }
            String attribute = difference(ours.attributes, theirs.attributes);
            if (attribute != null) {
                return "\"" + name + "\" has another attribute " + attribute;
            }
        }
        return null;
    }

    /** A name that has not the same value in both, or null. */
    private static String difference(Map<String, byte[]> ours, Map<String, byte[]> theirs) {
        Set<String> all = new TreeSet<>(ours.keySet());
        all.addAll(theirs.keySet());
        for (String attribute : all) {
            if (!Arrays.equals(ours.get(attribute), theirs.get(attribute))) {
                return attribute;
            }
        }
        return null;
    }
}
