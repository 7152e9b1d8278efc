/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

/** How {@link NovaFile#map} maps. */
public enum MapOption {
    /**
     * All pages of the region below the end of the file get blocks at once, and no later store waits for one. As long
     * as the region is open, calls that write to the file write in place, see {@link NovaFile#setInPlace}.
     */
    EAGER
}
