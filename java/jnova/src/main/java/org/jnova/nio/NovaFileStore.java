/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.attribute.FileOwnerAttributeView;
import java.nio.file.attribute.FileStoreAttributeView;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.Objects;
import java.util.Set;
import org.jnova.StoreInfo;

/** The pool, with true figures: space that waits to be freed is freed first. */
final class NovaFileStore extends FileStore {
    private static final Set<Class<? extends FileAttributeView>> VIEWS = Set.of(
            BasicFileAttributeView.class,
            PosixFileAttributeView.class,
            FileOwnerAttributeView.class,
            UserDefinedFileAttributeView.class);

    private final NovaFileSystem fs;

    NovaFileStore(NovaFileSystem fs) {
        this.fs = fs;
    }

    private StoreInfo info() throws IOException {
        return fs.store().info();
    }

    @Override
    public String name() {
        return fs.pool().toString();
    }

    @Override
    public String type() {
        return PoolUri.SCHEME;
    }

    @Override
    public boolean isReadOnly() {
        return false;
    }

    @Override
    public long getTotalSpace() throws IOException {
        StoreInfo info = info();
        return info.blocksData() * info.blockSize();
    }

    /** What files can get: less than {@link #getUnallocatedSpace} by the reserve. */
    @Override
    public long getUsableSpace() throws IOException {
        return info().freeBytes();
    }

    @Override
    public long getUnallocatedSpace() throws IOException {
        StoreInfo info = info();
        return info.blocksFree() * info.blockSize();
    }

    @Override
    public long getBlockSize() throws IOException {
        return info().blockSize();
    }

    @Override
    public boolean supportsFileAttributeView(Class<? extends FileAttributeView> type) {
        return VIEWS.contains(Objects.requireNonNull(type));
    }

    @Override
    public boolean supportsFileAttributeView(String name) {
        return NamedAttributes.VIEWS.contains(name);
    }

    @Override
    public <V extends FileStoreAttributeView> V getFileStoreAttributeView(Class<V> type) {
        Objects.requireNonNull(type);
        return null;
    }

    /** One of {@code totalSpace}, {@code usableSpace}, {@code unallocatedSpace}, {@code jnova:durability}. */
    @Override
    public Object getAttribute(String attribute) throws IOException {
        return switch (attribute) {
            case "totalSpace" -> getTotalSpace();
            case "usableSpace" -> getUsableSpace();
            case "unallocatedSpace" -> getUnallocatedSpace();
            case "jnova:durability" -> info().durability();
            default -> throw new UnsupportedOperationException("'" + attribute + "' not recognized");
        };
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof NovaFileStore that && that.fs == fs;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(fs);
    }

    @Override
    public String toString() {
        return name();
    }
}
