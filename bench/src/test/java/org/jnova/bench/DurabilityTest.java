/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class DurabilityTest {
    private static final FileSystemInfo TMPFS = new FileSystemInfo(Path.of("/dev/shm"), "tmpfs", false);
    private static final FileSystemInfo DISK = new FileSystemInfo(Path.of("/tmp"), "ext4", false);
    private static final FileSystemInfo DAX = new FileSystemInfo(Path.of("/pmem"), "ext4", true);

    @Test
    void nothingOnTmpfsIsPowerFailSafe() {
        for (Contender contender : Contender.values()) {
            for (Workload workload : Workload.values()) {
                String words = contender.durability(workload, TMPFS);
                assertFalse(words.contains("power"), words);
            }
        }
    }

    @Test
    void aDiskKeepsWhatWasSynced() {
        assertEquals("power-fail safe", Contender.JNOVA_DIRECT.durability(Workload.OVERWRITE_4K, DISK));
        assertEquals("power-fail safe", Contender.LMDB_SYNC.durability(Workload.APPEND_128, DISK));
        assertEquals(
                "power-fail safe, not atomic", Contender.CHANNEL_FORCE.durability(Workload.OVERWRITE_4K, DISK));
        assertEquals(
                "process-crash safe, may lose the last writes at a power failure, not atomic",
                Contender.CHANNEL.durability(Workload.OVERWRITE_4K, DISK));
        assertEquals(
                "process-crash safe, may lose the last writes at a power failure",
                Contender.ROCKSDB.durability(Workload.APPEND_64, DISK));
        assertEquals(
                "process-crash safe, may lose everything at a power failure",
                Contender.LMDB.durability(Workload.APPEND_64, DISK));
    }

    @Test
    void emulatedModeNeedsPersistentMemory() {
        assertEquals(
                "process-crash safe, may lose everything at a power failure",
                Contender.JNOVA_EMULATED.durability(Workload.OVERWRITE_4K, DISK));
        assertEquals("power-fail safe", Durability.NOVA_EMULATED.words(DAX, true));
        assertEquals("process-crash safe", Durability.NOVA_EMULATED.words(TMPFS, true));
    }

    @Test
    void namesAreAtomicOneByOne() {
        for (Contender contender : List.of(Contender.JNOVA_DIRECT, Contender.CHANNEL)) {
            assertEquals("process-crash safe", contender.durability(Workload.RENAME, TMPFS));
            assertEquals("process-crash safe, not atomic", contender.durability(Workload.CREATE, TMPFS));
            assertEquals("-", contender.durability(Workload.OPEN, TMPFS));
            assertEquals("-", contender.durability(Workload.READ_4K, DISK));
        }
    }

    @Test
    void findsTheFileSystemOfAFolder() {
        List<String> mounts = List.of(
                "/dev/vda / ext4 rw 0 0", "tmpfs /dev/shm tmpfs rw 0 0", "/dev/pmem0 /mnt/a\\040b xfs rw,dax=always 0 0");
        assertEquals("tmpfs", FileSystemInfo.of(Path.of("/dev/shm/x"), mounts).label());
        assertEquals("ext4", FileSystemInfo.of(Path.of("/dev/shmx"), mounts).label());
        assertEquals("xfs (DAX)", FileSystemInfo.of(Path.of("/mnt/a b/c"), mounts).label());
    }
}
