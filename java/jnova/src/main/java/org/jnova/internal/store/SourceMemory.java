/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import org.jnova.internal.core.NativeMemory;
import org.jnova.internal.core.NativeRegion;

/**
 * Decides whether native code may read a caller's buffer directly, and finds its address. What the JVM guards when
 * Java code touches it, native code would crash on: a buffer over a memory segment whose arena another thread closes,
 * a mapped file that another process cuts short, a region of a store that is closed. Such memory is copied into
 * staging memory first, by Java, where it fails as it does anywhere in Java; or, if it is a region's, by the core.
 *
 * <p>Memory is known to be good if its scope is of the kind that {@link ByteBuffer#allocateDirect} gives, and it is
 * not mapped. That can be asked from JDK 22 on. Before, a mapped buffer is known by its {@code force}, see {@link
 * #isMapped}; memory of arenas, which are preview or incubating features there, is not recognised: that an arena
 * stays open during the call is up to the caller; that it is open when the call begins is asked by an access. Buffers of a region look like memory of {@code allocateDirect}; they
 * are known by their address, which is the region's as long as one of them is reachable.
 *
 * <p>Both answers hold as long as the buffer object lives; they are remembered for the buffers that were used last, in
 * a small table by identity. Its entries are weak: it keeps no buffer's memory alive.
 */
final class SourceMemory {
    private SourceMemory() {}

    /** MemorySegment.ofBuffer, scope and isMapped, with erased types; null before JDK 22. */
    private static final MethodHandle OF_BUFFER;

    private static final MethodHandle SCOPE;
    private static final MethodHandle IS_MAPPED;
    private static final Class<?> PLAIN_SCOPE;

    static {
        MethodHandle ofBuffer = null;
        MethodHandle scope = null;
        MethodHandle isMapped = null;
        Class<?> plain = null;
        if (Runtime.version().feature() >= 22) {
            try {
                Class<?> segment = Class.forName("java.lang.foreign.MemorySegment");
                Class<?> scopeType = Class.forName("java.lang.foreign.MemorySegment$Scope");
                MethodHandles.Lookup lookup = MethodHandles.publicLookup();
                ofBuffer = lookup.findStatic(segment, "ofBuffer", MethodType.methodType(segment, Buffer.class))
                        .asType(MethodType.methodType(Object.class, ByteBuffer.class));
                scope = lookup.findVirtual(segment, "scope", MethodType.methodType(scopeType))
                        .asType(MethodType.methodType(Object.class, Object.class));
                isMapped = lookup.findVirtual(segment, "isMapped", MethodType.methodType(boolean.class))
                        .asType(MethodType.methodType(boolean.class, Object.class));
                Object sample = ofBuffer.invoke(ByteBuffer.allocateDirect(1));
                plain = scope.invoke(sample).getClass();
            } catch (Throwable e) {
                throw new ExceptionInInitializerError(e);
            }
        }
        OF_BUFFER = ofBuffer;
        SCOPE = scope;
        IS_MAPPED = isMapped;
        PLAIN_SCOPE = plain;
    }

    /**
     * Known buffers, by identity hash. Races are harmless: entries are immutable, and name the buffer that they are
     * about.
     */
    private static final Known[] KNOWN = new Known[256];

    /** Hashes of buffers that were seen once. */
    private static final int[] SEEN = new int[KNOWN.length];

    private static final class Known extends WeakReference<ByteBuffer> {
        final long address;

        Known(ByteBuffer buffer, long address) {
            super(buffer);
            this.address = address;
        }
    }

    /**
     * Address of a buffer's first byte, whatever its position. The caller keeps the buffer reachable as long as it
     * uses it.
     *
     * @param at index of a byte that will be read
     * @return the address, or 0 if native code must not read the buffer
     * @throws IllegalStateException if the buffer is of an arena that has been closed
     */
    static long address(ByteBuffer buffer, int at) {
        if (!buffer.isDirect()) {
            return 0;
        }
        int slot = System.identityHashCode(buffer) & (KNOWN.length - 1);
        Known known = KNOWN[slot];
        if (known == null || !known.refersTo(buffer)) {
            long first = isPlain(buffer) ? NativeMemory.addressOf(buffer) : 0;
            known = new Known(buffer, RegionState.at(first) == null ? first : 0);
            KNOWN[slot] = known;
        }
        return accessible(buffer, at, known.address);
    }

    private static long accessible(ByteBuffer buffer, int at, long address) {
        if (address != 0) {
            buffer.get(at);
        }
        return address;
    }

    /**
     * The same of a few bytes, which are copied in less time than it takes to find out: 0, too, for a buffer that is not
     * known, unless it comes back.
     */
    static long addressIfKnown(ByteBuffer buffer, int at) {
        if (!buffer.isDirect()) {
            return 0;
        }
        int hash = System.identityHashCode(buffer);
        int slot = hash & (KNOWN.length - 1);
        Known known = KNOWN[slot];
        if (known != null && known.refersTo(buffer)) {
            return accessible(buffer, at, known.address);
        }
        if (SEEN[slot] == hash) {
            return address(buffer, at);
        }
        SEEN[slot] = hash;
        return 0;
    }

    /**
     * Copies bytes of a buffer, whatever its position. Those of a region by native code, which knows where they are: an
     * access by Java that meets a SIGBUS goes on, and its error may reach the thread after what it copied has been
     * committed.
     *
     * @throws InternalError if they cannot be loaded
     */
    static void copy(ByteBuffer src, int from, NativeMemory to, int at, int len) {
        NativeRegion region = RegionState.of(src);
        if (region == null) {
            to.bytes().put(at, src, from, len);
            return;
        }
        try {
            if (!region.read(NativeMemory.addressOf(src) - region.address() + from, to, at, len)) {
                throw new InternalError("bytes of a mapped region that is closed, or beyond the end of its file");
            }
        } finally {
            Reference.reachabilityFence(src);
        }
    }

    /** Whether a buffer's memory is direct and stays valid as long as the buffer is reachable. */
    static boolean isPlain(ByteBuffer buffer) {
        if (!buffer.isDirect()) {
            return false;
        }
        if (PLAIN_SCOPE == null) {
            return !isMapped(buffer);
        }
        try {
            Object segment = (Object) OF_BUFFER.invokeExact(buffer);
            Object scope = (Object) SCOPE.invokeExact(segment);
            return scope.getClass() == PLAIN_SCOPE && !(boolean) IS_MAPPED.invokeExact(segment);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Whether a direct buffer, its slices and duplicates included, is over a mapped file. Every direct buffer is of
     * class MappedByteBuffer; but {@code force} does nothing at all for one that was not mapped, and checks its
     * arguments for one that was. These fail the check, so that nothing is forced in any case.
     */
    static boolean isMapped(ByteBuffer direct) {
        try {
            ((MappedByteBuffer) direct).force(-1, 1);
            return false;
        } catch (IndexOutOfBoundsException e) {
            return true;
        }
    }
}
