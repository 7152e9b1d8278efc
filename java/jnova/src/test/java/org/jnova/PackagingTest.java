/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleDescriptor.Requires;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the jar says about itself: its module, and what an ahead-of-time compiler is told. */
class PackagingTest {
    private static final String METADATA = "/META-INF/native-image/org.jnova/jnova/reachability-metadata.json";

    private static Path classes() throws Exception {
        return Path.of(NovaStore.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    }

    private static ModuleDescriptor module() throws Exception {
        try (InputStream in = Files.newInputStream(classes().resolve("module-info.class"))) {
            return ModuleDescriptor.read(in);
        }
    }

    // ---- metadata for GraalVM

    private static JsonNode metadata() throws Exception {
        try (InputStream in = NovaStore.class.getResourceAsStream(METADATA)) {
            return new ObjectMapper().readTree(in);
        }
    }

    @Test
    void everyClassInTheMetadataIsThere() throws Exception {
        int types = 0;
        for (JsonNode entry : metadata().withArray("reflection")) {
            String name = entry.get("type").textValue();
            if (entry.has("condition")) {
                assertNotNull(type(entry.get("condition").get("typeReached").textValue()));
            }
            if (name.startsWith("java.lang.foreign.") && Runtime.version().feature() < 22) {
                continue;
            }
            Class<?> type = type(name);
            for (JsonNode field : entry.withArray("fields")) {
                assertNotNull(type.getDeclaredField(field.get("name").textValue()));
            }
            for (JsonNode method : entry.withArray("methods")) {
                JsonNode parameters = method.withArray("parameterTypes");
                Class<?>[] signature = new Class<?>[parameters.size()];
                for (int i = 0; i < signature.length; i++) {
                    signature[i] = type(parameters.get(i).textValue());
                }
                assertNotNull(type.getDeclaredMethod(method.get("name").textValue(), signature));
            }
            types++;
        }
        assertTrue(types >= 2, "some were looked at");
    }

    private static Class<?> type(String name) throws ClassNotFoundException {
        return Class.forName(name, false, PackagingTest.class.getClassLoader());
    }

    @Test
    void everyResourceInTheMetadataIsThereAndTheLibraryIsAmongThem() throws Exception {
        Set<String> named = new TreeSet<>();
        for (JsonNode entry : metadata().withArray("resources")) {
            String name = entry.get("glob").textValue();
            assertFalse(name.contains("*"), name);
            assertNotNull(NovaStore.class.getResource("/" + name), name);
            named.add(name);
        }
        try (Stream<Path> files = Files.list(classes().resolve("META-INF/native/linux-x86_64"))) {
            assertEquals(
                    files.map(file -> "META-INF/native/linux-x86_64/" + file.getFileName())
                            .collect(Collectors.toCollection(TreeSet::new)),
                    named);
        }
    }

    // ---- the module

    @Test
    void theModuleExportsItsPublicPackagesAndNoOthers() throws Exception {
        assertEquals(
                Set.of("org.jnova", "org.jnova.nio"),
                module().exports().stream().map(ModuleDescriptor.Exports::source).collect(Collectors.toSet()));
        assertTrue(module().exports().stream().noneMatch(ModuleDescriptor.Exports::isQualified));
        List<String> onTheClassPath =
                Files.readAllLines(classes().resolve("META-INF/services/java.nio.file.spi.FileSystemProvider"));
        assertEquals(
                onTheClassPath,
                module().provides().stream()
                        .flatMap(provided -> provided.providers().stream())
                        .toList());
    }

    /** It requires the modules that its classes use; statically, what it can do without. */
    @Test
    void theModuleRequiresWhatItUses() throws Exception {
        StringWriter out = new StringWriter();
        PrintWriter writer = new PrintWriter(out);
        int status = ToolProvider.findFirst("jdeps")
                .orElseThrow()
                .run(writer, writer, "--multi-release", "base", "--ignore-missing-deps", "-summary", classes().toString());
        assertEquals(0, status, out.toString());
        Set<String> used = Arrays.stream(out.toString().split("\\s+"))
                .filter(word -> word.startsWith("java.") || word.startsWith("jdk."))
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> required = new TreeSet<>();
        Set<String> optional = new TreeSet<>();
        for (Requires requires : module().requires()) {
            (requires.modifiers().contains(Requires.Modifier.STATIC) ? optional : required).add(requires.name());
        }
        assertEquals(Set.of("java.management", "org.bytedeco.javacpp"), optional);
        assertEquals(used, required);
    }

    /** It prints nothing, and logs, if ever, by {@code System.Logger}: no other system of logging is among its modules. */
    @Test
    void noClassUsesTheConsole() throws Exception {
        try (Stream<Path> files = Files.walk(classes().resolve("org"))) {
            for (Path file : files.filter(path -> path.toString().endsWith(".class")).toList()) {
                String constants = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
                assertFalse(constants.contains("java/io/PrintStream"), file.toString());
                assertFalse(constants.contains("java/util/logging"), file.toString());
            }
        }
    }
}
