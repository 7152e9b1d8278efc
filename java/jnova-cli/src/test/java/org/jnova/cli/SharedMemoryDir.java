/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDirFactory;

/** Temporary directories on tmpfs where there is one. */
final class SharedMemoryDir implements TempDirFactory {
    @Override
    public Path createTempDirectory(AnnotatedElementContext element, ExtensionContext context) throws IOException {
        Path shared = Path.of("/dev/shm");
        String prefix = "jnova-test-" + ProcessHandle.current().pid() + "-cli-"; // ./jnova test knows what is left of it
        return Files.isWritable(shared)
                ? Files.createTempDirectory(shared, prefix)
                : Files.createTempDirectory(prefix);
    }
}
