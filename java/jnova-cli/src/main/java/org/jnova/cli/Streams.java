/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where a command reads from and prints to; tests put their own in. Text is UTF-8 whatever the locale, because names in
 * a store are.
 *
 * @param in standard input
 * @param out results
 * @param err errors and progress
 * @param interactive whether {@code err} is a terminal, on which a progress line can be drawn over itself
 */
record Streams(InputStream in, PrintStream out, PrintStream err, boolean interactive) {

    static final String OUT_FAILED = "standard output: its reader is gone, or its disk is full";

    private static final int OUT_BUFFER_LEN = 1 << 16;

    static Streams ofProcess() {
        OutputStream out = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), OUT_BUFFER_LEN);
        return new Streams(
                System.in,
                new PrintStream(out, false, StandardCharsets.UTF_8),
                new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8),
                errIsTerminal());
    }

    /** Standard output for the bytes of files. Fails as soon as the reader is gone or the disk is full. */
    WritableByteChannel outChannel() {
        return Channels.newChannel(new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                write(new byte[] {(byte) b}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                out.write(bytes, offset, length);
                if (out.checkError()) {
                    throw new IOException(OUT_FAILED);
                }
            }
        });
    }

    /** Java cannot tell of standard error alone whether it is a terminal; the kernel can. */
    private static boolean errIsTerminal() {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        } catch (IOException e) {
            return false;
        }
    }
}
