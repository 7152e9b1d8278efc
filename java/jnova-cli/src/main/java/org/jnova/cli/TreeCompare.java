/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jnova.FileInfo;
import org.jnova.FileType;
import org.jnova.NovaStore;

/** Compares a store with the tree that was imported into it. */
final class TreeCompare {
    private final NovaStore store;
    private final WholeFiles whole;
    private final Map<String, SourceTree.Entry> sources = new HashMap<>();
    /** Names of each file that has several, by the first of them. */
    private final Map<String, Integer> names = new HashMap<>();

    TreeCompare(NovaStore store, SourceTree tree) {
        this.store = store;
        this.whole = new WholeFiles(store);
        for (SourceTree.Entry entry : tree.entries()) {
            sources.put(entry.name(), entry);
            names.merge(first(entry), 1, Integer::sum);
        }
    }

    private static String first(SourceTree.Entry entry) {
        return entry.linked() == null ? entry.name() : entry.linked();
    }

    /** The paths in the store, without unfinished files; with directories if that is wanted. */
    Set<String> stored(boolean directories) throws IOException {
        Set<String> paths = new TreeSet<>();
        StoreTree.walk(store, "/", (path, info) -> {
            boolean wanted = directories || info.type() != FileType.DIRECTORY;
            if (wanted && !path.equals("/") && !WholeFiles.isUnfinished(path)) {
                paths.add(StoreTree.relative(path));
            }
        });
        return paths;
    }

    /** Whether a path of the store has the type and the bytes, or the target, of its source. */
    boolean sameContent(String path) throws IOException {
        SourceTree.Entry entry = sources.get(path);
        if (entry == null || store.stat(path, NOFOLLOW_LINKS).type() != entry.type()) {
            return false;
        }
        return switch (entry.type()) {
            case DIRECTORY -> true;
            case SYMLINK -> HostPath.text(Files.readSymbolicLink(entry.path()))
                    .equals(Optional.of(store.readSymbolicLink(path)));
            case FILE -> {
                try (FileChannel source = FileChannel.open(entry.path(), StandardOpenOption.READ)) {
                    yield whole.isSame(path, source);
                }
            }
        };
    }

    /** Whether it has the mode, owner, time of the last change and extended attributes of its source. */
    boolean sameAttributes(String path) throws IOException {
        SourceTree.Entry entry = sources.get(path);
        return entry.attributes().areThoseOf(store.stat(path, NOFOLLOW_LINKS))
                && ExtendedAttributes.same(
                        ExtendedAttributes.ofHost(entry.path()), ExtendedAttributes.ofStore(store, path));
    }

    /** Whether it is the same file as those that its source is the same file as, and has as many names. */
    boolean sameLinks(String path) throws IOException {
        SourceTree.Entry entry = sources.get(path);
        if (entry.type() == FileType.DIRECTORY) {
            return true;
        }
        FileInfo info = store.stat(path, NOFOLLOW_LINKS);
        return info.nlink() == names.get(first(entry)) && info.ino() == store.stat(first(entry), NOFOLLOW_LINKS).ino();
    }
}
