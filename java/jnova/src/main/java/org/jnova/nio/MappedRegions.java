/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import org.jnova.MappedRegion;

/** The writable regions that a channel has mapped, so that its {@code force} makes durable what was stored to them. */
final class MappedRegions {
    private final List<WeakReference<MappedRegion>> regions = new ArrayList<>(); // guarded by this

    synchronized void add(MappedRegion region) {
        regions.removeIf(other -> other.refersTo(null));
        regions.add(new WeakReference<>(region));
    }

    void force() throws IOException {
        List<WeakReference<MappedRegion>> all;
        synchronized (this) {
            all = List.copyOf(regions);
        }
        for (WeakReference<MappedRegion> reference : all) {
            MappedRegion region = reference.get();
            if (region != null && region.isOpen()) {
                try {
                    region.force();
                } catch (ClosedChannelException e) {
                    // closed meanwhile: its stores are whoever closed it's
                }
            }
        }
    }
}
