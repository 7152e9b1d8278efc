/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jnova.NativeLoadException;

/**
 * Loads the JNI library, once per JVM, by {@link System#load}, so that on JDK 24+ no module but this one needs native
 * access.
 *
 * <ol>
 *   <li>{@code -Djnova.library.path=FILE} names the library; nothing else is tried.
 *   <li>Otherwise the library inside the jar is extracted to a cache directory, under a name made of its SHA-256, and
 *       loaded from there: the first that works of {@code -Djnova.cache.dir}, {@code $XDG_CACHE_HOME/jnova},
 *       {@code ~/.cache/jnova} and {@code jnova-UID} in {@code java.io.tmpdir}. A directory that is read-only, or
 *       mounted noexec, or that others may write to, is passed over.
 * </ol>
 *
 * <p>A file in the cache is complete or absent: it is written under another name, synced, and renamed. So JVMs that
 * start at once need no lock, and none ever loads half a file. A cached file is compared with the hash before each use
 * and replaced, never rewritten in place, when it differs: another JVM may be running it.
 */
public final class NativeLibrary {
    private static final String PATH_PROPERTY = "jnova.library.path";
    private static final String CACHE_PROPERTY = "jnova.cache.dir";

    private static boolean loaded; // guarded by the class

    private NativeLibrary() {}

    /**
     * Makes the native methods of this module callable. Cheap when they are already. To be called before
     * {@code NovaNative} is first used, and outside any static initialiser, which would turn a second failure into a
     * {@link NoClassDefFoundError} without a reason.
     *
     * @throws NativeLoadException listing what was tried; a later call tries again
     */
    public static synchronized void load() {
        if (!loaded) {
            new Search().run();
            loaded = true;
        }
    }

