/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.nio.channels.FileChannel;
import org.jnova.MappedRegion;
import org.jnova.NovaFile;

/** What a {@link NovaFileChannel} has from JDK 22 on: mapping into an arena. Nothing before. */
abstract class MappingChannel extends FileChannel {
    MappingChannel() {}

    /** Makes a call that maps, if the channel may; another thread may cut it short, as any. */
    abstract <T> T mapping(MapMode mode, NovaFileChannel.Call<T> call) throws IOException;

    abstract NovaFile file();

    /** Maps bytes of the file, one at least: within {@link #mapping}. */
    abstract MappedRegion region(MapMode mode, long position, long size) throws IOException;
}
