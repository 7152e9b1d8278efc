/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A process as {@code /proc} describes it. What it says of processes of other users needs root. */
record HostProcess(long pid) {
    private static final Path PROC = Path.of("/proc");
    private static final long SIGQUIT_BIT = 1L << 3 - 1;

    private Path proc(String name) {
        return PROC.resolve(Long.toString(pid)).resolve(name);
    }

    boolean exists() {
        return Files.exists(proc(""));
    }

    /** The effective user's number. */
    int uid() throws IOException {
        return (Integer) Files.getAttribute(proc("status"), "unix:uid");
    }

    static int ownUid() throws IOException {
        return new HostProcess(ProcessHandle.current().pid()).uid();
    }

    /** Whether HotSpot runs in it. */
    boolean isJvm() throws IOException {
        return new String(Files.readAllBytes(proc("maps")), StandardCharsets.ISO_8859_1).contains("/libjvm.so");
    }

    /** Whether it has a handler for SIGQUIT, by which a JVM is asked to listen. Another one ends by it. */
    boolean handlesQuit() throws IOException {
        return (Long.parseUnsignedLong(status("SigCgt:"), 16) & SIGQUIT_BIT) != 0;
    }

    /** Whether a signal, or a debugger, has stopped it. */
    boolean isStopped() throws IOException {
        return status("State:").toUpperCase(Locale.ROOT).startsWith("T");
    }

    private String status(String field) throws IOException {
        for (String line : Files.readAllLines(proc("status"), StandardCharsets.ISO_8859_1)) {
            if (line.startsWith(field)) {
                return line.substring(field.length()).trim();
            }
        }
        throw new IOException(proc("status") + " has no " + field);
    }

    /** Whether a path, as the process sees it, is a file. */
    boolean isAt(Object fileKey, String path) {
        try {
            return fileKey.equals(key(HostPath.of(proc("root") + path)));
        } catch (IOException e) {
            return false;
        }
    }

    /** What names a file whatever its path, as long as it exists. */
    static Object key(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
    }

    /** The JVMs that have a file open, but this one; as far as this user may know. */
    static List<HostProcess> jvmsWith(Object fileKey) throws IOException {
        List<HostProcess> found = new ArrayList<>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (Path process : processes) {
                HostProcess one = new HostProcess(Long.parseLong(process.getFileName().toString()));
                if (one.pid != ProcessHandle.current().pid() && one.hasOpen(fileKey)) {
                    found.add(one);
                }
            }
        }
        return found;
    }

    private boolean hasOpen(Object fileKey) {
        try (DirectoryStream<Path> open = Files.newDirectoryStream(proc("fd"))) {
            for (Path file : open) {
                if (isOf(fileKey, file)) {
                    return isJvm();
                }
            }
            return false;
        } catch (IOException | DirectoryIteratorException e) {
            return false; // another user's, or it has ended
        }
    }

    private static boolean isOf(Object fileKey, Path open) {
        try {
            return fileKey.equals(key(open));
        } catch (IOException e) {
            return false; // closed meanwhile
        }
    }
}
