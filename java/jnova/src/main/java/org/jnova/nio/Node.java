/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import org.jnova.AttributeChange;

/** Something that has attributes, found anew for each call. */
interface Node {
    NovaAttributes attributes() throws IOException;

    /** Sets attributes in one step, and tells who watches the directory. */
    void change(AttributeChange change) throws IOException;
}
