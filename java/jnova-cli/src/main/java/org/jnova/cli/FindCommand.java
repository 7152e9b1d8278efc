/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.PathMatcher;
import java.util.regex.PatternSyntaxException;
import org.jnova.FileType;
import org.jnova.NovaStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "find",
        header = "List a tree of a pool",
        description =
                "Prints the path of all that is at PATH and below it, a directory before what is in it."
                        + " Symbolic links are not followed.",
        footer = {
            "  jnova find /dev/shm/pool src --name '*.java' --type f",
        })
final class FindCommand extends StoreCommand {
    @Mixin
    private PoolArguments pool;

    @Parameters(index = "1", arity = "0..1", paramLabel = "PATH", description = "Where to begin. Default: the root.")
    private String path = "/";

    @Option(names = "--name", paramLabel = "GLOB", description = "Only names that match, as *.java or data-?.")
    private String glob;

    @Option(names = "--type", paramLabel = "TYPE", description = "Only files (f), directories (d) or links (l).")
    private String type;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, CommandFailure {
        if (type != null && !type.matches("[fdl]")) {
            throw new ParameterException(spec.commandLine(), "--type is f, d or l");
        }
        PathMatcher matcher = glob == null ? null : matcher();
        try (NovaStore store = pool.open(streams())) {
            StoreTree.walk(store, path, (inside, info) -> {
                String name = StoreTree.lastName(inside);
                if ((type == null || type.charAt(0) == letter(info.type()))
                        && (matcher == null || matcher.matches(HostPath.of(name)))) {
                    out().println(Text.printable(inside));
                }
            });
        }
        return Main.OK;
    }

    private PathMatcher matcher() {
        try {
            return FileSystems.getDefault().getPathMatcher("glob:" + glob);
        } catch (PatternSyntaxException e) {
            throw new ParameterException(spec.commandLine(), "--name '" + glob + "': " + e.getDescription(), e);
        }
    }

    private static char letter(FileType of) {
        return switch (of) {
            case FILE -> 'f';
            case DIRECTORY -> 'd';
            case SYMLINK -> 'l';
        };
    }
}
