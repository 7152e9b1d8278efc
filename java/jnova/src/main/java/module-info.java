/* SPDX-License-Identifier: Apache-2.0 */
/**
 * JNova, a log-structured file store on persistent memory.
 *
 * <p>From JDK 24 on, the module wants native access: {@code --enable-native-access=org.jnova}.
 */
module org.jnova {
    requires jdk.jfr;
    requires jdk.nio.mapmode;
    requires static java.management; // only if a store is to be an MBean
    requires static org.bytedeco.javacpp; // its annotations, from which the build makes the JNI library

    exports org.jnova;
    exports org.jnova.nio;

    provides java.nio.file.spi.FileSystemProvider with
            org.jnova.nio.NovaFileSystemProvider;
}
