/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.lincheck;

import static org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt.forClasses;

import java.io.IOException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import org.jetbrains.kotlinx.lincheck.Actor;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jnova.TestReport;

/**
 * Scenarios of a few calls by two threads, of which Lincheck goes through many interleavings: the threads take turns, and
 * change before accesses to shared fields and locks of the Java layer. What the calls answer must be what one order of
 * them gives, and no thread may wait for ever. Always the same scenarios and interleavings: nothing in them is random
 * anew.
 */
final class Interleavings {
    private static final String CORE = "org.jnova.internal.core.";

    private final Class<?> test;
    private final Class<?> specification;
    private final int invocations;
    private final ModelCheckingOptions options = new ModelCheckingOptions();
    private List<Actor> before = List.of();
    private int scenarios;

    /**
     * Scenarios of one class.
     *
     * @param test has the calls; a new one for each interleaving
     * @param specification the same calls on something sequential
     * @param invocations interleavings of each scenario
     */
    Interleavings(Class<?> test, Class<?> specification, int invocations) {
        this.test = test;
        this.specification = specification;
        this.invocations = invocations;
    }

    /** A call by the name of a method. */
    Actor call(String name, Object... arguments) {
        Method method = Arrays.stream(test.getMethods())
                .filter(m -> m.getName().equals(name))
                .findFirst()
                .orElseThrow();
        return new Actor(method, List.of(arguments));
    }

    /** What comes first in the scenarios that follow. */
    Interleavings after(Actor... first) {
        before = List.of(first);
        return this;
    }

    /** Adds a scenario: the calls of two threads, one after the other each. */
    Interleavings check(List<Actor> one, List<Actor> other) {
        options.addCustomScenario(new ExecutionScenario(before, List.of(one, other), List.of(), null));
        scenarios++;
        return this;
    }

    /** Goes through all scenarios, and some that Lincheck makes up. */
    void run(int generated) throws IOException {
        options.iterations(generated)
                .invocationsPerIteration(invocations)
                .threads(2)
                .actorsPerThread(2)
                .actorsBefore(1)
                .actorsAfter(0)
                .sequentialSpecification(specification)
                .addGuarantee(forClasses(Interleavings::isOneStep).allMethods().ignore())
                .check(test);
        TestReport.line(
                "%s: %d scenarios with up to %d interleavings each",
                test.getSimpleName(), scenarios + generated, invocations);
    }

    /**
     * Whether a class's methods count as one step each: the core, which has locks of its own; copies from and to the
     * pool; what only one thread knows.
     */
    private static boolean isOneStep(String name) {
        return name.startsWith(CORE) && !name.startsWith(CORE + "LogFollower")
                || name.startsWith("java.nio.") && !name.startsWith("java.nio.file.")
                || name.equals("org.jnova.internal.lock.LockRank")
                || name.equals("org.jnova.internal.store.StorePath")
                || name.equals(FreshStore.class.getName());
    }
}
