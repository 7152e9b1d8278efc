/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import java.nio.ByteBuffer;

/**
 * A {@code nova_error}: what a call of the core says went wrong.
 *
 * @param status one of the status codes of {@link Abi}
 * @param osErrno errno of the system call that failed, or 0
 * @param poolOffset byte offset of the damaged structure, or {@link Abi#NO_OFF}
 * @param message one sentence; may be empty
 */
public record NativeFailure(int status, int osErrno, long poolOffset, String message) {
    static NativeFailure read(int status, ByteBuffer bytes, int offset) {
        if (bytes.getInt(offset + Abi.ERROR_CODE) != status) {
            return new NativeFailure(status, 0, Abi.NO_OFF, "");
        }
        return new NativeFailure(
                status,
                bytes.getInt(offset + Abi.ERROR_OS_ERRNO),
                bytes.getLong(offset + Abi.ERROR_POOL_OFF),
                NativeMemory.text(bytes, offset + Abi.ERROR_MSG, Abi.ERROR_SIZE - Abi.ERROR_MSG));
    }
}
