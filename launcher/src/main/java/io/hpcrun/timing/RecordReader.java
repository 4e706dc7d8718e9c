package io.hpcrun.timing;

import io.hpcrun.failure.Failure;
import io.hpcrun.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;

/** Reads record files line by line: each line is one flat JSON object. */
final class RecordReader {
  private RecordReader() {}

  /**
   * Hands every object of a file to the consumer; the same object is filled again for the next
   * line.
   */
  static void read(Path file, Consumer<Line> consumer) {
    if (!Files.isRegularFile(file)) {
      throw unreadable(file, "it is not a regular file");
    }
    try (InputStream in = Files.newInputStream(file);
        JsonParser parser = Json.FACTORY.createParser(ObjectReadContext.empty(), in)) {
      Line line = new Line();
      for (JsonToken token; (token = parser.nextToken()) != null; ) {
        if (token != JsonToken.START_OBJECT) {
          throw new IOException("a line is not a JSON object");
        }
        line.clear();
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
          readMember(parser, line);
        }
        consumer.accept(line);
      }
    } catch (JacksonException broken) {
      throw unreadable(file, broken.getOriginalMessage());
    } catch (AccessDeniedException denied) {
      throw unreadable(file, "permission denied");
    } catch (IOException broken) {
      throw unreadable(file, broken.getMessage());
    }
  }

  private static void readMember(JsonParser parser, Line line) {
    String name = parser.currentName();
    switch (parser.nextToken()) {
      case VALUE_NUMBER_INT -> line.numbers.put(name, parser.getLongValue());
      case VALUE_STRING -> line.texts.put(name, parser.getString());
      case START_OBJECT, START_ARRAY -> parser.skipChildren();
      default -> {
        // members of other types are none of this schema's
      }
    }
  }

  private static Failure unreadable(Path file, String reason) {
    return Failure.usage(
        "the record " + file + " cannot be read: " + reason,
        "remove the file if it was changed by hand");
  }

  /** One object: its numbers and its texts. */
  static final class Line {
    private final Map<String, Long> numbers = new HashMap<>();
    private final Map<String, String> texts = new HashMap<>();

    private void clear() {
      numbers.clear();
      texts.clear();
    }

    /** The number of this name, or null if it was not measured. */
    Long number(String name) {
      return numbers.get(name);
    }

    /** The text of this name, or the empty text. */
    String text(String name) {
      return texts.getOrDefault(name, "");
    }

    Map<String, Long> numbers() {
      return Map.copyOf(numbers);
    }

    Map<String, String> texts() {
      return Map.copyOf(texts);
    }
  }
}
