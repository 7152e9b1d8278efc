/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The C programs.
 *
 * @param limit the bare protocol
 * @param core the calls of nova.h
 * @param names its calls on names
 */
record Programs(Path limit, Path core, Path names) {
    private static final String LIMIT = "native/target/release/bench_protocol";

    /** The programs in the folder of the first one. */
    static Programs beside(Path limit) {
        Programs programs = new Programs(
                limit, limit.resolveSibling("bench_core"), limit.resolveSibling(NamesReport.PROGRAM));
        for (Path program : List.of(programs.limit, programs.core, programs.names)) {
            if (!Files.isExecutable(program)) {
                throw new IllegalArgumentException(
                        program + " is not there; build native/ first, or name the C loop with --limit");
            }
        }
        return programs;
    }

    /** Where the build puts it, seen from the jar or the classes of this module. */
    static Path defaultLimit() {
        try {
            Path here = Path.of(Programs.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            for (Path above = here.getParent(); above != null; above = above.getParent()) {
                if (Files.isExecutable(above.resolve(LIMIT))) {
                    return above.resolve(LIMIT);
                }
            }
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
        return Path.of(LIMIT);
    }
}
