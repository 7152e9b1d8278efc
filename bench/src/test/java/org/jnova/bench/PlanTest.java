/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PlanTest {
    private static final long SIZE = 64L << 20;
    private static final FileSystemInfo TMPFS = new FileSystemInfo(Path.of("/dev/shm"), "tmpfs", false);
    private static final FileSystemInfo DISK = new FileSystemInfo(Path.of("/tmp"), "ext4", false);

    @Test
    void quickHasEveryWorkloadWithinItsBudget() {
        Plan plan = Plan.quick(TMPFS, SIZE);
        Set<Workload> withJNova = EnumSet.noneOf(Workload.class);
        plan.rows().stream().filter(row -> row.contender().isJNova()).forEach(row -> withJNova.add(row.workload()));
        assertEquals(EnumSet.allOf(Workload.class), withJNova);
        int jvms = plan.jvms(plan.forks);
        assertTrue(jvms <= 88, jvms + " JVMs");
        double seconds = plan.seconds(plan.forks, plan.measuredSeconds());
        assertTrue(seconds < 300, seconds + " s");
    }

    @Test
    void fullHasEverySystemOnBothFileSystems() {
        Plan plan = Plan.full(List.of(TMPFS, DISK), SIZE);
        Set<Contender> inMemory = EnumSet.noneOf(Contender.class);
        Set<Contender> onDisk = EnumSet.noneOf(Contender.class);
        plan.rows().forEach(row -> (row.fs() == TMPFS ? inMemory : onDisk).add(row.contender()));
        assertEquals(EnumSet.allOf(Contender.class), onDisk);
        assertEquals(EnumSet.complementOf(EnumSet.of(Contender.JNOVA_EMULATED)), inMemory); // which all are there
        assertEquals(4 * plan.rows().size(), plan.jvms(plan.forks));
        assertEquals(6 * plan.rows().size(), plan.jvms(3));
    }

    @Test
    void onlyTakesRowsByName() {
        Plan plan = Plan.full(List.of(TMPFS), SIZE);
        plan.only("overwrite4k jnova direct 2 different files 64M");
        assertEquals(1, plan.rows().size());
        assertEquals(2, plan.rows().get(0).files());
        plan.only("nothing of that name");
        assertEquals(List.of(), plan.rows());
        assertEquals(0, plan.seconds(plan.forks, plan.measuredSeconds()));
    }
}
