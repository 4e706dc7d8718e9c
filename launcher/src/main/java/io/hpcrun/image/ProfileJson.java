package io.hpcrun.image;

import io.hpcrun.image.ImageProfile.Family;
import io.hpcrun.image.ImageProfile.Library;
import io.hpcrun.image.ImageProfile.Mpi;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonEncoding;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** A profile as JSON, schema {@code hpcrun.profile/1} (docs/inspect.md). */
public final class ProfileJson {
  /** Made once: it is costly, and meant to be shared. */
  static final JsonFactory FACTORY = new JsonFactory();

  private static final String SCHEMA = "hpcrun.profile/1";

  private ProfileJson() {}

  /** The profile as JSON text in UTF-8, on one line. */
  public static byte[] write(ImageProfile profile) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json =
        FACTORY.createGenerator(ObjectWriteContext.empty(), bytes, JsonEncoding.UTF8)) {
      json.writeStartObject();
      json.writeStringProperty("schema", SCHEMA);
      string(json, "architecture", profile.architecture());
      string(json, "system", profile.system());
      libraries(json, "libc", profile.libc().stream().toList());
      mpi(json, "mpi", profile.mpi());
      libraries(json, "pmi", profile.pmi());
      libraries(json, "network", profile.network());
      libraries(json, "gpu", profile.gpu());
      texts(json, "programs", profile.programs());
      texts(json, "labels", profile.labels());
      json.writeEndObject();
    }
    return bytes.toByteArray();
  }

  static void mpi(JsonGenerator json, String name, List<Mpi> libraries) {
    json.writeArrayPropertyStart(name);
    for (Mpi mpi : libraries) {
      json.writeStartObject();
      json.writeStringProperty("family", mpi.family().label());
      string(json, "version", mpi.version());
      json.writeStringProperty("path", mpi.path());
      json.writeStringProperty("soname", mpi.soname());
      strings(json, "speaks", mpi.speaks());
      json.writeStringProperty("state", mpi.state());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static void libraries(JsonGenerator json, String name, List<Library> libraries) {
    json.writeArrayPropertyStart(name);
    for (Library library : libraries) {
      json.writeStartObject();
      json.writeStringProperty("name", library.name());
      string(json, "version", library.version());
      json.writeStringProperty("path", library.path());
      strings(json, "parts", library.parts());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  static void string(JsonGenerator json, String name, Optional<String> value) {
    value.ifPresent(text -> json.writeStringProperty(name, text));
  }

  private static void texts(JsonGenerator json, String name, Map<String, String> values) {
    json.writeObjectPropertyStart(name);
    values.forEach(json::writeStringProperty);
    json.writeEndObject();
  }

  static void strings(JsonGenerator json, String name, List<String> values) {
    json.writeArrayPropertyStart(name);
    values.forEach(json::writeString);
    json.writeEndArray();
  }

  /**
   * Reads what {@link #write} wrote; empty if it is something else, such as a file that was cut off
   * or that another version wrote.
   */
  static Optional<ImageProfile> read(byte[] text) {
    try (JsonParser json = FACTORY.createParser(ObjectReadContext.empty(), text)) {
      json.nextToken();
      Map<String, Object> profile = object(json);
      if (!SCHEMA.equals(profile.get("schema"))) {
        return Optional.empty();
      }
      return Optional.of(
          new ImageProfile(
              string(profile, "architecture"),
              string(profile, "system"),
              libraries(profile, "libc").stream().findFirst(),
              mpi(profile, "mpi"),
              libraries(profile, "pmi"),
              libraries(profile, "network"),
              libraries(profile, "gpu"),
              texts(profile, "programs"),
              texts(profile, "labels")));
    } catch (JacksonException | ClassCastException | NullPointerException notOurs) {
      return Optional.empty();
    }
  }

  static Map<String, Object> object(JsonParser json) {
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

  static Optional<String> string(Map<String, Object> object, String name) {
    return Optional.ofNullable((String) object.get(name));
  }

  /** A member that is an object of strings. */
  static Map<String, String> texts(Map<String, Object> object, String name) {
    Map<String, String> texts = new TreeMap<>();
    ((Map<?, ?>) object.get(name)).forEach((key, value) -> texts.put((String) key, (String) value));
    return texts;
  }

  static List<String> words(Map<String, Object> object, String name) {
    return ((List<?>) object.get(name)).stream().map(String.class::cast).toList();
  }

  @SuppressWarnings("unchecked") // only object() makes maps
  private static List<Map<String, Object>> objects(Map<String, Object> object, String name) {
    return ((List<?>) object.get(name)).stream().map(each -> (Map<String, Object>) each).toList();
  }

  static List<Mpi> mpi(Map<String, Object> object, String name) {
    return objects(object, name).stream()
        .map(
            each ->
                new Mpi(
                    Family.of((String) each.get("family")),
                    string(each, "version"),
                    (String) each.get("path"),
                    (String) each.get("soname"),
                    words(each, "speaks"),
                    string(each, "state").orElse("")))
        .toList();
  }

  private static List<Library> libraries(Map<String, Object> object, String name) {
    return objects(object, name).stream()
        .map(
            each ->
                new Library(
                    (String) each.get("name"),
                    string(each, "version"),
                    (String) each.get("path"),
                    words(each, "parts")))
        .toList();
  }
}
