/* SPDX-License-Identifier: Apache-2.0 */
/** The {@code jnova} command line. */
module org.jnova.cli {
    requires info.picocli;
    requires java.management;
    requires java.management.rmi; // what top connects by
    requires jdk.attach;
    requires org.jnova;

    opens org.jnova.cli to
            info.picocli;
}
