/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

/** A command cannot do what it was asked to. The message names the thing and, where there is one, the remedy. */
final class CommandFailure extends Exception {
    private static final long serialVersionUID = 1L;

    CommandFailure(String message) {
        super(message);
    }

    CommandFailure(String message, Throwable cause) {
        super(message, cause);
    }
}
