/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Pools as file systems of {@code java.nio.file}, so that software written for that runs on them unchanged.
 *
 * <pre>{@code
 * URI pool = URI.create("jnova:///dev/shm/orders.pool");
 * try (FileSystem fs = FileSystems.newFileSystem(pool, Map.of("create", true, "size", "1G"))) {
 *     Files.writeString(fs.getPath("/order"), "4711");        // atomic, and durable now
 * }
 * }</pre>
 *
 * <p>The URI of a pool is that of its file with the scheme {@code jnova}; that of a path in an open one goes on with
 * {@code !} and the path, as in {@code jnova:///dev/shm/orders.pool!/2026/11}. An exclamation mark in the name of a pool
 * is written {@code %21}. A pool that exists is also opened by {@code FileSystems.newFileSystem(Path, Map)}; to make one
 * takes the URI, since other providers, for zip files say, are asked for paths first. The environment may have
 *
 * <table>
 * <caption>Entries of the environment</caption>
 * <tr><th>key</th><th>value</th></tr>
 * <tr><td>{@code create}</td><td>{@code true}: makes the pool if there is no such file; wants {@code size}</td></tr>
 * <tr><td>{@code size}</td><td>bytes, as a number, or as text that may end in {@code K}, {@code M}, {@code G}, {@code T}</td></tr>
 * <tr><td>{@code emulated}</td><td>{@code true}: see {@link org.jnova.StoreOptions.Builder#emulated}</td></tr>
 * <tr><td>{@code prefault}</td><td>{@code true}: see {@link org.jnova.StoreOptions.Builder#prefault}</td></tr>
 * <tr><td>{@code accessTimes}</td><td>{@code relatime} or {@code never}: see {@link org.jnova.AccessTimes}</td></tr>
 * <tr><td>{@code options}</td><td>a {@link org.jnova.StoreOptions}, instead of the two before</td></tr>
 * </table>
 *
 * <p>Results and exceptions are those of the JDK's default provider on Linux, run by the superuser: the store keeps
 * modes and owners, and checks no permissions. There is no {@code umask} and no working directory: relative paths are
 * meant from the root. Syntax and order of paths are the same, too.
 *
 * <table>
 * <caption>What there is</caption>
 * <tr><th></th><th></th></tr>
 * <tr><td>file channels</td><td>all of them. {@code map} gives a {@code MappedByteBuffer} of the
 *     JDK, for which pages are brought together and pinned, with what {@link org.jnova.NovaFile#mapBuffer} says: writes
 *     beneath it are not atomic, and it keeps what is cut off a file. On JDK 22 and newer {@code map} with an {@code
 *     Arena} gives a mapped segment of the JDK likewise, until the arena is closed; or, if the pages cannot be brought
 *     together, one of a {@link org.jnova.MappedRegion}, which has none of these limits and is native memory for the
 *     JDK. {@code force} of the channel makes stores to all of them durable</td></tr>
 * <tr><td>{@code APPEND}</td><td>atomic, also of several buffers and among several channels</td></tr>
 * <tr><td>{@code DELETE_ON_CLOSE}</td><td>the name goes when the file is opened, so that no crash leaves it, and the
 *     space with the last channel</td></tr>
 * <tr><td>{@code SYNC}, {@code DSYNC}, {@code SPARSE}</td><td>hold for every file</td></tr>
 * <tr><td>{@code NOFOLLOW_LINKS}</td><td>also when opening</td></tr>
 * <tr><td>asynchronous channels</td><td>with the executor given, or daemon threads of the provider</td></tr>
 * <tr><td>directories as channels</td><td>for reading, so that they can be forced, which does nothing</td></tr>
 * <tr><td>file locks</td><td>exclude each other whatever channel or name they are taken by, and never wait: what
 *     overlaps is in this process, and an {@code OverlappingFileLockException}</td></tr>
 * <tr><td>directory streams</td><td>a name that stays comes once, whatever comes and goes. All are {@link
 *     java.nio.file.SecureDirectoryStream}s: calls on one start from the directory that is open, wherever its name leads by
 *     then. Their views are those of the default provider: {@code basic}, {@code posix}, {@code owner}</td></tr>
 * <tr><td>copies</td><td>keep holes; with {@code COPY_ATTRIBUTES} modes, owners, extended attributes, times of modification and access. The
 *     target appears empty, and fills up in atomic writes</td></tr>
 * <tr><td>moves</td><td>one atomic step, with or without {@code ATOMIC_MOVE}; two where a directory and something else
 *     replace each other; between pools copy, which keeps the time of creation, too, and deletion</td></tr>
 * <tr><td>links</td><td>hard and symbolic ones</td></tr>
 * <tr><td>attribute views</td><td>{@code basic}, {@code posix}, {@code owner}, {@code user} (extended attributes, up to
 *     64 KiB, without a prefix), and by name {@code unix}. Unlike the default provider's on Linux, the time of creation can
 *     be set. A directory's size is the number of its names</td></tr>
 * <tr><td>initial attributes</td><td>{@code posix:permissions}, {@code unix:mode}: the mode from the first moment</td></tr>
 * <tr><td>file store</td><td>true figures: what waits to be freed is freed first</td></tr>
 * <tr><td>watch services</td><td>told by each call that changes something, without polling. Changes past the provider
 *     ({@link org.jnova.nio.NovaFileSystemProvider#store}, mapped memory) are not seen</td></tr>
 * <tr><td>path matchers</td><td>{@code glob}, {@code regex}</td></tr>
 * </table>
 *
 * <p><b>Durability.</b> What a call has changed survives, when it has returned, what {@link
 * org.jnova.StoreInfo#durability()} says, which the attribute {@code jnova:durability} of the {@code FileStore} tells;
 * {@code force} is not needed, but for mapped memory. A write is whole or not there, whatever crash: up to 2<sup>31</sup>
 * bytes in one call of a channel. {@code Files.write} and output streams make a call for each buffer of theirs.
 *
 * <p><b>Threads.</b> All of it may be used by any number of threads. Reads take no locks; writes of one file wait for each
 * other; calls of a channel that use its position wait for each other. Interrupting a thread in a call of a file channel
 * closes the channel, as the JDK's.
 *
 * <p><b>Closing</b> a file system closes its channels, streams and watch services, and waits for calls in other threads.
 */
package org.jnova.nio;
