/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jnova.internal.store.RegionState;

/** What a {@link MappedRegion} has from JDK 22 on. */
abstract class RegionSegments {
    RegionSegments() {}

    abstract RegionState state();

    abstract long address();

    /**
     * Gives the whole region, of any length, to an arena: closing the arena closes the region, and gives its addresses
     * back at once if it has no reachable buffer. Until then the region stays open, also if nothing else refers to it. A
     * segment of a read-only region is read-only. Access fails as by a buffer, and as the arena says.
     *
     * <p>Present from JDK 22 on.
     *
     * @param arena whose lifetime the segment gets
     * @return the segment
     * @throws IllegalStateException if the region was closed before, or the arena is
     * @throws WrongThreadException if the arena is confined to another thread
     */
    @SuppressWarnings("restricted") // address and length are the core's
    public final MemorySegment segment(Arena arena) {
        MappedRegion region = (MappedRegion) this;
        RegionState state = state();
        state.hold();
        boolean good = false;
        try {
            MemorySegment segment = MemorySegment.ofAddress(address())
                    .reinterpret(region.size(), arena, memory -> end(region, state));
            good = true;
            return region.isReadOnly() ? segment.asReadOnly() : segment;
        } finally {
            if (!good) {
                state.dropQuietly();
            }
        }
    }

    private static void end(MappedRegion region, RegionState state) {
        try {
            region.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            state.dropQuietly();
        }
    }
}
