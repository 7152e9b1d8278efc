/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Names a file in a pool and the length of a range in it. Where the range begins some commands must be told. */
final class RangeArguments {
    @Mixin
    PoolArguments pool; // here, since picocli checks the numbers of each mixin's parameters by themselves

    @Parameters(index = "1", paramLabel = "PATH", description = "The file.")
    String path;

    @Option(
            names = {"-l", "--length"},
            required = true,
            converter = SizeConverter.class,
            description = "Length of the range in bytes; K, M, G, T for powers of 1024.")
    long length;
}
