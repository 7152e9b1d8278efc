/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.jnova.bench.BenchState.PAGE_LEN;
import static org.jnova.bench.NamesState.FILE;
import static org.jnova.bench.NamesState.MADE;
import static org.jnova.bench.NamesState.NEW;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.jnova.AttributeChange;
import org.jnova.FileInfo;
import org.jnova.NovaFile;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Calls on names and attributes, one thread, each timed alone. What a call needs is made before it, and what it leaves
 * is deleted after it; neither is in the time.
 */
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class NamesBench {
    private static final AttributeChange MODE = AttributeChange.none().mode(0600);
    private static final byte[] VALUE = new byte[16];

    /** The new name is free. */
    @State(Scope.Thread)
    public static class NewGoes extends NamesState {
        /** Deletes what was made. */
        @TearDown(Level.Invocation)
        public void deleteNew() throws IOException {
            store.delete(NEW);
        }
    }

    /** There is a file with one name, not open. */
    @State(Scope.Thread)
    public static class FileMade extends NamesState {
        /** Makes it. */
        @Setup(Level.Invocation)
        public void make() throws IOException {
            store.open(MADE, WRITE, CREATE_NEW).close();
        }
    }

    /** There is an empty directory. */
    @State(Scope.Thread)
    public static class DirectoryMade extends NamesState {
        /** Makes it. */
        @Setup(Level.Invocation)
        public void make() throws IOException {
            store.createDirectory(MADE);
        }
    }

    /** There is a second name of the open file. */
    @State(Scope.Thread)
    public static class LinkMade extends NamesState {
        /** Makes it. */
        @Setup(Level.Invocation)
        public void make() throws IOException {
            store.createLink(MADE, FILE);
        }
    }

    /** The open file has a page, behind a hole. */
    @State(Scope.Thread)
    public static class PageWritten extends NamesState {
        /** Writes it. */
        @Setup(Level.Invocation)
        public void write(BenchState bench) throws IOException {
            file.write(PAGE_LEN, bench.direct.clear());
        }
    }

    /** Makes a file and closes it. */
    @Benchmark
    public void create(NewGoes names) throws IOException {
        names.store.open(NEW, WRITE, CREATE_NEW).close();
    }

    /** Makes a file, writes 4 KiB and closes it. */
    @Benchmark
    public void createWrite4k(BenchState bench, NewGoes names) throws IOException {
        try (NovaFile file = names.store.open(NEW, WRITE, CREATE_NEW)) {
            file.write(0, bench.direct.clear());
        }
    }

    /** Opens a file that nobody else has open, and closes it: its log is read. */
    @Benchmark
    public void open(NamesState names) throws IOException {
        names.store.open(names.closed(), READ).close();
    }

    /** Reads the attributes of an open file by its name. */
    @Benchmark
    public FileInfo stat(NamesState names) throws IOException {
        return names.store.stat(FILE);
    }

    /** Looks a name up. */
    @Benchmark
    public boolean exists(NamesState names) throws IOException {
        return names.store.exists(FILE);
    }

    /** Gives an open file a second name. */
    @Benchmark
    public void link(NewGoes names) throws IOException {
        names.store.createLink(NEW, FILE);
    }

    /** Deletes a file. */
    @Benchmark
    public void unlink(FileMade names) throws IOException {
        names.store.delete(MADE);
    }

    /** Deletes one of two names of an open file. */
    @Benchmark
    public void unlinkOneOfTwo(LinkMade names) throws IOException {
        names.store.delete(MADE);
    }

    /** Renames a file within its directory. */
    @Benchmark
    public void rename(NamesState names) throws IOException {
        names.store.rename(names.closed(), names.otherName());
        names.turn();
    }

    /** Renames a file over the only name of another. */
    @Benchmark
    public void renameOver(FileMade names) throws IOException {
        names.store.rename(MADE, names.closed(), REPLACE_EXISTING);
    }

    /** Makes a directory. */
    @Benchmark
    public void mkdir(NewGoes names) throws IOException {
        names.store.createDirectory(NEW);
    }

    /** Deletes an empty directory that no path has led through. */
    @Benchmark
    public void rmdir(DirectoryMade names) throws IOException {
        names.store.delete(MADE);
    }

    /** Sets the mode of an open file, by its name. */
    @Benchmark
    public void setattr(NamesState names) throws IOException {
        names.store.setAttributes(FILE, MODE);
    }

    /** Replaces a 16-byte extended attribute of an open file. */
    @Benchmark
    public void xattr(NamesState names) throws IOException {
        names.file.setAttribute("user", VALUE);
    }

    /** Punches out a page that was written. */
    @Benchmark
    public void punchHole(PageWritten names) throws IOException {
        names.file.punchHole(PAGE_LEN, PAGE_LEN);
    }

    /** Cuts off a page that was written. */
    @Benchmark
    public void truncate(PageWritten names) throws IOException {
        names.file.truncate(PAGE_LEN);
    }
}
