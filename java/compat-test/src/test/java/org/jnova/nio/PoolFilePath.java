/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.file.CopyOption;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.h2.message.DbException;
import org.h2.store.fs.FilePath;
import org.h2.store.fs.FileUtils;

/**
 * Files in pools for the H2 database, by the URIs of their paths: {@code jdbc:h2:jnova:///mnt/pmem/orders.pool!/db} is a
 * database in a pool, which must be open as a file system. A program that wants that copies this class, and calls {@code
 * FilePath.register(new PoolFilePath())} first. H2's own class for files takes paths of the default file system only.
 */
public final class PoolFilePath extends FilePath {
    /** The provider. */
    public PoolFilePath() {}

    private PoolFilePath(String name) {
        this.name = name;
    }

    @Override
    public String getScheme() {
        return "jnova";
    }

    @Override
    public PoolFilePath getPath(String path) {
        return new PoolFilePath(path);
    }

    private static PoolFilePath of(Path path) {
        return new PoolFilePath(path.toUri().toString());
    }

    private Path path() {
        return Path.of(URI.create(name));
    }

    @FunctionalInterface
    private interface Call<T> {
        T on(Path path) throws IOException;
    }

    private <T> T call(Call<T> call) {
        try {
            return call.on(path());
        } catch (IOException e) {
            throw DbException.convertIOException(e, name);
        }
    }

    @Override
    public long size() {
        return call(path -> Files.exists(path) ? Files.size(path) : 0);
    }

    @Override
    public long lastModified() {
        return call(path -> Files.exists(path) ? Files.getLastModifiedTime(path).toMillis() : 0);
    }

    @Override
    public boolean exists() {
        return Files.exists(path());
    }

    @Override
    public boolean isDirectory() {
        return Files.isDirectory(path());
    }

    @Override
    public boolean isRegularFile() {
        return Files.isRegularFile(path());
    }

    @Override
    public boolean isAbsolute() {
        return true;
    }

    @Override
    public boolean canWrite() {
        return Files.isWritable(path());
    }

    @Override
    public boolean setReadOnly() {
        call(path -> Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("r--r--r--")));
        return true;
    }

    @Override
    public boolean createFile() {
        return call(path -> {
            try {
                Files.createFile(path);
                return true;
            } catch (FileAlreadyExistsException e) {
                return false;
            }
        });
    }

    @Override
    public void createDirectory() {
        call(Files::createDirectory);
    }

    @Override
    public void delete() {
        call(Files::deleteIfExists);
    }

    @Override
    public void moveTo(FilePath to, boolean replace) {
        CopyOption[] options = replace ? new CopyOption[] {StandardCopyOption.REPLACE_EXISTING} : new CopyOption[0];
        call(path -> Files.move(path, ((PoolFilePath) to).path(), options));
    }

    @Override
    public List<FilePath> newDirectoryStream() {
        return call(path -> {
            try (Stream<Path> all = Files.list(path)) {
                return all.map(child -> (FilePath) of(child)).toList();
            }
        });
    }

    @Override
    public PoolFilePath getParent() {
        Path parent = path().getParent();
        return parent == null ? null : of(parent);
    }

    @Override
    public PoolFilePath toRealPath() {
        return of(exists() ? call(Path::toRealPath) : path().toAbsolutePath().normalize());
    }

    @Override
    public OutputStream newOutputStream(boolean append) throws IOException {
        Files.createDirectories(path().toAbsolutePath().getParent());
        return super.newOutputStream(append);
    }

    @Override
    public FileChannel open(String mode) throws IOException {
        return FileChannel.open(path(), FileUtils.modeToOptions(mode));
    }
}
