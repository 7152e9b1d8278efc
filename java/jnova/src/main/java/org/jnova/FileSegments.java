/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

/**
 * What a {@link NovaFile} has from JDK 22 on: nothing here; the class of this name in {@code src/main/java22} takes the
 * place of this one there.
 */
abstract class FileSegments {
    FileSegments() {}
}
