package io.hpcrun.json;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonEncoding;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** Reads and writes small JSON objects. */
public final class Json {
  /** Made once: it is costly, and meant to be shared. */
  public static final JsonFactory FACTORY = new JsonFactory();

  private Json() {}

  /** An object's members; empty if the text is no object. */
  public static Optional<Map<String, Object>> read(byte[] text) {
    try (JsonParser json = FACTORY.createParser(ObjectReadContext.empty(), text)) {
      return json.nextToken() == JsonToken.START_OBJECT
          ? Optional.of(object(json))
          : Optional.empty();
    } catch (JacksonException noJson) {
      return Optional.empty();
    }
  }

  /** An object as text in UTF-8, in one line. */
  public static byte[] write(Consumer<JsonGenerator> members) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json =
        FACTORY.createGenerator(ObjectWriteContext.empty(), bytes, JsonEncoding.UTF8)) {
      json.writeStartObject();
      members.accept(json);
      json.writeEndObject();
    }
    return bytes.toByteArray();
  }

  /** Writes an array of objects as a member. */
  public static <T> void objects(
      JsonGenerator json, String name, Iterable<T> values, Consumer<T> members) {
    json.writeArrayPropertyStart(name);
    for (T value : values) {
      json.writeStartObject();
      members.accept(value);
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  /** Writes an object of strings as a member. */
  public static void texts(JsonGenerator json, String name, Map<String, String> values) {
    json.writeObjectPropertyStart(name);
    values.forEach(json::writeStringProperty);
    json.writeEndObject();
  }

  /** Writes an array of strings as a member. */
  public static void strings(JsonGenerator json, String name, List<String> values) {
    json.writeArrayPropertyStart(name);
    values.forEach(json::writeString);
    json.writeEndArray();
  }

  /** Writes a string as a member, if there is one. */
  public static void string(JsonGenerator json, String name, Optional<String> value) {
    value.ifPresent(text -> json.writeStringProperty(name, text));
  }

  /**
   * The rest of an object that has begun: members by their names, which are strings (numbers and
   * booleans as they are written), lists and maps.
   */
  public static Map<String, Object> object(JsonParser json) {
    Map<String, Object> members = new TreeMap<>();
    while (json.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = json.currentName();
      json.nextToken();
      members.put(name, value(json));
    }
    return members;
  }

  private static Object value(JsonParser json) {
    if (json.currentToken() == JsonToken.START_OBJECT) {
      return object(json);
    }
    if (json.currentToken() == JsonToken.START_ARRAY) {
      List<Object> elements = new ArrayList<>();
      while (json.nextToken() != JsonToken.END_ARRAY) {
        elements.add(value(json));
      }
      return elements;
    }
    return json.getString();
  }

  /** A member that is a string; empty if it is absent. */
  public static Optional<String> string(Map<String, Object> object, String name) {
    return Optional.ofNullable((String) object.get(name));
  }

  /** A member that is an object of strings. */
  public static Map<String, String> texts(Map<String, Object> object, String name) {
    Map<String, String> texts = new TreeMap<>();
    ((Map<?, ?>) object.get(name)).forEach((key, value) -> texts.put((String) key, (String) value));
    return texts;
  }

  /** A member that is an array of strings. */
  public static List<String> words(Map<String, Object> object, String name) {
    return ((List<?>) object.get(name)).stream().map(String.class::cast).toList();
  }

  /** A member that is an array of objects. */
  @SuppressWarnings("unchecked") // only object() makes maps
  public static List<Map<String, Object>> objects(Map<String, Object> object, String name) {
    return ((List<?>) object.get(name)).stream().map(each -> (Map<String, Object>) each).toList();
  }
}
