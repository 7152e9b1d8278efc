/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.util.List;
import java.util.concurrent.Callable;
import org.jnova.CorruptPoolException;
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

    /** Something to do with one of several paths. */
    @FunctionalInterface
    interface PathAction {
        void run(String path) throws IOException;
    }

    /** Does something with each path; what fails is a problem, and the others are done. Damage ends the command. */
    void each(List<String> paths, PathAction action) throws IOException {
        for (String path : paths) {
            try {
                action.run(path);
            } catch (CorruptPoolException e) {
                throw e;
            } catch (FileSystemException | InvalidPathException e) {
                problem(e);
            }
        }
    }

    int problems() {
        return problems;
    }

    /** The exit code: whether any problem was reported. */
    int result() {
        return problems == 0 ? Main.OK : Main.FAILED;
    }
}
