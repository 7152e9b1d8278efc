/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.nio.file.CopyOption;

/** What an extended attribute must be before it is set. Without either it may be there or not. */
public enum AttributeOption implements CopyOption {
    /** It must not be there. */
    CREATE,
    /** It must be there. */
    REPLACE
}
