/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.nio.file.Files;
import java.util.List;
import org.jnova.TestJdk;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Lucene's tests of a directory that maps its files, by segments, on each JDK from 22 on. */
class LuceneMappedTest {
    @Test
    @Tag("all-jdks")
    void mapped() throws Exception {
        List<TestJdk> jdks = TestJdk.all().stream().filter(jdk -> jdk.version() >= 22).toList();
        Assumptions.assumeTrue(
                Files.isDirectory(MappingChannelTest.newerClasses()) && !jdks.isEmpty(), "no JDK 22, or not its classes");
        for (TestJdk jdk : jdks) {
            MappingChannelTest.runMain(jdk, LuceneMappedTest.class);
        }
    }

    /** In the other JVM. */
    public static void main(String[] args) throws Exception {
        LuceneSuiteTest.mappedInPool();
        System.out.println("good");
    }
}
