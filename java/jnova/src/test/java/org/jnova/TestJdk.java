/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A JDK that tests start JVMs of.
 *
 * @param version its feature version
 */
public record TestJdk(Path home, int version) {
    private static final Pattern VERSION = Pattern.compile("(?m)^JAVA_VERSION=\"(\\d+)");

    /** The one that runs this. */
    public static TestJdk current() {
        return new TestJdk(
                Path.of(System.getProperty("java.home")), Runtime.version().feature());
    }

    /** Those whose homes the system property {@code jnova.test.jdks} names, with colons between them; else this one. */
    public static List<TestJdk> all() throws IOException {
        String homes = System.getProperty("jnova.test.jdks", "");
        if (homes.isEmpty()) {
            return List.of(current());
        }
        List<TestJdk> all = new ArrayList<>();
        for (String home : homes.split(":")) {
            all.add(at(Path.of(home)));
        }
        return all;
    }

    private static TestJdk at(Path home) throws IOException {
        Matcher matcher = VERSION.matcher(Files.readString(home.resolve("release")));
        if (!matcher.find()) {
            throw new IOException(home + " does not say its version");
        }
        return new TestJdk(home, Integer.parseInt(matcher.group(1)));
    }

    /** As in "17 and 25". */
    public static String versions(List<TestJdk> jdks) {
        return jdks.stream().map(jdk -> Integer.toString(jdk.version())).collect(Collectors.joining(" and "));
    }
}
