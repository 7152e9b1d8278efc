/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jnova.ChildJvm;
import org.jnova.MappedRegion;
import org.jnova.TestJdk;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Lucene's tests of a directory that maps its files, on each JDK from 22 on: in a JVM that has the classes of
 * META-INF/versions/22 ahead of the others, as the jar does. Before 22, Lucene wants mapped buffers, which there are none of.
 */
class LuceneMappedTest {
    @Test
    @Tag("all-jdks")
    void mapped() throws Exception {
        Path classes = Path.of(MappedRegion.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        Path newer = classes.resolve("META-INF/versions/22");
        List<TestJdk> jdks = TestJdk.all().stream().filter(jdk -> jdk.version() >= 22).toList();
        Assumptions.assumeTrue(Files.isDirectory(newer) && !jdks.isEmpty(), "neither JDK 22 nor what it compiles");
        for (TestJdk jdk : jdks) {
            String path = newer + File.pathSeparator + System.getProperty("java.class.path");
            try (ChildJvm child = new ChildJvm(jdk, path, LuceneMappedTest.class)) {
                String line = child.line();
                while (line != null && !line.equals("good")) {
                    System.out.println(line);
                    line = child.line();
                }
                assertEquals("good", line);
                assertEquals(0, child.exitCode());
            }
        }
    }

    /** In the other JVM. */
    public static void main(String[] args) throws Exception {
        LuceneSuiteTest.run("Lucene's directory tests, MMapDirectory", LuceneSuiteTest.Mapped.class);
        System.out.println("good");
    }
}
