/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import static java.util.Map.entry;

import de.pfabulist.lindwurm.niotest.tests.AllTests;
import de.pfabulist.lindwurm.niotest.tests.FSDescription;
import de.pfabulist.lindwurm.niotest.tests.descriptionbuilders.CombinedBuilder;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.jnova.TestPools;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The suite {@code niotest}, written for any provider. */
class NioSuiteTest {
    private static final int TESTS = 606;

    private static final String AS_DEFAULT = "the default provider on Linux does the same: ";
    private static final String RELATIME = "times of access move by the rule of relatime, and not for directories: ";

    private static final Map<String, String> DEVIATIONS = Map.ofEntries(
            entry("testIsSameFileOfDifferentPathNonExistingFileIsNot", AS_DEFAULT + "it asks both files"),
            entry("testIsSameFileOtherProvider", AS_DEFAULT + "the first path must be the provider's"),
            entry("testMovedWatchedDirCancelsKeys", AS_DEFAULT + "a directory is watched, not its name"),
            entry("testSymLinkToUnnormalizedRelPath", AS_DEFAULT + "\"file/..\" leads through no directory"),
            entry("testTruncateOnAppendChannelThrows", AS_DEFAULT + "what appends may cut, too"),
            entry("testEveryChannelReadUpdatesLastAccessTime", RELATIME + "a second read counts after a day"),
            entry("testOverwriteSetLastAccessTime", RELATIME + "writing is no access"),
            entry("testCreateFileSetsLastAccessTimeOfParent", RELATIME + "making a file in one"),
            entry("testCreateDirSetsLastAccessTimeOfParent", RELATIME + "making a directory in one"),
            entry("testReadDirStreamSetsLastAccessTime", RELATIME + "listing"),
            entry("testReadEmptyDirStreamSetsLastAccessTime", RELATIME + "listing"));

    /** Those of this JDK. */
    private static Map<String, String> deviations() {
        Map<String, String> all = new TreeMap<>(DEVIATIONS);
        if (Runtime.version().feature() >= 21) {
            all.put(
                    "testTransferFromPositionBeyondFileSizeDoesNothing",
                    AS_DEFAULT + "from JDK 21 on the file becomes longer");
        }
        return all;
    }

    /** The suite on a description. */
    public static final class Suite extends AllTests {
        static FSDescription description;

        /** For the runner. */
        public Suite() {
            super(description);
        }
    }

    @Test
    void allButKnownDeviations(@TempDir Path other) throws Exception {
        try (NioPools pools = new NioPools();
                FileSystem fs = pools.create("suite", 256 * TestPools.MIB);
                FileSystem second = pools.create("second", 64 * TestPools.MIB);
                FileSystem closable = pools.create("closable", 64 * TestPools.MIB);
                FileSystem small = pools.create("small", 2 * TestPools.MIB)) {
            Suite.description = CombinedBuilder.build()
                    .playgrounds()
                    .std(playground(fs))
                    .closable(playground(closable))
                    .sameProviderDifferentFileSystem(playground(second))
                    .differentProvider(other)
                    .sizeLimitedPlayground(playground(small))
                    .noSameFileSystemDifferentStore()
                    .next()
                    .fsCreation()
                    .uri(NioSuiteTest::uri)
                    .env(Map.of("create", true, "size", 16 * TestPools.MIB, "emulated", true))
                    .next()
                    .pathConstraints()
                    .unlimitedPathLength()
                    .next()
                    .unix()
                    .noPermissionChecks()
                    .next()
                    .done();
            ForeignSuite.run("niotest", Suite.class, deviations(), TESTS);
            pools.closeSound(fs, "suite");
            pools.closeSound(second, "second");
        }
    }

    private static Path playground(FileSystem fs) throws Exception {
        return Files.createDirectory(fs.getPath("/play"));
    }

    private static URI uri(FileSystem fs) {
        return fs.getPath("/").toUri();
    }
}
