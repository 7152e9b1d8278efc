/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.lincheck;

import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jnova.NovaFile;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Calls with the contents of two open files, in whole pages: readers, which take no lock, and who changes what they read. */
@Param(name = "file", gen = IntGen.class, conf = "0:1")
@Param(name = "page", gen = IntGen.class, conf = "0:1")
@Param(name = "pages", gen = IntGen.class, conf = "1:2")
@Param(name = "value", gen = IntGen.class, conf = "1:3")
public class FilesLincheckTest {
    private static final int PAGE = 4096;
    private static final int PAGES_MAX = 8;

    private final FreshStore fresh;
    private final NovaFile[] files = new NovaFile[2];

    public FilesLincheckTest() throws IOException {
        fresh = new FreshStore();
        for (int i = 0; i < files.length; i++) {
            files[i] = fresh.store.open(String.valueOf(i), CREATE_NEW, READ, WRITE);
        }
    }

    @Validate
    public void end() throws IOException {
        fresh.close();
    }

    private static byte[] bytes(int pages, int value) {
        byte[] bytes = new byte[pages * PAGE];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    @Operation
    public void write(
            @Param(name = "file") int file,
            @Param(name = "page") int page,
            @Param(name = "pages") int pages,
            @Param(name = "value") int value)
            throws IOException {
        byte[] bytes = bytes(pages, value);
        files[file].write((long) page * PAGE, bytes, 0, bytes.length);
    }

    @Operation
    public void append(@Param(name = "file") int file, @Param(name = "value") int value) throws IOException {
        files[file].append(bytes(1, value), 0, PAGE);
    }

    /** The value of each page. */
    @Operation
    public List<Integer> read(@Param(name = "file") int file) throws IOException {
        byte[] bytes = new byte[PAGES_MAX * PAGE];
        int length = files[file].read(0, bytes, 0, bytes.length);
        List<Integer> values = new ArrayList<>();
        for (int at = 0; at < length; at += PAGE) {
            int last = Math.min(at + PAGE, length) - 1;
            values.add(bytes[at] == bytes[last] ? (int) bytes[at] : -1);
        }
        return values;
    }

    @Operation
    public void setSize(@Param(name = "file") int file, @Param(name = "pages") int pages) throws IOException {
        files[file].setSize((long) pages * PAGE);
    }

    @Operation
    public void punch(@Param(name = "file") int file, @Param(name = "page") int page) throws IOException {
        files[file].punchHole((long) page * PAGE, PAGE);
    }

    @Operation
    public void copy(@Param(name = "file") int from, @Param(name = "file") int to) throws IOException {
        files[from].copyRange(0, files[to], 0, (long) PAGES_MAX * PAGE);
    }

    /** Only of a page that is not the last one. */
    public void collapse(int file, int page) throws IOException {
        files[file].collapseRange((long) page * PAGE, PAGE);
    }

    public void insert(int file, int page) throws IOException {
        files[file].insertRange((long) page * PAGE, PAGE);
    }

    public long size(int file) throws IOException {
        return files[file].size();
    }

    /** The same, of lists of values. */
    public static final class Specification {
        private final List<List<Integer>> files = List.of(new ArrayList<>(), new ArrayList<>());

        private void grow(int file, int pages) {
            List<Integer> values = files.get(file);
            while (values.size() < pages) {
                values.add(0);
            }
        }

        public void write(int file, int page, int pages, int value) {
            grow(file, page + pages);
            for (int i = 0; i < pages; i++) {
                files.get(file).set(page + i, value);
            }
        }

        public void append(int file, int value) {
            files.get(file).add(value);
        }

        public List<Integer> read(int file) {
            return List.copyOf(files.get(file));
        }

        public void setSize(int file, int pages) {
            List<Integer> values = files.get(file);
            grow(file, pages);
            values.subList(pages, values.size()).clear();
        }

        public void punch(int file, int page) {
            List<Integer> values = files.get(file);
            if (page < values.size()) {
                values.set(page, 0);
            }
        }

        public void copy(int from, int to) {
            List<Integer> values = List.copyOf(files.get(from));
            grow(to, values.size());
            for (int i = 0; i < values.size(); i++) {
                files.get(to).set(i, values.get(i));
            }
        }

        public void collapse(int file, int page) {
            files.get(file).remove(page);
        }

        public void insert(int file, int page) {
            files.get(file).add(page, 0);
        }

        public long size(int file) {
            return (long) files.get(file).size() * PAGE;
        }
    }

    @Test
    @Tag("all-jdks")
    void oneOrderExplainsAllAnswers() throws IOException {
        Interleavings of = new Interleavings(FilesLincheckTest.class, Specification.class, 60);
        of.after(of.call("write", 0, 0, 2, 1), of.call("write", 1, 0, 1, 2))
                .check(List.of(of.call("write", 0, 0, 2, 3)), List.of(of.call("read", 0), of.call("read", 0)))
                .check(
                        List.of(of.call("write", 0, 0, 2, 3), of.call("write", 1, 0, 2, 4)), // blocks of the one before
                        List.of(of.call("read", 0)))
                .check(List.of(of.call("setSize", 0, 1), of.call("append", 0, 3)), List.of(of.call("read", 0)))
                .check(List.of(of.call("collapse", 0, 0)), List.of(of.call("read", 0), of.call("size", 0)))
                .check(List.of(of.call("insert", 0, 1)), List.of(of.call("size", 0), of.call("read", 0)))
                .check(List.of(of.call("append", 0, 3)), List.of(of.call("append", 0, 4), of.call("read", 0)))
                .check(List.of(of.call("copy", 0, 1)), List.of(of.call("copy", 1, 0), of.call("read", 1)))
                .check(List.of(of.call("copy", 0, 1)), List.of(of.call("write", 0, 0, 2, 3), of.call("read", 1)))
                .check(List.of(of.call("punch", 0, 0)), List.of(of.call("copy", 0, 0), of.call("read", 0)));
        of.run(2);
    }
}
