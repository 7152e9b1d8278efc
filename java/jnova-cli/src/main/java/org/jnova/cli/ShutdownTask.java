/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

/** Something to be done in the end, and also when the JVM is told to end before (Ctrl-C). It may then be done twice. */
final class ShutdownTask {
    private final Runnable task;
    private final Thread hook;

    ShutdownTask(Runnable task) {
        this.task = task;
        this.hook = new Thread(task, "shutdown");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    void finish() {
        task.run();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The JVM is ending; the hook is running, or has run.
        }
    }
}
