/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class JsonTest {
    private static final ObjectMapper PARSER = new ObjectMapper();

    @Test
    void writesEveryKindOfValue() throws JsonProcessingException {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("null", null);
        map.put("true", true);
        map.put("int", 1);
        map.put("long", Long.MIN_VALUE);
        map.put("list", List.of(List.of(), Map.of(), "x"));
        JsonNode parsed = PARSER.readTree(Json.of(map));
        List<String> keys = new ArrayList<>();
        parsed.fieldNames().forEachRemaining(keys::add);
        assertEquals(List.copyOf(map.keySet()), keys);
        assertEquals(Long.MIN_VALUE, parsed.get("long").longValue());
        assertEquals("x", parsed.get("list").get(2).textValue());
    }

    @Test
    void refusesOtherValues() {
        assertThrows(IllegalArgumentException.class, () -> Json.of(1.5));
    }

    @Property
    void everyStringComesBack(@ForAll("anyChars") String text) throws JsonProcessingException {
        assertEquals(text, PARSER.readTree(Json.of(text)).textValue());
        assertEquals(
                text, PARSER.readTree(Json.of(Map.of(text, 1))).fieldNames().next());
    }

    /** Also control characters and halves of surrogate pairs. */
    @Provide
    Arbitrary<String> anyChars() {
        return Arbitraries.strings().all().ofMaxLength(30);
    }
}
