/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.PatternSyntaxException;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.jnova.TestPools;

/** The syntax of paths and globs is that of the default provider on Linux. */
class NovaPathModelTest {
    private static final FileSystem MODEL = FileSystems.getDefault();

    private static NioPools pools;
    private static FileSystem fs;

    @BeforeContainer
    static void open() throws Exception {
        pools = new NioPools();
        fs = pools.create("paths", 4 * TestPools.MIB);
    }

    @AfterContainer
    static void close() throws Exception {
        pools.closeSound(fs, "paths");
        pools.close();
    }

    @Provide
    static Arbitrary<String> texts() {
        return Arbitraries.of("a", "b", "ab", ".", "..", "", "/", "//", "a.b", "-").list().ofMaxSize(7).map(parts -> {
            StringBuilder text = new StringBuilder();
            for (String part : parts) {
                text.append(part).append(text.length() % 2 == 0 ? "/" : "");
            }
            return text.toString();
        });
    }

    @Provide
    static Arbitrary<String> globs() {
        return Arbitraries.of("a", "b", "*", "**", "?", "[", "]", "!", "^", "-", "{", "}", ",", "/", "\\", ".", "&&", "$")
                .list()
                .ofMaxSize(6)
                .map(parts -> String.join("", parts));
    }

    /** What a call gives, as text: also an exception, by its class. */
    private static String outcome(Supplier<Object> call) {
        try {
            return String.valueOf(call.get());
        } catch (IllegalArgumentException e) {
            return e.getClass().getName();
        }
    }

    /** All that one or two paths can be asked. */
    private static List<String> answers(FileSystem of, String one, String two) {
        Path a = of.getPath(one);
        Path b = of.getPath(two);
        List<Supplier<Object>> calls = new ArrayList<>();
        for (Function<Path, Object> ask : List.<Function<Path, Object>>of(
                Path::toString,
                Path::isAbsolute,
                Path::getRoot,
                Path::getFileName,
                Path::getParent,
                Path::getNameCount,
                Path::normalize,
                path -> path.iterator().hasNext())) {
            calls.add(() -> ask.apply(a));
        }
        for (int i = -1; i <= 4; i++) {
            int from = i;
            calls.add(() -> a.getName(from));
            for (int j = -1; j <= 5; j++) {
                int to = j;
                calls.add(() -> a.subpath(from, to));
            }
        }
        calls.add(() -> a.startsWith(b));
        calls.add(() -> a.endsWith(b));
        calls.add(() -> a.startsWith(two));
        calls.add(() -> a.endsWith(two));
        calls.add(() -> a.resolve(b));
        calls.add(() -> a.resolve(two));
        calls.add(() -> a.resolveSibling(b));
        calls.add(() -> a.relativize(b));
        calls.add(() -> a.equals(b));
        calls.add(() -> a.hashCode() == b.hashCode());
        calls.add(() -> Integer.signum(a.compareTo(b)));
        calls.add(() -> of.getPath(one, two, one));
        calls.add(() -> of.getPath("", one, "", two));
        return calls.stream().map(NovaPathModelTest::outcome).toList();
    }

    @Property(tries = 3000)
    void asTheDefaultProvider(@ForAll("texts") String one, @ForAll("texts") String two) {
        assertEquals(answers(MODEL, one, two), answers(fs, one, two), () -> "'" + one + "', '" + two + "'");
    }

    @Property(tries = 500)
    void throughAUri(@ForAll("texts") String text) {
        Path path = fs.getPath(text);
        assertEquals(path.toAbsolutePath(), Path.of(path.toUri()));
    }

    @Property(tries = 3000)
    void globsAsTheDefaultProvider(@ForAll("globs") String glob, @ForAll("texts") String text) {
        assertEquals(matches(MODEL, glob, text), matches(fs, glob, text), () -> "'" + glob + "' on '" + text + "'");
    }

    private static String matches(FileSystem of, String glob, String text) {
        try {
            PathMatcher matcher = of.getPathMatcher("glob:" + glob);
            return text + matcher.matches(of.getPath(text)) + matcher.matches(of.getPath("a-b"))
                    + matcher.matches(of.getPath("ab")) + matcher.matches(of.getPath("^"));
        } catch (PatternSyntaxException e) {
            return "no glob";
        }
    }
}
