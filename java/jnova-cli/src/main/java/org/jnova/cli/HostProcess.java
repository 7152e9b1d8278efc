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
    private static final int ACCESS_MODE = 3; // of open(2): 0 is for reading alone

    private Path proc(String name) {
        return PROC.resolve(Long.toString(pid)).resolve(name);
    }

    /** False also of one that has ended, and whose parent has not noticed. */
    boolean exists() {
        try {
            return !status("State:").startsWith("Z");
        } catch (IOException e) {
            return false;
        }
    }

    /** The process that this is, or of which it is a thread. */
    long leader() throws IOException {
        return Long.parseLong(status("Tgid:"));
    }

    /** The effective user's number; root's, if the process may not be looked at. */
    int uid() throws IOException {
        return (Integer) Files.getAttribute(proc("status"), "unix:uid");
    }

    static int ownUid() throws IOException {
        return new HostProcess(ProcessHandle.current().pid()).uid();
    }

    /** Whether HotSpot runs in it. OpenJ9 has a libjvm.so, too. */
    boolean isJvm() throws IOException {
        String maps = new String(Files.readAllBytes(proc("maps")), StandardCharsets.ISO_8859_1);
        return maps.contains("/libjvm.so") && !maps.contains("/libj9vm");
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

    /** The JVMs that have a file open for writing, but this one; as far as this user may know. */
    static List<HostProcess> jvmsWriting(Object fileKey) throws IOException {
        List<HostProcess> found = new ArrayList<>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (Path process : processes) {
                HostProcess one = new HostProcess(Long.parseLong(process.getFileName().toString()));
                if (one.pid != ProcessHandle.current().pid() && one.writes(fileKey)) {
                    found.add(one);
                }
            }
        }
        return found;
    }

    private boolean writes(Object fileKey) {
        try (DirectoryStream<Path> open = Files.newDirectoryStream(proc("fd"))) {
            for (Path file : open) {
                if (isOf(fileKey, file) && isForWriting(file.getFileName().toString())) {
                    return isJvm();
                }
            }
            return false;
        } catch (IOException | DirectoryIteratorException e) {
            return false; // another user's, or it has ended
        }
    }

    private boolean isForWriting(String descriptor) throws IOException {
        for (String line : Files.readAllLines(proc("fdinfo").resolve(descriptor), StandardCharsets.ISO_8859_1)) {
            if (line.startsWith("flags:")) {
                return (Long.parseLong(line.substring("flags:".length()).trim(), 8) & ACCESS_MODE) != 0;
            }
        }
        return false;
    }

    private static boolean isOf(Object fileKey, Path open) {
        try {
            return fileKey.equals(key(open));
        } catch (IOException e) {
            return false; // closed meanwhile
        }
    }
}
