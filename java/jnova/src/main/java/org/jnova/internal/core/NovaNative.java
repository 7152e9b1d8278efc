/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import java.nio.Buffer;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.Name;
import org.bytedeco.javacpp.annotation.NoException;
import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Raw;

/**
 * The functions of {@code nova.h}, one by one; JavaCPP writes the JNI code from these declarations. Addresses and
 * handles are plain {@code long}s, so that a call is one C call without any conversion. Only this package calls them,
 * through {@link NativePool}, {@link NativeInode} and {@link PoolTools}, which know when a handle is valid.
 *
 * <p>Each {@code define} adds what the C interface need not have: the address of a direct buffer, and a direct buffer
 * over given memory. JavaCPP's own conversion of buffers is not used, because it adds the buffer's position, which
 * another thread may have moved since its bounds were checked. {@code env} is the JNI environment in generated code.
 *
 * <p>The library is loaded by {@link NativeMemory}, through which the memory of every call comes.
 */
@Platform(
        cinclude = "nova.h",
        link = "nova",
        library = "jninova",
        define = {
            "nova_jni_address(buffer) env->GetDirectBufferAddress(buffer)",
            "nova_jni_buffer(address, capacity) env->NewDirectByteBuffer(address, capacity)"
        })
@NoException(true)
final class NovaNative {
    private NovaNative() {}

    /** Address of a direct buffer's first byte, whatever its position. */
    @Name("nova_jni_address")
    @Cast("jlong")
    static native long address(@Raw Buffer direct);

    /** A direct buffer over memory that whoever calls keeps valid; null if the JVM has no heap for it. */
    @Name("nova_jni_buffer")
    static native @Raw ByteBuffer buffer(@Cast("void*") long address, @Cast("jlong") long capacity);

    @Cast("jlong")
    static native long nova_abi(@Cast("char*") long buf, @Cast("size_t") long cap);

    // ---- pools

    static native int nova_pool_create(
            @Cast("const char*") long path,
            @Cast("uint64_t") long size,
            @Cast("const nova_pool_options*") long opt,
            @Cast("nova_error*") long err);

    static native int nova_pool_open(
            @Cast("const char*") long path,
            @Cast("const nova_pool_options*") long opt,
            @Cast("nova_pool**") long out,
            @Cast("nova_error*") long err);

    static native int nova_pool_resize(
            @Cast("const char*") long path,
            @Cast("uint64_t") long size,
            @Cast("const nova_pool_options*") long opt,
            @Cast("nova_error*") long err);

    static native int nova_pool_close(@Cast("nova_pool*") long pool, @Cast("nova_error*") long err);

    @Name("nova_pool_info")
    static native int nova_pool_info(@Cast("nova_pool*") long pool, @Cast("struct nova_pool_info*") long info);

    @Name("nova_pool_stats")
    static native int nova_pool_stats(@Cast("nova_pool*") long pool, @Cast("struct nova_pool_stats*") long stats);

    static native int nova_free(
            @Cast("nova_pool*") long pool,
            @Cast("const nova_extent*") long ext,
            @Cast("uint32_t") int n,
            @Cast("nova_error*") long err);

    // ---- inodes

    static native int nova_inode_open(
            @Cast("nova_pool*") long pool,
            @Cast("uint32_t") int ino,
            @Cast("uint32_t") int gen,
            @Cast("nova_inode**") long out,
            @Cast("nova_error*") long err);

    static native int nova_inode_close(@Cast("nova_inode*") long inode, @Cast("nova_error*") long err);

    static native int nova_inode_stat(@Cast("nova_inode*") long inode, @Cast("nova_stat*") long st);

    static native int nova_replay(
            @Cast("nova_inode*") long inode,
            @Cast("nova_record*") long out,
            @Cast("uint32_t") int cap,
            @Cast("nova_io*") long io);

    static native int nova_inode_release(
            @Cast("nova_pool*") long pool,
            @Cast("uint32_t") int ino,
            @Cast("uint32_t") int gen,
            @Cast("nova_error*") long err);

    // ---- file contents

    static native int nova_write(
            @Cast("nova_inode*") long inode,
            @Cast("uint64_t") long off,
            @Cast("const void*") long src,
            @Cast("uint64_t") long len,
            @Cast("uint32_t") int firstBlk,
            @Cast("uint32_t") int lastBlk,
            @Cast("uint32_t") int eofBlk,
            @Cast("nova_io*") long io);

