/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jnova.NovaStore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "xattr",
        header = "List, show, set or remove extended attributes",
        description = {
            "Without NAME lists the names of the extended attributes of what is at PATH; with NAME writes its value to"
                    + " standard output, byte by byte; with VALUE sets it, to the text in UTF-8. Symbolic links are not"
                    + " followed."
        },
        footer = {
            "  jnova xattr /dev/shm/pool notes.txt",
            "  jnova xattr /dev/shm/pool notes.txt author 'A. Writer'",
            "  jnova xattr -d /dev/shm/pool notes.txt author",
        })
final class XattrCommand extends StoreCommand {
    @Mixin
    private PoolArguments pool;

    @Parameters(index = "1", paramLabel = "PATH", description = "A file, directory or symbolic link.")
    private String path;

    @Parameters(index = "2", arity = "0..1", paramLabel = "NAME", description = "The attribute.")
    private String name;

    @Parameters(index = "3", arity = "0..1", paramLabel = "VALUE", description = "Its new value.")
    private String value;

    @Option(
            names = {"-d", "--delete"},
            description = "Remove NAME.")
    private boolean delete;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, CommandFailure {
        if (delete && (name == null || value != null)) {
            throw new ParameterException(spec.commandLine(), "--delete wants a NAME and no VALUE");
        }
        try (NovaStore store = pool.open(streams())) {
            if (delete) {
                if (!store.removeAttribute(path, name, NOFOLLOW_LINKS)) {
                    throw missing();
                }
            } else if (value != null) {
                store.setAttribute(path, name, value.getBytes(StandardCharsets.UTF_8), NOFOLLOW_LINKS);
            } else if (name != null) {
                byte[] bytes = store.getAttribute(path, name, NOFOLLOW_LINKS);
                if (bytes == null) {
                    throw missing();
                }
                out().write(bytes, 0, bytes.length);
            } else {
                store.listAttributes(path, NOFOLLOW_LINKS).forEach(each -> out().println(Text.printable(each)));
            }
        } catch (IllegalArgumentException e) {
            throw new CommandFailure(ErrorText.of(e), e);
        }
        return Main.OK;
    }

    private CommandFailure missing() {
        return new CommandFailure(
                Text.printable(path) + ": it has no extended attribute '" + Text.printable(name) + "'");
    }
}
