/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.channels.FileLock;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;
import org.jnova.TestPools;

/** Random calls on channels of two files, made in a pool and with the default provider: the same results. */
class NovaFileChannelModelTest {
    private static final int SPAN = 20_000;
    private static final List<Set<OpenOption>> MODES = List.of(
            Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE),
            Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE),
            Set.of(StandardOpenOption.READ),
            Set.of(StandardOpenOption.WRITE),
            Set.of(StandardOpenOption.APPEND));

    /** Channels, used by the random numbers of a seed. */
    private static final class User implements AutoCloseable {
        private final Path base;
        private final Random random;
        private final List<FileChannel> channels = new ArrayList<>();
        private final Map<FileChannel, String> names = new IdentityHashMap<>();
        private final List<FileLock> locks = new ArrayList<>();
        private final Map<MappedByteBuffer, Mapped> mapped = new IdentityHashMap<>();

        /** What a buffer shows. */
        private record Mapped(String name, long position) {}

        User(Path base, long seed) throws IOException {
            this.base = base;
            this.random = new Random(seed);
            Files.createFile(base.resolve("a"));
            Files.createFile(base.resolve("b"));
            for (Set<OpenOption> mode : MODES) {
                channels.add(open(mode));
            }
        }

        private FileChannel open(Set<OpenOption> mode) throws IOException {
            String name = random.nextInt(4) == 0 ? "b" : "a";
            FileChannel channel = FileChannel.open(base.resolve(name), mode);
            names.put(channel, name);
            return channel;
        }

        private ByteBuffer bytes() {
            int skip = random.nextInt(4);
            byte[] bytes = new byte[skip + random.nextInt(random.nextInt(4) == 0 ? SPAN : 300)];
            random.nextBytes(bytes);
            ByteBuffer buffer = random.nextBoolean()
                    ? ByteBuffer.wrap(bytes)
                    : ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
            return buffer.position(skip);
        }

        private ByteBuffer[] several() {
            ByteBuffer[] all = new ByteBuffer[random.nextInt(4)];
            Arrays.setAll(all, i -> bytes());
            return all;
        }

        private static String shown(Object result, ByteBuffer... buffers) {
            StringBuilder all = new StringBuilder(String.valueOf(result));
            for (ByteBuffer buffer : buffers) {
                all.append(' ').append(buffer.position()).append(':').append(buffer.duplicate().flip().hashCode());
            }
            return all.toString();
        }

        /** Maps, and stores something. What is pinned under this user's own buffers may be in the way. */
        private String map(FileChannel channel, long position, long size) throws IOException {
            MapMode mapMode = List.of(MapMode.READ_ONLY, MapMode.READ_WRITE, MapMode.READ_WRITE, MapMode.PRIVATE)
                    .get(random.nextInt(4));
            byte value = (byte) random.nextInt();
            MappedByteBuffer buffer;
            try {
                buffer = channel.map(mapMode, position, size);
            } catch (FileSystemException e) {
                mapped.clear();
                buffer = channel.map(mapMode, position, size);
            }
            String shown = mapMode + " " + buffer.hashCode() + " " + channel.size();
            if (!buffer.isReadOnly() && buffer.hasRemaining()) {
                buffer.put(0, value).put(buffer.capacity() / 2, value);
            }
            if (mapMode != MapMode.PRIVATE) {
                mapped.put(buffer, new Mapped(names.get(channel), position));
            }
            return shown;
        }

        /** Whether all buffers show what their files hold. */
        private boolean lookAtMapped() throws IOException {
            boolean same = true;
            for (Map.Entry<MappedByteBuffer, Mapped> entry : mapped.entrySet()) {
                try (FileChannel read = FileChannel.open(base.resolve(entry.getValue().name()))) {
                    ByteBuffer bytes = ByteBuffer.allocate(entry.getKey().capacity());
                    read.read(bytes, entry.getValue().position());
                    same &= bytes.flip().equals(entry.getKey().duplicate().rewind());
                }
            }
            return same;
        }

        Object next() {
            int which = random.nextInt(MODES.size());
            FileChannel channel = channels.get(which);
            int whichOther = random.nextInt(MODES.size());
            FileChannel other = channels.get(whichOther);
            long position = random.nextInt(20) == 0 ? -1 : random.nextInt(SPAN);
            long size = random.nextInt(20) == 0 ? -1 : random.nextInt(SPAN);
            ByteBuffer buffer = bytes();
            ByteBuffer[] all = several();
            boolean shared = random.nextBoolean();
            int kind = random.nextInt(20);
            if ((kind == 10 || kind == 12) && names.get(channel).equals(names.get(other))) {
                kind = 8; // ranges that overlap: what comes of that nobody promises
            }
            if (kind == 12 && !MODES.get(whichOther).contains(StandardOpenOption.READ)) {
                kind = 8; // JDKs differ in what they check first
            }
            try {
                switch (kind) {
                    case 0:
                        return shown(channel.read(buffer), buffer);
                    case 1:
                        return shown(channel.read(buffer, position), buffer);
                    case 2:
                        return shown(channel.read(all), all);
                    case 3:
                        return shown(channel.write(buffer), buffer);
                    case 4:
                        return shown(channel.write(buffer, position), buffer);
                    case 5:
                        return shown(channel.write(all), all);
                    case 6:
                        return "position " + channel.position();
                    case 7:
                        return "position " + channel.position(position).position();
                    case 8:
                        return "size " + channel.size();
                    case 9:
                        mapped.clear(); // what is cut off some go on showing, some do not
                        return "truncate " + channel.truncate(size).size() + " " + channel.position();
                    case 10:
                        return "to " + channel.transferTo(position, size, other) + " " + other.position();
                    case 11:
                        ByteArrayOutputStream out = new ByteArrayOutputStream();
                        long n = channel.transferTo(position, size, Channels.newChannel(out));
                        return n + " " + Arrays.hashCode(out.toByteArray());
                    case 12:
                        return "from " + channel.transferFrom(other, position, size) + " " + other.position();
                    case 13:
                        channel.force(shared);
                        return "force";
                    case 14:
                        FileLock lock = channel.tryLock(position, size + 2, shared);
                        locks.add(lock);
                        return "lock " + lock.isValid() + lock.isShared() + lock.position() + "+" + lock.size();
                    case 15:
                        if (locks.isEmpty()) {
                            return "no lock";
                        }
                        FileLock free = locks.remove(random.nextInt(locks.size()));
                        free.release();
                        return "free " + free.isValid();
                    case 16:
                    case 17:
                        return "map " + map(channel, position, size);
                    case 18:
                        return "mapped " + lookAtMapped();
                    default:
                        channel.close();
                        List<Boolean> valid = locks.stream().map(FileLock::isValid).toList();
                        channels.set(which, open(MODES.get(which)));
                        return "closed " + valid;
                }
            } catch (IOException | RuntimeException e) {
                return kind + " " + e.getClass().getName();
            }
        }

        @Override
        public void close() throws IOException {
            for (FileChannel channel : channels) {
                channel.close();
            }
        }
    }

    @Property(tries = 60, shrinking = ShrinkingMode.BOUNDED)
    void asTheDefaultProvider(@ForAll long seed, @ForAll @IntRange(min = 1, max = 250) int calls) throws Exception {
        try (NioPools pools = new NioPools();
                FileSystem fs = pools.create("channel", 16 * TestPools.MIB)) {
            Path model = Files.createDirectory(pools.file("model"));
            Path base = fs.getPath("/");
            try (User expected = new User(model, seed);
                    User actual = new User(base, seed)) {
                for (int i = 0; i < calls; i++) {
                    int call = i;
                    assertEquals(expected.next(), actual.next(), () -> "call " + call + " of seed " + seed);
                }
            }
            for (String name : List.of("a", "b")) {
                assertEquals(-1, Files.mismatch(model.resolve(name), base.resolve(name)));
            }
            pools.closeSound(fs, "channel");
        }
    }
}
