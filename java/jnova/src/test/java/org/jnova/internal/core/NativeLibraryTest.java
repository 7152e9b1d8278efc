/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.Buffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Loading happens once per JVM, so each case has a JVM of its own. */
class NativeLibraryTest {
    @TempDir
    Path temp;

    private Path cache;
    private Path home;
    private Path tmpdir;

    @BeforeEach
    void directories() throws IOException {
        cache = temp.resolve("cache");
        home = Files.createDirectory(temp.resolve("home"));
        tmpdir = Files.createDirectory(temp.resolve("tmp"));
    }

    /** What a child JVM does: load twice. */
    static final class Load {
        public static void main(String[] args) {
            if (Boolean.getBoolean("jnova.test.interrupt")) {
                Thread.currentThread().interrupt();
            }
            NativeLibrary.load();
            NativeLibrary.load();
            System.out.println("loaded");
        }
    }

    record Outcome(int status, String output) {
        void assertLoaded() {
            assertEquals("loaded\n", output); // and no warning
            assertEquals(0, status);
        }

        void assertFailedWith(String... parts) {
            assertEquals(1, status, output);
            assertTrue(output.contains("NativeLoadException"), output);
            for (String part : parts) {
                assertTrue(output.contains(part), () -> "expected '" + part + "' in " + output);
            }
        }
    }