    /** The name of a platform as os-maven-plugin and Netty spell it, for instance {@code linux-x86_64}. */
    static String platform(String osName, String osArch) {
        String arch = osArch.toLowerCase(Locale.ROOT);
        switch (arch) {
            case "amd64", "x86_64", "x86-64" -> arch = "x86_64";
            case "arm64", "aarch64" -> arch = "aarch_64";
            default -> { }
        }
        return osName.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "") + "-" + arch;
    }

    /** One search for a library that loads, and the record of what went wrong on the way. */
    private static final class Search {
        private final String platform = platform(System.getProperty("os.name"), System.getProperty("os.arch"));
        private final List<String> attempts = new ArrayList<>();
        private final List<Throwable> causes = new ArrayList<>();

        void run() {
            String path = System.getProperty(PATH_PROPERTY);
            if (path != null) {
                if (!tryLoad("-D" + PATH_PROPERTY + "=" + path, () -> Path.of(path).toAbsolutePath())) {
                    throw failure();
                }
                return;
            }
            byte[] library = null;
            String hash = null;
            String resource = "/META-INF/native/" + platform + "/libjninova.so";
            try {
                library = resource(resource);
                hash = new String(resource(resource + ".sha256"), StandardCharsets.US_ASCII).strip();
                if (!hash.equals(sha256(library))) {
                    throw new IOException("the jar is damaged: content does not match " + resource + ".sha256");
                }
            } catch (IOException e) {
                failed("library in the jar", e);
                throw failure();
            }
            for (Path directory : cacheDirectories()) {
                CachedFile file = new CachedFile(directory, library, hash);
                if (tryLoad("cache " + directory, file::prepare)) {
                    return;
                }
            }
            throw failure();
        }

        private boolean tryLoad(String what, LibraryFile file) {
            try {
                System.load(file.prepare().toString());
                return true;
            } catch (IllegalCallerException e) { // JDK 24+ with --illegal-native-access=deny: no directory will help
                failed(what, e);
                throw failure();
            } catch (IOException | LinkageError | InvalidPathException | UnsupportedOperationException e) {
                failed(what, e);
                return false;
            }
        }

        private void failed(String what, Throwable cause) {
            String reason = cause.getClass().getSimpleName();
            if (cause.getMessage() != null) {
                reason = cause instanceof UnsatisfiedLinkError || cause.getClass() == IOException.class
                        ? cause.getMessage()
                        : reason + ": " + cause.getMessage();
            }
            if (reason.contains("failed to map segment")) { // what glibc says
                reason += " (is the file system mounted noexec?)";
            }
            if (cause instanceof IllegalCallerException) {
                Module module = NativeLibrary.class.getModule();
                reason += "; start java with --enable-native-access="
                        + (module.isNamed() ? module.getName() : "ALL-UNNAMED");
            }
            attempts.add(what + ": " + reason);
            causes.add(cause);
        }

        private NativeLoadException failure() {
            StringBuilder message = new StringBuilder("JNova's native library cannot be loaded (" + platform + ", Java "
                    + System.getProperty("java.version") + "). Tried:");
            attempts.forEach(attempt -> message.append("\n  ").append(attempt));
            NativeLoadException failure = new NativeLoadException(message.toString());
            causes.forEach(failure::addSuppressed);
            return failure;
        }

        private byte[] resource(String name) throws IOException {
            try (InputStream in = NativeLibrary.class.getResourceAsStream(name)) {
                if (in == null) {
                    throw new FileNotFoundException("no " + name + ": this jar was not built for " + platform);
                }
                return in.readAllBytes();
            }
        }
    }

    @FunctionalInterface
    private interface LibraryFile {
        Path prepare() throws IOException;
    }

    private static Set<Path> cacheDirectories() {
        Set<Path> directories = new LinkedHashSet<>();
        String chosen = System.getProperty(CACHE_PROPERTY);
        if (chosen != null) {
            directories.add(Path.of(chosen).toAbsolutePath());
        }
        String xdg = System.getenv("XDG_CACHE_HOME");
        if (xdg != null && xdg.startsWith("/")) { // the specification says to ignore a relative one
            directories.add(Path.of(xdg, "jnova"));
        }
        directories.add(Path.of(System.getProperty("user.home"), ".cache", "jnova").toAbsolutePath());
        directories.add(Path.of(System.getProperty("java.io.tmpdir"), "jnova-" + effectiveUid()).toAbsolutePath());
        return directories;
    }

    /** The user this process acts as, from the kernel: {@code user.name} can be anything. */
    private static int effectiveUid() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"), StandardCharsets.ISO_8859_1)) {
                if (line.startsWith("Uid:")) {
                    return Integer.parseUnsignedInt(line.split("\\s+")[2]); // real, effective, saved, file system
                }
            }
        } catch (IOException | RuntimeException e) {
            // no /proc: only directories of root pass the check below
        }
        return -1;
    }

    private static String sha256(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    /** The library of one content hash in one cache directory. */
    private record CachedFile(Path directory, byte[] library, String hash) {
        private static final int WRITABLE_BY_OTHERS = 022;

        Path prepare() throws IOException {
            createDirectory();
            Path file = directory.resolve("libjninova-" + hash + ".so");
            if (!isIntact(file)) {
                write(file);
            }
            return file;
        }

        /** Whoever can write to the directory decides what this process runs: nobody but its user, or root, may. */
        private void createDirectory() throws IOException {
            Files.createDirectories(directory.getParent());
            try {
                Files.createDirectory(directory,
                        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            } catch (FileAlreadyExistsException e) {
                // the usual case
            }
            Map<String, Object> found =
                    Files.readAttributes(directory, "unix:uid,mode,isDirectory", LinkOption.NOFOLLOW_LINKS);
            int owner = (Integer) found.get("uid");
            if (!(Boolean) found.get("isDirectory")) {
                throw new IOException("not a directory");
            }
            if (owner != 0 && owner != effectiveUid()) {
                throw new IOException("belongs to another user (uid " + Integer.toUnsignedString(owner) + ")");
            }
            if (((Integer) found.get("mode") & WRITABLE_BY_OTHERS) != 0) {
                throw new IOException("may be written to by others than its owner");
            }
        }

        private boolean isIntact(Path file) throws IOException {
            try {
                return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                        && Files.size(file) == library.length
                        && sha256(Files.readAllBytes(file)).equals(hash);
            } catch (NoSuchFileException e) { // replaced or cleaned up by another process just now
                return false;
            }
        }

        private void write(Path file) throws IOException {
            Path temporary = Files.createTempFile(directory, "libjninova-", ".tmp",
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            try {
                // No FileChannel, which an interrupted thread could not use.
                try (FileOutputStream out = new FileOutputStream(temporary.toFile())) {
                    out.write(library);
                    out.getFD().sync(); // the name must not become durable before the content
                }
                Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(temporary);
            }
        }
    }
}
