/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Files of the JDK. With force, data after each write ({@code fdatasync}), and the directory after changes of names. */
final class ChannelSubject implements Subject {
    private static final int FILL_LEN = 1 << 20;

    private final Conditions conditions;
    private final boolean force;
    private final Path small;
    private final List<FileChannel> files = new ArrayList<>();

    ChannelSubject(Conditions conditions, boolean force) throws IOException {
        this.conditions = conditions;
        this.force = force;
        small = Files.createDirectory(conditions.dir().resolve("small"));
        boolean fill = !conditions.appends() && !conditions.workload().onNames();
        for (int i = 0; i < conditions.files(); i++) {
            files.add(fill(conditions.dir().resolve("file" + i), fill ? conditions.size() : 0));
        }
        Files.createFile(conditions.dir().resolve("closed"));
    }

    /** A file of so many bytes, all of them written and forced. */
    static FileChannel fill(Path path, long size) throws IOException {
        FileChannel channel = FileChannel.open(path, CREATE_NEW, READ, WRITE);
        ByteBuffer content = ByteBuffer.allocateDirect(FILL_LEN);
        for (long at = 0; at < size; at += FILL_LEN) {
            channel.write(content.clear(), at);
        }
        channel.force(true);
        return channel;
    }

    @Override
    public Session session(int thread) throws IOException {
        return new ChannelSession(files.get(thread % files.size()));
    }

    @Override
    public void reset() throws IOException {
        if (conditions.appends()) {
            for (FileChannel file : files) {
                file.truncate(0);
            }
        }
        if (conditions.workload().call == Workload.Call.CREATE) {
            try (var paths = Files.newDirectoryStream(small)) {
                for (Path path : paths) {
                    Files.delete(path);
                }
            }
        }
    }

    @Override
    public void close() throws IOException {
        for (FileChannel file : files) {
            file.close();
        }
    }

    private final class ChannelSession extends Session {
        private final FileChannel channel;
        private final ByteBuffer buffer = conditions.direct();
        private final Path closed = conditions.dir().resolve("closed");
        private final Path renamed = conditions.dir().resolve("renamed");
        private final FileChannel dir = FileChannel.open(conditions.dir(), READ);
        private final FileChannel smallDir = FileChannel.open(small, READ);
        private boolean isRenamed;

        ChannelSession(FileChannel channel) throws IOException {
            this.channel = channel;
        }

        @Override
        long write(long offset) throws IOException {
            int n = channel.write(buffer.clear(), offset);
            if (force) {
                channel.force(false);
            }
            return n;
        }

        @Override
        long read(long offset) throws IOException {
            return channel.read(buffer.clear(), offset);
        }

        @Override
        long append() throws IOException {
            int n = channel.write(buffer.clear());
            if (force) {
                channel.force(false);
            }
            return n;
        }

        @Override
        void create(long number) throws IOException {
            try (FileChannel made = FileChannel.open(small.resolve(Long.toString(number)), CREATE, WRITE)) {
                made.write(buffer.clear());
                if (force) {
                    made.force(false);
                    smallDir.force(true);
                }
            }
        }

        @Override
        void rename() throws IOException {
            Files.move(isRenamed ? renamed : closed, isRenamed ? closed : renamed, ATOMIC_MOVE);
            isRenamed = !isRenamed;
            if (force) {
                dir.force(true);
            }
        }

        @Override
        void open() throws IOException {
            FileChannel.open(closed, READ).close();
        }
    }
}
