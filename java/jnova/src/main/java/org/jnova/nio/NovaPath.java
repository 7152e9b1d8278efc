/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * A path of a {@link NovaFileSystem}, with the syntax and the order of the default provider's on Linux. Relative paths
 * are meant from the root. Immutable.
 */
final class NovaPath implements Path {
    static final String NOT_UNICODE = "Malformed input or input contains unmappable characters";
    private static final int NAME_BYTES_MAX = 255;
    private static final String[] NO_NAMES = {};

    private final NovaFileSystem fs;
    private final String text;
    private volatile String[] names; // of the text, when they are first asked for; never changed

    /** A path whose text is normal: no slash beside another, none at the end but the root's. */
    private NovaPath(NovaFileSystem fs, String text) {
        this.fs = fs;
        this.text = text;
    }

    /**
     * Parses a path.
     *
     * @throws InvalidPathException if there is a NUL in it, or half of a surrogate pair
     */
    static NovaPath of(NovaFileSystem fs, String text) {
        StringBuilder normal = new StringBuilder(text.length());
        char before = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == 0) {
                throw new InvalidPathException(text, "Nul character not allowed");
            }
            if (isHalf(text, i)) {
                throw new InvalidPathException(text, NOT_UNICODE);
            }
            if (c != '/' || before != '/') {
                normal.append(c);
            }
            before = c;
        }
        int end = normal.length();
        if (end > 1 && before == '/') {
            normal.setLength(end - 1);
        }
        return new NovaPath(fs, normal.toString());
    }

    /** Whether the character is a surrogate without the other one. */
    private static boolean isHalf(String text, int i) {
        char c = text.charAt(i);
        if (Character.isHighSurrogate(c)) {
            return i + 1 == text.length() || !Character.isLowSurrogate(text.charAt(i + 1));
        }
        return Character.isLowSurrogate(c) && (i == 0 || !Character.isHighSurrogate(text.charAt(i - 1)));
    }

    /**
     * A path of this provider.
     *
     * @throws ProviderMismatchException if it is one of another
     */
    static NovaPath of(Path path) {
        if (Objects.requireNonNull(path) instanceof NovaPath nova) {
            return nova;
        }
        throw new ProviderMismatchException();
    }

    private NovaPath ofSamePool(Path path) {
        NovaPath nova = of(path);
        if (nova.fs != fs) {
            throw new ProviderMismatchException(path + " is a path in another pool");
        }
        return nova;
    }

    private NovaPath join(boolean absolute, List<String> parts) {
        return new NovaPath(fs, (absolute ? "/" : "") + String.join("/", parts));
    }

    private List<String> names() {
        String[] all = names;
        if (all == null) {
            String relative = isAbsolute() ? text.substring(1) : text;
            all = text.equals("/") ? NO_NAMES : relative.split("/", -1);
            names = all;
        }
        return Arrays.asList(all);
    }

    /** Whether it is the empty path, which has one name, of no characters. */
    boolean isEmpty() {
        return text.isEmpty();
    }

    /**
     * The path as the store takes it.
     *
     * @throws FileSystemException if a name in it is longer than any can be
     */
    String inStore() throws FileSystemException {
        if (text.length() * 3L > NAME_BYTES_MAX) {
            for (String name : names()) {
                if (name.getBytes(StandardCharsets.UTF_8).length > NAME_BYTES_MAX) {
                    throw new FileSystemException(text, null, "File name too long");
                }
            }
        }
        return text.isEmpty() ? "." : text;
    }

    @Override
    public NovaFileSystem getFileSystem() {
        return fs;
    }

    @Override
    public boolean isAbsolute() {
        return text.startsWith("/");
    }

    @Override
    public NovaPath getRoot() {
        return isAbsolute() ? fs.root() : null;
    }

    @Override
    public NovaPath getFileName() {
        List<String> all = names();
        return all.isEmpty() ? null : new NovaPath(fs, all.get(all.size() - 1));
    }

    @Override
    public NovaPath getParent() {
        int slash = text.lastIndexOf('/');
        if (slash > 0) {
            return new NovaPath(fs, text.substring(0, slash));
        }
        return text.length() > 1 ? getRoot() : null;
    }

    @Override
    public int getNameCount() {
        return names().size();
    }

    @Override
    public NovaPath getName(int index) {
        if (index < 0 || index >= getNameCount()) {
            throw new IllegalArgumentException("no name " + index + " in " + text);
        }
        return new NovaPath(fs, names().get(index));
    }

    @Override
    public NovaPath subpath(int beginIndex, int endIndex) {
        if (beginIndex < 0 || beginIndex >= endIndex || endIndex > getNameCount()) {
            throw new IllegalArgumentException("no names " + beginIndex + " to " + endIndex + " in " + text);
        }
        return join(false, names().subList(beginIndex, endIndex));
    }

    @Override
    public boolean startsWith(Path other) {
        if (!(Objects.requireNonNull(other) instanceof NovaPath that) || that.fs != fs) {
            return false;
        }
        int count = that.getNameCount();
        return isAbsolute() == that.isAbsolute()
                && count <= getNameCount()
                && names().subList(0, count).equals(that.names());
    }

    @Override
    public boolean endsWith(Path other) {
        if (!(Objects.requireNonNull(other) instanceof NovaPath that) || that.fs != fs) {
            return false;
        }
        if (that.isAbsolute()) {
            return equals(that);
        }
        int skip = getNameCount() - that.getNameCount();
        return skip >= 0 && names().subList(skip, getNameCount()).equals(that.names());
    }

    @Override
    public NovaPath normalize() {
        List<String> kept = new ArrayList<>();
        for (String name : names()) {
            boolean parent = name.equals("..");
            boolean before = !kept.isEmpty() && !kept.get(kept.size() - 1).equals("..");
            if (parent && before) {
                kept.remove(kept.size() - 1);
            } else if (!name.equals(".") && !(parent && isAbsolute())) {
                kept.add(name);
            }
        }
        return kept.size() == getNameCount() ? this : join(isAbsolute(), kept);
    }

    @Override
    public NovaPath resolve(Path other) {
        NovaPath that = ofSamePool(other);
        if (that.isAbsolute() || isEmpty()) {
            return that;
        }
        if (that.isEmpty()) {
            return this;
        }
        return new NovaPath(fs, text.endsWith("/") ? text + that.text : text + "/" + that.text);
    }

    @Override
    public NovaPath resolve(String other) {
        return resolve(of(fs, other));
    }

    @Override
    public NovaPath relativize(Path other) {
        NovaPath target = ofSamePool(other);
        if (equals(target)) {
            return new NovaPath(fs, "");
        }
        if (isAbsolute() != target.isAbsolute()) {
            throw new IllegalArgumentException("'other' is different type of Path");
        }
        if (isEmpty()) {
            return target;
        }
        NovaPath base = this;
        if (base.hasDots() || target.hasDots()) {
            base = base.normalize();
            target = target.normalize();
        }
        List<String> from = base.realNames();
        List<String> to = target.realNames();
        int same = 0;
        while (same < Math.min(from.size(), to.size()) && from.get(same).equals(to.get(same))) {
            same++;
        }
        List<String> result = new ArrayList<>();
        for (String name : from.subList(same, from.size())) {
            if (name.equals("..") || name.equals(".")) {
                throw new IllegalArgumentException("Unable to compute relative path from " + this + " to " + other);
            }
            result.add("..");
        }
        result.addAll(to.subList(same, to.size()));
        return join(false, result);
    }

    private boolean hasDots() {
        return names().contains(".") || names().contains("..");
    }

    private List<String> realNames() {
        return isEmpty() ? List.of() : names();
    }

    @Override
    public URI toUri() {
        return PoolUri.of(fs.pool(), toAbsolutePath().text);
    }

    @Override
    public NovaPath toAbsolutePath() {
        return isAbsolute() ? this : fs.root().resolve(this);
    }

    @Override
    public NovaPath toRealPath(LinkOption... options) throws IOException {
        return RealPath.of(this, NovaFileSystemProvider.follow(options));
    }

    @Override
    public WatchKey register(WatchService watcher, WatchEvent.Kind<?>[] events, WatchEvent.Modifier... modifiers)
            throws IOException {
        if (Objects.requireNonNull(watcher) instanceof NovaWatchService service) {
            return service.register(this, events, modifiers);
        }
        throw new ProviderMismatchException();
    }

    /** Paths of several pools that read the same are in the order of their pools. */
    @Override
    public int compareTo(Path other) {
        NovaPath that = (NovaPath) other;
        int order = compareCodePoints(text, that.text);
        return order != 0 || that.fs == fs ? order : fs.pool().compareTo(that.fs.pool());
    }

    /** Compares as the bytes in UTF-8 do. */
    private static int compareCodePoints(String a, String b) {
        int end = Math.min(a.length(), b.length());
        for (int i = 0; i < end; i++) {
            char x = a.charAt(i);
            char y = b.charAt(i);
            if (x != y) {
                boolean xHalf = Character.isSurrogate(x);
                return xHalf == Character.isSurrogate(y) ? x - y : xHalf ? 1 : -1;
            }
        }
        return a.length() - b.length();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof NovaPath that && that.fs == fs && that.text.equals(text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    @Override
    public String toString() {
        return text;
    }
}
