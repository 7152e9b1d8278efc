/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The file system that a folder is on.
 *
 * @param dir the folder
 * @param type such as tmpfs or ext4
 * @param dax whether files on it are persistent memory
 */
record FileSystemInfo(Path dir, String type, boolean dax) {
    private static final Path MOUNTS = Path.of("/proc/self/mounts");
    private static final int MOUNT_POINT = 1;
    private static final int TYPE = 2;
    private static final int OPTIONS = 3;

    /** Asks the system. */
    static FileSystemInfo of(Path dir) throws IOException {
        return of(dir.toRealPath(), Files.readAllLines(MOUNTS));
    }

    /** Of lines as in /proc/self/mounts, the last one with the longest mount point above the folder counts. */
    static FileSystemInfo of(Path dir, List<String> mounts) {
        FileSystemInfo found = new FileSystemInfo(dir, "unknown", false);
        int depth = -1;
        for (String mount : mounts) {
            String[] fields = mount.split(" ");
            Path point = Path.of(fields[MOUNT_POINT].replace("\\040", " "));
            if (dir.startsWith(point) && point.getNameCount() >= depth) {
                depth = point.getNameCount();
                List<String> options = List.of(fields[OPTIONS].split(","));
                boolean dax = options.contains("dax") || options.contains("dax=always");
                found = new FileSystemInfo(dir, fields[TYPE], dax);
            }
        }
        return found;
    }

    boolean isTmpfs() {
        return type.equals("tmpfs");
    }

    /** As rows show it. */
    String label() {
        return dax ? type + " (DAX)" : type;
    }
}
