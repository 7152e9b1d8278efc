/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.PrintStream;
import java.util.concurrent.Callable;
import picocli.CommandLine.ParentCommand;

/**
 * What all commands share: where they print, and how they report what they could not do while they go on with the rest.
 */
abstract class StoreCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    private int problems;

    Streams streams() {
        return main.streams();
    }

    PrintStream out() {
        return main.streams().out();
    }

    /** Reports something that could not be done. The command goes on and ends with exit code 1. */
    void problem(String text) {
        problems++;
        streams().out().flush();
        streams().err().println("jnova: " + text);
    }

    void problem(Throwable failure) {
        problem(ErrorText.of(failure));
    }

    int problems() {
        return problems;
    }

    /** The exit code: whether any problem was reported. */
    int result() {
        return problems == 0 ? Main.OK : Main.FAILED;
    }
}
