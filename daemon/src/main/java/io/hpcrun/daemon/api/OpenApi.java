package io.hpcrun.daemon.api;

import io.hpcrun.script.Version;
import io.hpcrun.spec.ByteString;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The OpenAPI 3.1 document, made from the endpoints and the records that they take and give: what
 * it says cannot differ from what the code does.
 */
public final class OpenApi {
  private static final Map<String, Object> BYTES =
      Map.of("type", "string", "description", "one character, U+0000 to U+00FF, for each byte");
  private static final String PROBLEM = "#/components/schemas/Problem";

  private final Map<String, Object> schemas = new TreeMap<>();

  private OpenApi() {}

  /** The document as JSON. */
  public static byte[] of(List<Endpoint> endpoints) {
    return new OpenApi().document(endpoints);
  }

  private byte[] document(List<Endpoint> endpoints) {
    Map<String, Map<String, Object>> paths = new TreeMap<>();
    endpoints.forEach(
        endpoint ->
            paths
                .computeIfAbsent(endpoint.path(), path -> new TreeMap<>())
                .put(endpoint.method().toLowerCase(java.util.Locale.ROOT), operation(endpoint)));
    schema(Problem.class);
    return Json.MAPPER
        .writerWithDefaultPrettyPrinter()
        .writeValueAsBytes(
            ordered(
                "openapi",
                "3.1.0",
                "info",
                ordered("title", "hpcrund", "version", Version.VERSION),
                "paths",
                paths,
                "components",
                Map.of("schemas", schemas)));
  }

  private Map<String, Object> operation(Endpoint endpoint) {
    List<Object> parameters = new ArrayList<>();
    Endpoint.segments(endpoint.path()).stream()
        .filter(part -> part.startsWith("{"))
        .forEach(
            part ->
                parameters.add(
                    ordered(
                        "name",
                        part.substring(1, part.length() - 1),
                        "in",
                        "path",
                        "required",
                        true,
                        "schema",
                        Map.of("type", "string"))));
    endpoint
        .parameters()
        .forEach(
            each ->
                parameters.add(
                    ordered(
                        "name", each.name(),
                        "in", "query",
                        "description", each.summary(),
                        "schema", Map.of("type", each.type()))));
    Map<String, Object> operation = ordered("summary", endpoint.summary());
    if (!parameters.isEmpty()) {
      operation.put("parameters", parameters);
    }
    endpoint
        .body()
        .ifPresent(
            type ->
                operation.put(
                    "requestBody", ordered("required", true, "content", content(schema(type)))));
    operation.put(
        "responses",
        ordered(
            "200",
            ordered(
                "description",
                "done",
                "content",
                endpoint.answer().map(type -> content(schema(type))).orElse(Map.of())),
            "default",
            ordered(
                "description",
                "a problem (RFC 9457)",
                "content",
                Map.of("application/problem+json", Map.of("schema", Map.of("$ref", PROBLEM))))));
    return operation;
  }

  private static Map<String, Object> content(Object schema) {
    return Map.of("application/json", Map.of("schema", schema));
  }

  private Object schema(Type type) {
    if (type instanceof ParameterizedType generic) {
      Type[] arguments = generic.getActualTypeArguments();
      if (generic.getRawType() == Optional.class) {
        return schema(arguments[0]);
      }
      return generic.getRawType() == Map.class
          ? ordered("type", "object", "additionalProperties", schema(arguments[1]))
          : ordered("type", "array", "items", schema(arguments[0]));
    }
    Class<?> raw = (Class<?>) type;
    if (raw == ScriptText.class) {
      return BYTES;
    }
    if (raw.isRecord()) {
      return reference(raw);
    }
    if (raw.isEnum()) {
      return ordered(
          "type",
          "string",
          "enum",
          Stream.of(raw.getEnumConstants()).map(each -> ((Enum<?>) each).name()).toList());
    }
    if (raw == boolean.class || raw == Boolean.class) {
      return Map.of("type", "boolean");
    }
    if (raw == int.class || raw == long.class || raw == Integer.class || raw == Long.class) {
      return Map.of("type", "integer");
    }
    if (raw == double.class || raw == Double.class) {
      return Map.of("type", "number");
    }
    if (raw == ByteString.class || raw == byte[].class) {
      return BYTES;
    }
    if (raw == Object.class) {
      return Map.of();
    }
    if (raw == String.class || raw == Path.class) {
      return Map.of("type", "string");
    }
    throw new IllegalStateException("no schema for " + raw);
  }

  /** A record's name, with its enclosing class's if two have the same one. */
  private Map<String, Object> reference(Class<?> type) {
    String name =
        type.getEnclosingClass() == null
            ? type.getSimpleName()
            : type.getEnclosingClass().getSimpleName() + type.getSimpleName();
    if (!schemas.containsKey(name)) {
      schemas.put(name, Map.of()); // ends recursion
      Map<String, Object> properties = new TreeMap<>();
      Set<String> required = new TreeSet<>();
      for (RecordComponent component : type.getRecordComponents()) {
        String property =
            component
                .getName()
                .replaceAll("([a-z])([A-Z])", "$1_$2")
                .toLowerCase(java.util.Locale.ROOT);
        properties.put(property, schema(component.getGenericType()));
        if (component.getType() != Optional.class) {
          required.add(property);
        }
      }
      Map<String, Object> schema = ordered("type", "object", "properties", properties);
      if (!required.isEmpty()) {
        schema.put("required", required);
      }
      schemas.put(name, schema);
    }
    return Map.of("$ref", "#/components/schemas/" + name);
  }

  private static Map<String, Object> ordered(Object... namesAndValues) {
    Map<String, Object> map = new java.util.LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      map.put((String) namesAndValues[i], namesAndValues[i + 1]);
    }
    return map;
  }
}
