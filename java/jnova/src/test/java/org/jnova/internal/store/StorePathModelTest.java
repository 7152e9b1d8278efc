/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.InvalidPathException;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.StringLength;

class NamesModelTest {
    @Property
    void whatIsANameComesBack(@ForAll @StringLength(min = 1, max = 80) String name) {
        byte[] bytes;
        try {
            bytes = Names.encode(name);
        } catch (InvalidPathException e) {
            Assume.that(false);
            return;
        }
        assertEquals(name, Names.decode(bytes));
    }
}
