/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.lincheck;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.TreeMap;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jnova.NovaStore;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Calls with names in two directories. Symbolic links stand for files: what they lead to says which one it is. Paths do
 * not lead through directories that move: such a walk is not of one moment.
 */
@Param(name = "path", gen = IntGen.class, conf = "0:2")
@Param(name = "value", gen = IntGen.class, conf = "1:2")
public class NamesLincheckTest {
    private static final String[] PATHS = {"x/a", "x/b", "y/a", "x/a/in"};

    private final FreshStore fresh;
    private final NovaStore store;

    public NamesLincheckTest() throws IOException {
        fresh = new FreshStore("x", "y", "p", "p/a", "q", "q/b");
        store = fresh.store;
    }

    @Validate
    public void end() throws IOException {
        fresh.close();
    }

    @Operation
    public void create(@Param(name = "path") int path, @Param(name = "value") int value) throws IOException {
        store.createSymbolicLink(PATHS[path], String.valueOf(value));
    }

    @Operation
    public String read(@Param(name = "path") int path) throws IOException {
        return store.readSymbolicLink(PATHS[path]);
    }

    @Operation
    public void delete(@Param(name = "path") int path) throws IOException {
        store.delete(PATHS[path]);
    }

    @Operation
    public void replace(@Param(name = "path") int from, @Param(name = "path") int to) throws IOException {
        store.rename(PATHS[from], PATHS[to], StandardCopyOption.REPLACE_EXISTING);
    }

    @Operation
    public void exchange(@Param(name = "path") int one, @Param(name = "path") int other) throws IOException {
        store.exchange(PATHS[one], PATHS[other]);
    }

    @Operation
    public void link(@Param(name = "path") int path, @Param(name = "path") int existing) throws IOException {
        store.createLink(PATHS[path], PATHS[existing]);
    }

    @Operation
    public List<String> list(@Param(name = "path") int path) throws IOException {
        return store.names(PATHS[path].substring(0, 1));
    }

    public void makeDirectory(int path) throws IOException {
        store.createDirectory(PATHS[path]);
    }

    /** Moves a directory below another one, if it can be moved. Returns whether it was. */
    public boolean move(String from, String to) throws IOException {
        try {
            store.rename(from, to);
            return true;
        } catch (FileSystemException e) {
            return false;
        }
    }

    /** The same, of a map. */
    public static final class Specification {
        private static final String DIRECTORY = "/";

        private final TreeMap<String, String> names = new TreeMap<>();
        private boolean moved;

        private String there(int path) throws IOException {
            String value = names.get(PATHS[path]);
            if (value == null) {
                throw new NoSuchFileException(PATHS[path]);
            }
            return value;
        }

        private void checkFree(int path) throws IOException {
            if (path == 3 && !names.containsKey(PATHS[0])) {
                throw new NoSuchFileException(PATHS[path]);
            }
            if (names.containsKey(PATHS[path])) {
                throw new FileAlreadyExistsException(PATHS[path]);
            }
        }

        public void create(int path, int value) throws IOException {
            checkFree(path);
            names.put(PATHS[path], String.valueOf(value));
        }

        public String read(int path) throws IOException {
            return there(path);
        }

        public void delete(int path) throws IOException {
            there(path);
            if (path == 0 && names.containsKey(PATHS[3])) {
                throw new DirectoryNotEmptyException(PATHS[path]);
            }
            names.remove(PATHS[path]);
        }

        public void replace(int from, int to) throws IOException {
            String value = there(from);
            names.remove(PATHS[from]);
            names.put(PATHS[to], value);
        }

        public void exchange(int one, int other) throws IOException {
            String value = there(one);
            names.put(PATHS[one], there(other));
            names.put(PATHS[other], value);
        }

        public void link(int path, int existing) throws IOException {
            String value = there(existing);
            checkFree(path);
            names.put(PATHS[path], value);
        }

        public List<String> list(int path) {
            String directory = PATHS[path].substring(0, 2);
            return names.keySet().stream()
                    .filter(name -> name.startsWith(directory))
                    .map(name -> name.substring(2))
                    .toList();
        }

        public void makeDirectory(int path) throws IOException {
            checkFree(path);
            names.put(PATHS[path], DIRECTORY);
        }

        /** Of two that want to move below each other the first one can. */
        public boolean move(String from, String to) {
            boolean can = !moved;
            moved = true;
            return can;
        }
    }

    @Test
    @Tag("all-jdks")
    void oneOrderExplainsAllAnswers() throws IOException {
        Interleavings of = new Interleavings(NamesLincheckTest.class, Specification.class, 60);
        of.after(of.call("create", 0, 1))
                .check(List.of(of.call("replace", 0, 1)), List.of(of.call("read", 0), of.call("read", 1)))
                .check(List.of(of.call("replace", 0, 2)), List.of(of.call("read", 0), of.call("read", 2)))
                .check(List.of(of.call("replace", 0, 1)), List.of(of.call("list", 0)))
                .check(List.of(of.call("link", 2, 0)), List.of(of.call("delete", 0), of.call("create", 0, 2)))
                .check(List.of(of.call("replace", 0, 2)), List.of(of.call("delete", 0)))
                .check(List.of(of.call("replace", 0, 1)), List.of(of.call("create", 1, 2), of.call("read", 1)));
        of.after(of.call("create", 0, 1), of.call("create", 2, 2))
                .check(List.of(of.call("replace", 0, 2)), List.of(of.call("replace", 2, 0)))
                .check(List.of(of.call("exchange", 0, 2)), List.of(of.call("read", 0), of.call("read", 2)))
                .check(List.of(of.call("exchange", 0, 2)), List.of(of.call("exchange", 2, 0), of.call("read", 0)));
        of.after(of.call("makeDirectory", 0))
                .check(
                        List.of(of.call("delete", 0), of.call("makeDirectory", 0)),
                        List.of(of.call("create", 3, 1), of.call("read", 3)));
        of.run(2);
    }

    @Test
    @Tag("all-jdks")
    void twoMovesNeverMakeARing() throws IOException {
        Interleavings of = new Interleavings(NamesLincheckTest.class, Specification.class, 1500);
        of.check(List.of(of.call("move", "p/a", "q/b/a")), List.of(of.call("move", "q/b", "p/a/b")));
        of.run(0);
    }
}
