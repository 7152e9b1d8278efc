/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import org.jnova.internal.index.LogPages;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;

/** The stress of files, of mapped files and of names again, while every call cleans the log that it makes longer. */
class LogCleaningStressTest {
    @BeforeAll
    static void cleanAlways() {
        LogPages.cleanAlways(true);
    }

    @AfterAll
    static void cleanAsEver() {
        LogPages.cleanAlways(false);
    }

    @Nested
    class Files extends ConcurrencyTest {}

    @Nested
    class MappedFiles extends MappedStressTest {}

    @Nested
    class Names extends NamespaceStressTest {}
}