    static native int nova_write_begin_sparse(
            @Cast("nova_inode*") long inode,
            @Cast("uint64_t") long off,
            @Cast("uint64_t") long len,
            @Cast("const nova_run*") long holes,
            @Cast("uint32_t") int n,
            @Cast("uint32_t") int firstBlk,
            @Cast("uint32_t") int lastBlk,
            @Cast("uint32_t") int eofBlk,
            @Cast("nova_io*") long io,
            @Cast("nova_intent**") long out);

    static native int nova_write_fill(
            @Cast("nova_intent*") long intent,
            @Cast("uint64_t") long to,
            @Cast("const void*") long src,
            @Cast("uint64_t") long len,
            @Cast("nova_io*") long io);

    static native int nova_write_commit(@Cast("nova_intent*") long intent, @Cast("nova_io*") long io);

    static native void nova_write_abort(@Cast("nova_intent*") long intent);

    static native int nova_truncate(
            @Cast("nova_inode*") long inode,
            @Cast("uint64_t") long size,
            @Cast("uint32_t") int eofBlk,
            @Cast("nova_io*") long io);

    // ---- ranges of a file

    static native int nova_punch(
            @Cast("nova_inode*") long inode,
            @Cast("uint64_t") long off,
            @Cast("uint64_t") long len,
            @Cast("uint32_t") int firstBlk,
            @Cast("uint32_t") int lastBlk,
            @Cast("uint32_t") int between,
            @Cast("nova_io*") long io);

    static native int nova_collapse(
            @Cast("nova_inode*") long inode,
            @Cast("uint64_t") long off,
            @Cast("uint64_t") long len,
            @Cast("nova_io*") long io);

    static native int nova_insert(
            @Cast("nova_inode*") long inode,
            @Cast("uint64_t") long off,
            @Cast("uint64_t") long len,
            @Cast("nova_io*") long io);

    static native int nova_allocate(
            @Cast("nova_inode*") long inode,
            @Cast("const nova_run*") long runs,
            @Cast("uint32_t") int n,
            @Cast("uint64_t") long size,
            @Cast("uint32_t") int eofBlk,
            @Cast("nova_io*") long io);

    // ---- attributes

    static native int nova_setattr(
            @Cast("nova_inode*") long inode,
            @Cast("uint32_t") int mask,
            @Cast("uint32_t") int mode,
            @Cast("uint32_t") int uid,
            @Cast("uint32_t") int gid,
            @Cast("int64_t") long atime,
            @Cast("int64_t") long mtime,
            @Cast("int64_t") long btime,
            @Cast("nova_io*") long io);

    // ---- extended attributes

    static native int nova_setxattr(
            @Cast("nova_inode*") long inode,
            @Cast("const char*") long name,
            @Cast("uint32_t") int nameLen,
            @Cast("const void*") long value,
            @Cast("uint32_t") int valueLen,
            @Cast("uint32_t") int oldBlk,
            @Cast("uint32_t") int oldIdx,
            @Cast("nova_io*") long io);

    static native int nova_removexattr(
            @Cast("nova_inode*") long inode,
            @Cast("const char*") long name,
            @Cast("uint32_t") int nameLen,
            @Cast("uint32_t") int oldBlk,
            @Cast("uint32_t") int oldIdx,
            @Cast("nova_io*") long io);

    static native int nova_xattr_read(
            @Cast("nova_inode*") long inode,
            @Cast("uint32_t") int logBlk,
            @Cast("uint32_t") int logIdx,
            @Cast("void*") long buf,
            @Cast("uint32_t") int cap,
            @Cast("uint32_t*") long len,
            @Cast("nova_error*") long err);

    // ---- directories

    static native int nova_create(
            @Cast("nova_inode*") long dir,
            @Cast("const char*") long name,
            @Cast("uint32_t") int nameLen,
            @Cast("uint32_t") int type,
            @Cast("uint32_t") int mode,
            @Cast("uint32_t") int uid,
            @Cast("uint32_t") int gid,
            @Cast("const void*") long content,
            @Cast("uint32_t") int contentLen,
            @Cast("nova_io*") long io);

    static native int nova_link(
            @Cast("nova_inode*") long dir,
            @Cast("const char*") long name,
            @Cast("uint32_t") int nameLen,
            @Cast("nova_inode*") long child,
            @Cast("nova_io*") long io);

