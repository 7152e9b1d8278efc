/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.nio.file.CopyOption;
import java.nio.file.LinkOption;
import java.util.Objects;
import org.jnova.AttributeOption;
import org.jnova.internal.core.Abi;
import org.jnova.internal.store.ExtendedAttributes.Before;

/**
 * An extended attribute to be set, all arguments checked.
 *
 * @param name bytes of its name
 * @param value its value, a copy
 * @param before what it must be before
 * @param follow whether a symbolic link at the end of the path is followed
 */
public record AttributeOptions(byte[] name, byte[] value, Before before, boolean follow) {
    /**
     * Checks the arguments of a call.
     *
     * @throws IllegalArgumentException if the name is none, the value too long, or the options exclude each other
     * @throws UnsupportedOperationException if there is another option
     */
    public static AttributeOptions of(String name, byte[] value, CopyOption... options) {
        if (value.length > Abi.XATTR_MAX) {
            throw new IllegalArgumentException(
                    "the value of an attribute has at most " + Abi.XATTR_MAX + " bytes, not " + value.length);
        }
        Before before = Before.ANY;
        boolean follow = true;
        for (CopyOption option : options) {
            if (option == LinkOption.NOFOLLOW_LINKS) {
                follow = false;
            } else if (option instanceof AttributeOption) {
                Before wanted = option == AttributeOption.CREATE ? Before.MISSING : Before.THERE;
                if (before != Before.ANY && before != wanted) {
                    throw new IllegalArgumentException("CREATE and REPLACE exclude each other");
                }
                before = wanted;
            } else {
                throw new UnsupportedOperationException("attribute option " + Objects.requireNonNull(option, "option"));
            }
        }
        return new AttributeOptions(Names.attribute(name), value.clone(), before, follow);
    }
}
