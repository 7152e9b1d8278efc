/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.nio.channels.FileChannel;
import org.jnova.MappedRegion;
import org.jnova.NovaFile;

/** What a {@link NovaFileChannel} has from JDK 22 on: mapping into an arena. Nothing before. */
abstract class MappingChannel extends FileChannel {
    MappingChannel() {}

    /** The file, if it may be mapped like this. */
    abstract NovaFile mappable(MapMode mode) throws IOException;

    /** Maps bytes of the file, one at least. */
    abstract MappedRegion region(MapMode mode, long position, long size) throws IOException;
}
