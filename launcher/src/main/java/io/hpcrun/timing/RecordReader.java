package io.hpcrun.timing;

import io.hpcrun.failure.Failure;
import io.hpcrun.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;

/** Reads records (docs/records.md) line by line: each line is one flat JSON object. */
public final class RecordReader {
  private final JsonFactory factory;

  private RecordReader(JsonFactory factory) {
    this.factory = factory;
  }

  /** Takes the lines of a record; what it is given is filled again for the next line. */
  public interface Lines {
    /** A launch's or a node's own line. */
    void head(RecordLine line);

    /** Any other line: a rank's. */
    void rank(RankLine rank);
  }

  /** Reads what its reader wrote himself: only the JSON library's own limits hold. */
  public static RecordReader trusting() {
    return new RecordReader(Json.FACTORY);
  }

  /**
   * Reads what anybody may have written.
   *
   * @param text how long a text may be, in characters
   * @param depth how deep objects and arrays may lie in one another
   */
  public static RecordReader limited(int text, int depth) {
    return new RecordReader(
        JsonFactory.builder()
            .streamReadConstraints(
                StreamReadConstraints.builder()
                    .maxStringLength(text)
                    .maxNameLength(text)
                    .maxNumberLength(100)
                    .maxNestingDepth(depth)
                    .build())
            .build());
  }

  /**
   * Hands over every line of a file.
   *
   * @throws Failure with exit code 2 when it cannot be read or is no record
   */
  void read(Path file, Lines lines) {
    if (!Files.isRegularFile(file)) {
      throw unreadable(file, "it is not a regular file");
    }
    try (InputStream in = Files.newInputStream(file)) {
      read(in, lines);
    } catch (AccessDeniedException denied) {
      throw unreadable(file, "permission denied");
    } catch (IOException broken) {
      throw unreadable(file, broken.getMessage());
    }
  }

  /**
   * Hands over every line of a stream, which is left open.
   *
   * @throws IOException when it cannot be read or is no record; the message says what is wrong
   */
  public void read(InputStream in, Lines lines) throws IOException {
    try (JsonParser parser = factory.createParser(ObjectReadContext.empty(), in)) {
      read(parser, lines);
    } catch (JacksonException broken) {
      throw new IOException(broken.getOriginalMessage(), broken);
    }
  }

  /** Hands over every line of a record in memory; otherwise as for a stream. */
  public void read(byte[] record, Lines lines) throws IOException {
    try (JsonParser parser = factory.createParser(ObjectReadContext.empty(), record)) {
      read(parser, lines);
    } catch (JacksonException broken) {
      throw new IOException(broken.getOriginalMessage(), broken);
    }
  }

  private static void read(JsonParser parser, Lines lines) throws IOException {
    RecordLine head = new RecordLine();
    RankLine rank = new RankLine();
    for (JsonToken token; (token = parser.nextToken()) != null; ) {
      if (token != JsonToken.START_OBJECT) {
        throw new IOException("a line is not a JSON object");
      }
      head.clear(parser.currentTokenLocation().getByteOffset());
      rank.clear();
      String type = "";
      for (String name; (name = parser.nextName()) != null; ) {
        switch (parser.nextToken()) {
          case VALUE_NUMBER_INT -> {
            long value = parser.getLongValue();
            if (!rank.put(name, value)) {
              head.put(name, value);
            }
          }
          case VALUE_STRING -> {
            String value = parser.getString();
            if (!rank.put(name, value)) {
              head.put(name, value);
            }
            type = name.equals("type") ? value : type;
          }
          case START_OBJECT, START_ARRAY -> parser.skipChildren();
          default -> {
            // members of other types are none of this schema's
          }
        }
      }
      if (type.equals("launch") || type.equals("node")) {
        head.takeOver(rank, parser.currentLocation().getByteOffset());
        lines.head(head);
      } else {
        lines.rank(rank);
      }
    }
  }

  private static Failure unreadable(Path file, String reason) {
    return Failure.usage(
        "the record " + file + " cannot be read: " + reason,
        "remove the file if it was changed by hand");
  }
}