    static native int nova_unlink(@Cast("const nova_name*") long name);

    static native int nova_rename(@Cast("const nova_name*") long from, @Cast("const nova_name*") long to);

    static native int nova_exchange(@Cast("const nova_name*") long a, @Cast("const nova_name*") long b);

    // ---- cleaning a log

    static native int nova_clean_read(
            @Cast("nova_inode*") long inode,
            @Cast("uint32_t") int logBlk,
            @Cast("uint64_t") long wanted,
            @Cast("uint32_t") int nextBlk,
            @Cast("uint64_t") long nextWanted,
            @Cast("nova_record*") long out,
            @Cast("uint32_t") int cap,
            @Cast("nova_io*") long io);

    static native int nova_clean_append(
            @Cast("nova_inode*") long inode,
            @Cast("const nova_keep*") long keep,
            @Cast("uint32_t") int n,
            @Cast("nova_io*") long io);

    static native int nova_clean_gather(
            @Cast("nova_inode*") long inode,
            @Cast("const nova_keep*") long keep,
            @Cast("uint32_t") int n,
            @Cast("nova_io*") long io);

    static native int nova_clean_cut(
            @Cast("nova_inode*") long inode,
            @Cast("uint32_t") int prevBlk,
            @Cast("uint32_t") int keepBlk,
            @Cast("nova_io*") long io);

    static native int nova_clean_restart(
            @Cast("nova_inode*") long inode,
            @Cast("const nova_keep*") long keep,
            @Cast("uint32_t") int n,
            @Cast("nova_io*") long io);

    // ---- memory mapping

    static native int nova_map(
            @Cast("nova_inode*") long inode,
            @Cast("uint64_t") long off,
            @Cast("uint64_t") long len,
            @Cast("uint32_t") int flags,
            @Cast("uint64_t*") long appended,
            @Cast("nova_region**") long out,
            @Cast("nova_error*") long err);

    static native int nova_force(
            @Cast("nova_region*") long region,
            @Cast("uint64_t") long off,
            @Cast("uint64_t") long len,
            @Cast("nova_error*") long err);

    static native int nova_populate(
            @Cast("nova_region*") long region,
            @Cast("uint64_t") long off,
            @Cast("uint64_t") long len,
            @Cast("uint32_t") int allocate,
            @Cast("nova_error*") long err);

    static native int nova_region_read(
            @Cast("nova_region*") long region,
            @Cast("uint64_t") long off,
            @Cast("void*") long buf,
            @Cast("uint64_t") long len,
            @Cast("nova_error*") long err);

    @Name("nova_region_stat")
    static native int nova_region_stat(
            @Cast("nova_region*") long region, @Cast("struct nova_region_stat*") long stat);

    static native void nova_region_close(@Cast("nova_region*") long region);

    static native void nova_region_free(@Cast("nova_region*") long region);

    static native int nova_pin(
            @Cast("nova_inode*") long inode,
            @Cast("uint64_t") long off,
            @Cast("uint64_t") long len,
            @Cast("uint64_t*") long appended,
            @Cast("nova_pinned**") long out,
            @Cast("uint64_t*") long poolOff,
            @Cast("nova_error*") long err);

    static native int nova_pin_force(
            @Cast("nova_inode*") long inode,
            @Cast("const nova_pinned*") long pinned,
            @Cast("nova_error*") long err);

    static native void nova_unpin(@Cast("nova_pinned*") long pinned);

    static native int nova_set_in_place(@Cast("nova_inode*") long inode, @Cast("uint32_t") int on);

    // ---- offline inspection

    static native int nova_fsck(
            @Cast("const char*") long path,
            @Cast("char*") long report,
            @Cast("size_t") long cap,
            @Cast("size_t*") long needed,
            @Cast("nova_fsck_summary*") long sum,
            @Cast("nova_error*") long err);

    static native int nova_fsck_repair(
            @Cast("const char*") long path,
            @Cast("const nova_pool_options*") long opt,
            @Cast("char*") long report,
            @Cast("size_t") long cap,
            @Cast("size_t*") long needed,
            @Cast("nova_fsck_summary*") long sum,
            @Cast("nova_error*") long err);

    static native int nova_dump(
            @Cast("const char*") long path,
            @Cast("const char*") long what,
            @Cast("char*") long report,
            @Cast("size_t") long cap,
            @Cast("size_t*") long needed,
            @Cast("nova_error*") long err);
}
