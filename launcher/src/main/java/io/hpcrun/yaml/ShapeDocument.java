package io.hpcrun.yaml;

import io.hpcrun.json.Json;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.core.JsonGenerator;

/** Writes shapes as a reference page and as JSON Schema (2020-12). */
public final class ShapeDocument {
  private final JsonGenerator json;

  private ShapeDocument(JsonGenerator json) {
    this.json = json;
  }

  /**
   * The reference: a table row for each key, nested keys with their path.
   *
   * @param shape a file's shape
   */
  public static String markdown(Shape shape) {
    StringBuilder page = new StringBuilder("| key | value | meaning |\n|---|---|---|\n");
    rows(page, "", shape);
    return page.toString();
  }

  private static void rows(StringBuilder page, String prefix, Shape shape) {
    if (shape instanceof Shape.Keys keys) {
      Set<String> groups = new LinkedHashSet<>();
      for (Shape.Key key : keys.keys()) {
        if (key.shape() instanceof Shape.Checked checked && !checked.group().isEmpty()) {
          groups.add(checked.group());
          continue;
        }
        String path = prefix + key.name();
        page.append("| `").append(path).append("` | ").append(cell(key.shape().described()));
        page.append(" | ").append(cell(key.description()));
        key.byDefault().ifPresent(value -> page.append("; default: ").append(cell(value)));
        page.append(key.required() ? "; must be there" : "").append(" |\n");
        rows(page, path + ".", key.shape());
      }
      groups.forEach(group -> page.append("| `%s…` | | %s |\n".formatted(prefix, cell(group))));
    } else if (shape instanceof Shape.Named named) {
      rows(page, prefix + "*NAME*.", named.shape());
    } else if (shape instanceof Shape.ListOf list) {
      rows(page, prefix + "-.", list.shape());
    }
  }

  private static String cell(String text) {
    return text.replace("|", "\\|").replace("\n", " ");
  }

  /**
   * The JSON Schema of a file, for editors.
   *
   * @param id what the schema is called
   * @param title one line
   */
  public static String jsonSchema(String id, String title, Shape shape) {
    byte[] document =
        Json.write(
            json -> {
              json.writeStringProperty("$schema", "https://json-schema.org/draft/2020-12/schema");
              json.writeStringProperty("$id", id);
              json.writeStringProperty("title", title);
              new ShapeDocument(json).members(shape);
            });
    return new String(document, java.nio.charset.StandardCharsets.UTF_8);
  }

  private void members(Shape shape) {
    switch (shape) {
      case Shape.Keys keys -> keys(keys);
      case Shape.Named named -> {
        json.writeStringProperty("type", "object");
        json.writeObjectPropertyStart("propertyNames");
        json.writeStringProperty("pattern", "^(?:" + named.name().pattern() + ")$");
        json.writeEndObject();
        object("additionalProperties", named.shape());
      }
      case Shape.ListOf list -> {
        if (list.orOne()) {
          json.writeArrayPropertyStart("anyOf");
          json.writeStartObject();
          members(list.shape());
          json.writeEndObject();
          json.writeStartObject();
        }
        json.writeStringProperty("type", "array");
        object("items", list.shape());
        if (list.orOne()) {
          json.writeEndObject();
          json.writeEndArray();
        }
      }
      case Shape.Text text -> types(List.of("string", "number", "boolean"));
      case Shape.Truth truth -> json.writeStringProperty("type", "boolean");
      case Shape.Count count -> {
        json.writeStringProperty("type", "integer");
        json.writeNumberProperty("minimum", count.least());
        json.writeNumberProperty("maximum", count.most());
      }
      case Shape.Word word -> Json.strings(json, "enum", word.words());
      case Shape.Size size -> {
        json.writeStringProperty("type", "string");
        json.writeStringProperty("pattern", Shape.Size.form());
      }
      case Shape.Time time -> {
        json.writeStringProperty("type", "string");
        json.writeStringProperty("pattern", Shape.Time.form());
      }
      case Shape.Checked checked -> types(List.of(checked.form().split("\\|")));
    }
  }

  private void keys(Shape.Keys keys) {
    json.writeStringProperty("type", "object");
    json.writeBooleanProperty("additionalProperties", false);
    Json.strings(
        json,
        "required",
        keys.keys().stream().filter(Shape.Key::required).map(Shape.Key::name).toList());
    json.writeObjectPropertyStart("properties");
    for (Shape.Key key : keys.keys()) {
      json.writeObjectPropertyStart(key.name());
      json.writeStringProperty("description", key.description());
      members(key.shape());
      json.writeEndObject();
    }
    json.writeEndObject();
  }

  private void types(List<String> types) {
    if (types.size() == 1) {
      json.writeStringProperty("type", types.getFirst());
    } else {
      Json.strings(json, "type", types);
    }
  }

  private void object(String name, Shape shape) {
    json.writeObjectPropertyStart(name);
    members(shape);
    json.writeEndObject();
  }
}
