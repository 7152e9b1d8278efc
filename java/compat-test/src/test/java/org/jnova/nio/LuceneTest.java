/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

/** The tests with Lucene 9 in the library's own build, with Lucene 10. */
@EnabledForJreRange(min = JRE.JAVA_21)
class LuceneTest {
    @Test
    void channels() throws Exception {
        LuceneSuiteTest.channelsInPool();
    }

    @Test
    @EnabledForJreRange(min = JRE.JAVA_22) // segments of mapped files
    void mapped() throws Exception {
        LuceneSuiteTest.mappedInPool();
    }

    @Test
    void killed() throws Exception {
        new LuceneKillTest().nothingCommittedIsLost();
    }
}
