package io.hpcrun.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import tools.jackson.databind.JsonNode;

/** Holds a value against the part of JSON Schema that the OpenAPI document uses. */
final class SchemaCheck {
  private SchemaCheck() {}

  static void check(String where, JsonNode document, JsonNode schema, JsonNode value) {
    if (schema.has("$ref")) {
      String name = schema.path("$ref").asString().replaceFirst(".*/", "");
      JsonNode named = document.path("components").path("schemas").path(name);
      assertThat(named.isMissingNode()).as("%s: schema %s", where, name).isFalse();
      check(where, document, named, value);
      return;
    }
    switch (schema.path("type").asString("")) {
      case "object" -> object(where, document, schema, value);
      case "array" -> {
        assertThat(value.isArray()).as(where).isTrue();
        value.forEach(each -> check(where + "[]", document, schema.path("items"), each));
      }
      case "string" -> assertThat(value.isString()).as(where).isTrue();
      case "integer" -> assertThat(value.isIntegralNumber()).as(where).isTrue();
      case "number" -> assertThat(value.isNumber()).as(where).isTrue();
      case "boolean" -> assertThat(value.isBoolean()).as(where).isTrue();
      default -> assertThat(schema.isEmpty()).as("%s: %s", where, schema).isTrue();
    }
  }

  private static void object(String where, JsonNode document, JsonNode schema, JsonNode value) {
    assertThat(value.isObject()).as(where).isTrue();
    schema
        .path("required")
        .forEach(name -> assertThat(value.has(name.asString())).as(where + "." + name).isTrue());
    value
        .propertyStream()
        .forEach(
            member -> {
              JsonNode of = schema.path("properties").path(member.getKey());
              JsonNode any = schema.path("additionalProperties");
              assertThat(of.isMissingNode() && any.isMissingNode())
                  .as("%s has %s, which is not in the document", where, member.getKey())
                  .isFalse();
              check(
                  where + "." + member.getKey(),
                  document,
                  of.isMissingNode() ? any : of,
                  member.getValue());
            });
  }
}