    private Process start(String... options) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Duser.home=" + home);
        command.add("-Djava.io.tmpdir=" + tmpdir);
        command.addAll(List.of(options));
        if (!command.contains("-p")) {
            if (Runtime.version().feature() >= 22) {
                command.add("--enable-native-access=ALL-UNNAMED");
            }
            command.addAll(List.of("-cp", System.getProperty("java.class.path"), Load.class.getName()));
        }
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().keySet().removeAll(List.of("XDG_CACHE_HOME", "JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS"));
        return builder.start();
    }

    private static Outcome finish(Process process) throws Exception {
        String output = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), "hangs");
        return new Outcome(process.exitValue(), output);
    }

    private Outcome run(String... options) throws Exception {
        return finish(start(options));
    }

    private Outcome runWithCache(Path directory) throws Exception {
        return run("-Djnova.cache.dir=" + directory);
    }

    private static byte[] resource() throws IOException {
        String platform = NativeLibrary.platform(System.getProperty("os.name"), System.getProperty("os.arch"));
        String name = "/META-INF/native/" + platform + "/libjninova.so";
        try (InputStream in = NativeLibrary.class.getResourceAsStream(name)) {
            return in.readAllBytes();
        }
    }

    private static List<Path> list(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        }
    }

    /** The one file of a cache directory: no second version, no temporary file. */
    private static Path cached(Path directory) throws IOException {
        List<Path> files = list(directory);
        assertEquals(1, files.size(), files.toString());
        return files.get(0);
    }

    @Test
    void namesPlatformsAsMavenDoes() {
        assertEquals("linux-x86_64", NativeLibrary.platform("Linux", "amd64"));
        assertEquals("linux-aarch_64", NativeLibrary.platform("Linux", "aarch64"));
        assertEquals("macosx-aarch_64", NativeLibrary.platform("Mac OS X", "aarch64"));
        assertEquals("linux-riscv64", NativeLibrary.platform("Linux", "riscv64"));
    }

    private static boolean isPlain(Class<?> type) {
        return type.isPrimitive() || Buffer.class.isAssignableFrom(type);
    }

    /** The library comes without JavaCPP's JNI_OnLoad, which a native on other types would need. */
    @Test
    void nativesTakePrimitivesAndBuffersOnly() {
        for (Method method : NovaNative.class.getDeclaredMethods()) {
            if (Modifier.isNative(method.getModifiers())) {
                assertTrue(isPlain(method.getReturnType()), method.toString());
                for (Class<?> type : method.getParameterTypes()) {
                    assertTrue(isPlain(type), method.toString());
                }
            }
        }
    }

    @Test
    void extractsToAPrivateDirectoryInTheHome() throws Exception {
        run().assertLoaded();
        Path directory = home.resolve(".cache/jnova");
        assertArrayEquals(resource(), Files.readAllBytes(cached(directory)));
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)));
        assertEquals(List.of(), list(tmpdir));
    }

    @Test
    void extractsInAnInterruptedThread() throws Exception {
        run("-Djnova.test.interrupt=true", "-Djnova.cache.dir=" + cache).assertLoaded();
        cached(cache);
    }

    @Test
    void usesTheChosenDirectoryAndWhatIsInIt() throws Exception {
        runWithCache(cache).assertLoaded();
        Object inode = Files.getAttribute(cached(cache), "unix:ino");
        runWithCache(cache).assertLoaded();
        assertEquals(inode, Files.getAttribute(cached(cache), "unix:ino"));
        assertFalse(Files.exists(home.resolve(".cache")));
    }

    @Test
    void manyStartsAtOnceShareOneFile() throws Exception {
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            processes.add(start("-Djnova.cache.dir=" + cache));
        }
        for (Process process : processes) {
            finish(process).assertLoaded();
        }
        assertArrayEquals(resource(), Files.readAllBytes(cached(cache)));
    }

    @Test
    void replacesADamagedFile() throws Exception {
        runWithCache(cache).assertLoaded();
        Path file = cached(cache);
        byte[] good = Files.readAllBytes(file);

        byte[] flipped = good.clone();
        flipped[flipped.length / 2] ^= 1;
        Files.write(file, flipped);
        runWithCache(cache).assertLoaded();
        assertArrayEquals(good, Files.readAllBytes(cached(cache)));

        Files.write(file, Arrays.copyOf(good, good.length / 2));
        runWithCache(cache).assertLoaded();
        assertArrayEquals(good, Files.readAllBytes(cached(cache)));

        Files.delete(file);
        Files.createSymbolicLink(file, home.resolve("elsewhere"));
        runWithCache(cache).assertLoaded();
        assertTrue(Files.isRegularFile(file) && !Files.isSymbolicLink(file));
    }

    @Test
    void passesOverADirectoryThatCannotBeWritten() throws Exception {
        runWithCache(Path.of("/proc/jnova")).assertLoaded(); // not even root can write there
        cached(home.resolve(".cache/jnova"));
    }

    @Test
    void passesOverADirectoryThatOthersMayWriteTo() throws Exception {
        Files.createDirectory(cache);
        Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwxrwxrwx"));
        runWithCache(cache).assertLoaded();
        assertEquals(List.of(), list(cache));
    }

    @Test
    void passesOverADirectoryOfAnotherUser() throws Exception {
        Files.createDirectory(cache);
        boolean given;
        try {
            Files.setAttribute(cache, "unix:uid", 12345);
            given = true;
        } catch (IOException e) {
            given = false;
        }
        assumeTrue(given, "only root can give a directory away");
        runWithCache(cache).assertLoaded();
        assertEquals(List.of(), list(cache));
    }

    @Test
    void fallsBackToATemporaryDirectory() throws Exception {
        home = Path.of("/proc/nobody");
        run().assertLoaded();
        cached(cached(tmpdir));
    }

    @Test
    void aFailureNamesEveryAttempt() throws Exception {
        home = Path.of("/proc/nobody");
        tmpdir = Path.of("/proc/tmp");
        runWithCache(Path.of("/proc/jnova")).assertFailedWith(
                "cache /proc/jnova: ", "cache /proc/nobody/.cache/jnova: ", "cache /proc/tmp/jnova-");
    }

    @Test
    void loadsAnExplicitPathAndNothingElse() throws Exception {
        Path library = temp.resolve("own.so");
        Files.write(library, resource());
        run("-Djnova.library.path=" + library).assertLoaded();
        assertEquals(List.of(), list(home));

        run("-Djnova.library.path=" + temp.resolve("absent.so"))
                .assertFailedWith("-Djnova.library.path=" + temp.resolve("absent.so") + ": ");
        Files.writeString(library, "not a library");
        run("-Djnova.library.path=" + library).assertFailedWith("own.so: ");
        assertEquals(List.of(), list(home));
    }

    @Test
    void saysThatAPlatformIsNotSupported() throws Exception {
        run("-Dos.arch=sparcv9").assertFailedWith("linux-sparcv9", "this jar was not built for linux-sparcv9");
    }

    /** The module alone gets native access: the strictest a JDK offers, and no class of JavaCPP at hand. */
    @Test
    void loadsAsAModuleWithNativeAccessForItAlone() throws Exception {
        asModule("--enable-native-access=org.jnova").assertLoaded();
    }

    @Test
    void saysWhichOptionGrantsNativeAccess() throws Exception {
        assumeTrue(Runtime.version().feature() >= 24, "native access is not restricted before JDK 24");
        asModule().assertFailedWith("start java with --enable-native-access=org.jnova");
    }

    private Outcome asModule(String... nativeAccess) throws Exception {
        String[] entries = System.getProperty("java.class.path").split(File.pathSeparator);
        String classes = Arrays.stream(entries).filter(e -> e.matches(".*/(classes|jnova-[0-9.]+\\.jar)"))
                .findFirst().orElseThrow();
        String tests = Arrays.stream(entries).filter(e -> e.endsWith("/test-classes")).findFirst().orElseThrow();
        List<String> options = new ArrayList<>(List.of("-Djnova.cache.dir=" + cache));
        if (Runtime.version().feature() >= 24) {
            options.add("--illegal-native-access=deny");
            options.addAll(List.of(nativeAccess));
        }
        options.addAll(List.of("-p", classes, "--patch-module", "org.jnova=" + tests,
                "-m", "org.jnova/" + Load.class.getName()));
        return run(options.toArray(String[]::new));
    }
}
