/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.UserPrincipal;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Users and groups: numbers in the store, with names as {@code /etc/passwd} and {@code /etc/group} have them now. A
 * number without a name is its own name. Equal if the numbers are.
 */
final class Principals {
    private static final Path USERS = Path.of("/etc/passwd");
    private static final Path GROUPS = Path.of("/etc/group");
    private static final int NAME = 0;
    private static final int NUMBER = 2;
    private static final long NUMBER_MAX = 0xffff_ffffL;

    private Principals() {}

    /** Something that has a number. */
    private abstract static class Numbered implements UserPrincipal {
        final long number;
        private final Path table;
        private volatile String name; // when it is first asked for

        Numbered(long number, Path table) {
            this.number = number;
            this.table = table;
        }

        @Override
        public String getName() {
            if (name == null) {
                String decimal = Long.toString(number);
                String[] entry = find(table, NUMBER, decimal);
                name = entry == null ? decimal : entry[NAME];
            }
            return name;
        }

        @Override
        public boolean equals(Object other) {
            return other != null && other.getClass() == getClass() && ((Numbered) other).number == number;
        }

        @Override
        public int hashCode() {
            return Long.hashCode(number);
        }

        @Override
        public String toString() {
            return getName();
        }
    }

    private static final class User extends Numbered {
        User(long number) {
            super(number, USERS);
        }
    }

    private static final class Group extends Numbered implements GroupPrincipal {
        Group(long number) {
            super(number, GROUPS);
        }
    }

    static UserPrincipal user(long uid) {
        return new User(uid);
    }

    static GroupPrincipal group(long gid) {
        return new Group(gid);
    }

    /**
     * The number of a user of this provider.
     *
     * @throws ProviderMismatchException if it is one of another
     * @throws IOException if it is a group
     */
    static long uid(UserPrincipal user) throws IOException {
        if (Objects.requireNonNull(user) instanceof User known) {
            return known.number;
        }
        if (user instanceof Group) {
            throw new IOException("'owner' parameter can't be a group");
        }
        throw new ProviderMismatchException();
    }

    /** The same of a group. */
    static long gid(GroupPrincipal group) {
        if (Objects.requireNonNull(group) instanceof Group known) {
            return known.number;
        }
        throw new ProviderMismatchException();
    }

    private static String[] find(Path table, int column, String value) {
        try (Stream<String> lines = Files.lines(table, StandardCharsets.ISO_8859_1)) {
            return lines.map(line -> line.split(":"))
                    .filter(entry -> entry.length > NUMBER && entry[column].equals(value))
                    .findFirst()
                    .orElse(null);
        } catch (IOException | UncheckedIOException e) {
            return null; // then nobody has a name
        }
    }

    /** Finds principals by name, or by number. */
    static UserPrincipalLookupService lookup() {
        return new UserPrincipalLookupService() {
            @Override
            public UserPrincipal lookupPrincipalByName(String name) throws IOException {
                return user(number(USERS, name));
            }

            @Override
            public GroupPrincipal lookupPrincipalByGroupName(String group) throws IOException {
                return group(number(GROUPS, group));
            }
        };
    }

    private static long number(Path table, String name) throws UserPrincipalNotFoundException {
        String[] entry = find(table, NAME, Objects.requireNonNull(name));
        try {
            long number = Long.parseLong(entry == null ? name : entry[NUMBER]);
            if (number >= 0 && number <= NUMBER_MAX) {
                return number;
            }
        } catch (NumberFormatException e) {
            // nobody's name, and no number
        }
        throw new UserPrincipalNotFoundException(name);
    }
}
