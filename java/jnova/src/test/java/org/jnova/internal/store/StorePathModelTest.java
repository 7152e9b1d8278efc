/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.InvalidPathException;
import java.util.Arrays;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.StringLength;

class StorePathModelTest {
    @Property
    void namesComeBack(@ForAll @StringLength(min = 1, max = 80) String text) {
        StorePath path;
        try {
            path = StorePath.of(text);
        } catch (InvalidPathException e) {
            Assume.that(false);
            return;
        }
        assertEquals(
                Arrays.stream(text.split("/")).filter(name -> !name.isEmpty()).toList(),
                path.names().stream().map(Names::decode).toList());
    }
}
