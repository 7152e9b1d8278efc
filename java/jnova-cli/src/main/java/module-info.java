/* SPDX-License-Identifier: Apache-2.0 */
/** The {@code jnova} command line. */
module org.jnova.cli {
    requires info.picocli;
    requires org.jnova;

    opens org.jnova.cli to
            info.picocli;
}
