/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.attribute.FileOwnerAttributeView;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.UserPrincipal;
import java.time.Instant;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jnova.AttributeChange;

/** The views that are typed, but for that of extended attributes. Each change is one atomic step, durable on return. */
final class AttributeViews {
    // What 64 bits of nanoseconds reach, in whole seconds.
    private static final Instant FIRST = Instant.ofEpochSecond(TimeUnit.NANOSECONDS.toSeconds(Long.MIN_VALUE));
    private static final Instant LAST = Instant.ofEpochSecond(TimeUnit.NANOSECONDS.toSeconds(Long.MAX_VALUE));

    private AttributeViews() {}

    /** The view of a type, or null if it is none of these. */
    static <V extends FileAttributeView> V of(Class<V> type, Node node) {
        FileAttributeView view = null;
        if (Objects.requireNonNull(type) == BasicFileAttributeView.class) {
            view = new Basic(node);
        } else if (type == PosixFileAttributeView.class) {
            view = new Posix(node);
        } else if (type == FileOwnerAttributeView.class) {
            view = new Owner(node);
        }
        return type.cast(view);
    }

    /** The time next to one that the store can keep: in the years 1677 to 2262. */
    private static FileTime within(FileTime time) {
        Instant instant = time.toInstant();
        return instant.isBefore(FIRST)
                ? FileTime.from(FIRST)
                : instant.isAfter(LAST) ? FileTime.from(LAST) : time;
    }

    /** Sets times; null leaves one as it is. */
    static AttributeChange times(FileTime modified, FileTime accessed, FileTime created) {
        AttributeChange change = AttributeChange.none();
        change = modified == null ? change : change.modified(within(modified));
        change = accessed == null ? change : change.accessed(within(accessed));
        return created == null ? change : change.created(within(created));
    }

    /** What all have. */
    static class Basic implements BasicFileAttributeView {
        final Node node;

        Basic(Node node) {
            this.node = node;
        }

        @Override
        public String name() {
            return "basic";
        }

        @Override
        public NovaAttributes readAttributes() throws IOException {
            return node.attributes();
        }

        @Override
        public void setTimes(FileTime lastModifiedTime, FileTime lastAccessTime, FileTime createTime)
                throws IOException {
            if (lastModifiedTime != null || lastAccessTime != null || createTime != null) {
                node.change(times(lastModifiedTime, lastAccessTime, createTime));
            }
        }
    }

    /** The owner alone. */
    static final class Owner implements FileOwnerAttributeView {
        private final Node node;

        Owner(Node node) {
            this.node = node;
        }

        @Override
        public String name() {
            return "owner";
        }

        @Override
        public UserPrincipal getOwner() throws IOException {
            return node.attributes().owner();
        }

        @Override
        public void setOwner(UserPrincipal owner) throws IOException {
            node.change(AttributeChange.none().uid(Principals.uid(owner)));
        }
    }

    /** Permissions, owner and group, too. */
    static final class Posix extends Basic implements PosixFileAttributeView {
        Posix(Node node) {
            super(node);
        }

        @Override
        public String name() {
            return "posix";
        }

        @Override
        public void setPermissions(Set<PosixFilePermission> permissions) throws IOException {
            node.change(AttributeChange.none().mode(Modes.of(permissions)));
        }

        @Override
        public UserPrincipal getOwner() throws IOException {
            return readAttributes().owner();
        }

        @Override
        public void setOwner(UserPrincipal owner) throws IOException {
            node.change(AttributeChange.none().uid(Principals.uid(owner)));
        }

        @Override
        public void setGroup(GroupPrincipal group) throws IOException {
            node.change(AttributeChange.none().gid(Principals.gid(group)));
        }
    }
}
