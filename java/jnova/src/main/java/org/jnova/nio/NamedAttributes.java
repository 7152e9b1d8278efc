/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.UserPrincipal;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jnova.AttributeChange;

/** Attributes by name, as {@code "view:name"}: of the views basic, posix, owner, unix and user. */
final class NamedAttributes {
    static final Set<String> VIEWS = Set.of("basic", "posix", "owner", "unix", "user");

    private static final String USER = "user";
    private static final Map<String, Map<String, Function<NovaAttributes, Object>>> READERS = readers();

    private NamedAttributes() {}

    private static Map<String, Map<String, Function<NovaAttributes, Object>>> readers() {
        Map<String, Function<NovaAttributes, Object>> basic = new LinkedHashMap<>();
        basic.put("size", NovaAttributes::size);
        basic.put("creationTime", NovaAttributes::creationTime);
        basic.put("lastAccessTime", NovaAttributes::lastAccessTime);
        basic.put("lastModifiedTime", NovaAttributes::lastModifiedTime);
        basic.put("isDirectory", NovaAttributes::isDirectory);
        basic.put("isRegularFile", NovaAttributes::isRegularFile);
        basic.put("isSymbolicLink", NovaAttributes::isSymbolicLink);
        basic.put("isOther", NovaAttributes::isOther);
        basic.put("fileKey", NovaAttributes::fileKey);
        Map<String, Function<NovaAttributes, Object>> posix = new LinkedHashMap<>(basic);
        posix.put("permissions", NovaAttributes::permissions);
        posix.put("owner", NovaAttributes::owner);
        posix.put("group", NovaAttributes::group);
        Map<String, Function<NovaAttributes, Object>> unix = new LinkedHashMap<>(posix);
        unix.put("mode", NovaAttributes::unixMode);
        unix.put("ino", all -> all.info().ino());
        unix.put("dev", all -> all.fileKey().device());
        unix.put("rdev", all -> 0L);
        unix.put("nlink", all -> (int) all.info().nlink());
        unix.put("uid", all -> (int) all.info().uid());
        unix.put("gid", all -> (int) all.info().gid());
        unix.put("ctime", all -> all.info().changed());
        return Map.of("basic", basic, "posix", posix, "unix", unix, "owner", Map.of("owner", NovaAttributes::owner));
    }

    /** A view and what is meant of it. */
    private record Name(String view, String rest) {
        static Name of(String text) {
            int colon = text.indexOf(':');
            Name name = colon < 0
                    ? new Name("basic", text)
                    : new Name(text.substring(0, colon), text.substring(colon + 1));
            if (!VIEWS.contains(name.view)) {
                throw new UnsupportedOperationException("View '" + name.view + "' not available");
            }
            return name;
        }

        IllegalArgumentException unknown(String attribute) {
            return new IllegalArgumentException("'" + view + ":" + attribute + "' not recognized");
        }
    }

    static Map<String, Object> read(PathNode node, String attributes) throws IOException {
        Name name = Name.of(attributes);
        List<String> wanted = Arrays.asList(name.rest.split(","));
        if (name.rest.isEmpty()) {
            throw new IllegalArgumentException("No attributes specified");
        }
        return name.view.equals(USER) ? readUser(node, wanted) : readOthers(node, name, wanted);
    }

    private static Map<String, Object> readOthers(Node node, Name name, List<String> wanted) throws IOException {
        Map<String, Function<NovaAttributes, Object>> readers = READERS.get(name.view);
        for (String attribute : wanted) {
            if (!attribute.equals("*") && !readers.containsKey(attribute)) {
                throw name.unknown(attribute);
            }
        }
        NovaAttributes all = node.attributes();
        Map<String, Object> result = new HashMap<>();
        for (String attribute : wanted.contains("*") ? readers.keySet() : wanted) {
            result.put(attribute, readers.get(attribute).apply(all));
        }
        return result;
    }

    private static Map<String, Object> readUser(PathNode node, List<String> wanted) throws IOException {
        UserAttributes view = new UserAttributes(node);
        Map<String, Object> result = new HashMap<>();
        for (String attribute : wanted.contains("*") ? view.list() : wanted) {
            result.put(attribute, view.get(attribute));
        }
        return result;
    }

    static void set(PathNode node, String attribute, Object value) throws IOException {
        Name name = Name.of(attribute);
        if (name.view.equals(USER)) {
            ByteBuffer bytes = value instanceof byte[] array ? ByteBuffer.wrap(array) : (ByteBuffer) value;
            new UserAttributes(node).write(name.rest, bytes);
            return;
        }
        if (!READERS.get(name.view).containsKey(name.rest)) {
            throw name.unknown(name.rest);
        }
        AttributeChange none = AttributeChange.none();
        node.change(
                switch (name.rest) {
                    case "lastModifiedTime" -> AttributeViews.times((FileTime) value, null, null);
                    case "lastAccessTime" -> AttributeViews.times(null, (FileTime) value, null);
                    case "creationTime" -> AttributeViews.times(null, null, (FileTime) value);
                    case "permissions" -> none.mode(Modes.of((Set<?>) value));
                    case "owner" -> none.uid(Principals.uid((UserPrincipal) value));
                    case "group" -> none.gid(Principals.gid((GroupPrincipal) value));
                    case "mode" -> none.mode((Integer) value & 07777);
                    case "uid" -> none.uid(Integer.toUnsignedLong((Integer) value));
                    case "gid" -> none.gid(Integer.toUnsignedLong((Integer) value));
                    default -> throw name.unknown(name.rest);
                });
    }
}
