/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

/**
 * What a {@link MappedRegion} has from JDK 22 on: nothing here; the class of this name in {@code src/main/java22} takes
 * the place of this one there.
 */
abstract class RegionSegments {
    RegionSegments() {}
}
