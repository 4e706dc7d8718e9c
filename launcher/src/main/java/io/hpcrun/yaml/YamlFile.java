package io.hpcrun.yaml;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.DocumentStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.MappingEndEvent;
import org.snakeyaml.engine.v2.events.MappingStartEvent;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.events.SequenceEndEvent;
import org.snakeyaml.engine.v2.events.SequenceStartEvent;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/**
 * Reads YAML 1.2 (yaml.org/spec/1.2.2): one document, without tags, anchors and aliases, which
 * could make a small file large, and with each key once.
 */
public final class YamlFile {
  /** Bytes that a file may have. */
  private static final long LARGEST = 1 << 20;

  private static final int DEEPEST = 30;

  private final String name;
  private final Iterator<Event> events;

  private YamlFile(String name, Iterator<Event> events) {
    this.name = name;
    this.events = events;
  }

  /**
   * Reads a file; an empty one is an empty map.
   *
   * @param path the file
   * @throws Failure with exit code 2 that names file, line and column
   */
  public static YamlValue read(Path path) {
    try {
      if (Files.isDirectory(path)) {
        throw Failure.usage(path + " is a directory", "name a YAML file");
      }
      byte[] bytes;
      try (java.io.InputStream in = Files.newInputStream(path)) {
        bytes = in.readNBytes((int) LARGEST + 1);
      }
      if (bytes.length > LARGEST) {
        throw Failure.usage(path + " is larger than 1 MiB", "name a YAML file of people's size");
      }
      return parse(path.toString(), bytes);
    } catch (NoSuchFileException missing) {
      throw Failure.usage("there is no file " + path, "check the name");
    } catch (AccessDeniedException denied) {
      throw Failure.usage(path + " cannot be read: permission denied", "check its permissions");
    } catch (IOException unreadable) {
      throw Failure.usage(path + " cannot be read: " + unreadable.getMessage(), "check the file");
    }
  }

  /**
   * Reads a text.
   *
   * @param name what messages call it
   * @param bytes UTF-8
   */
  public static YamlValue parse(String name, byte[] bytes) {
    String text = text(name, bytes);
    refuseControls(name, text);
    LoadSettings settings = LoadSettings.builder().setLabel(name).setUseMarks(true).build();
    try {
      return new YamlFile(name, new Parse(settings).parseString(text).iterator()).document();
    } catch (MarkedYamlEngineException wrong) {
      throw place(name, wrong.getProblemMark())
          .wrong(
              "this is not YAML: " + wrong.getProblem().lines().findFirst().orElse(""),
              text.contains("${")
                  ? "look at indentation, quotes and colons there; between [ ] and { }, ${NAME}"
                      + " needs quotes: '${NAME}'"
                  : "look at indentation, quotes and colons there; texts with ': ' or '#' need quotes");
    } catch (YamlEngineException wrong) {
      throw Failure.usage(
          name
              + ": this is not YAML: "
              + String.valueOf(wrong.getMessage()).lines().findFirst().orElse(""),
          "write it as YAML, without control characters");
    }
  }

  private static String text(String name, byte[] bytes) {
    CharBuffer text = CharBuffer.allocate(bytes.length);
    boolean wrong =
        StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes), text, true).isError();
    String read = text.flip().toString();
    if (wrong) {
      throw new Place(
              name,
              1 + (int) read.chars().filter(c -> c == '\n').count(),
              read.length() - read.lastIndexOf('\n'))
          .wrong("a byte stands here that is not UTF-8", "write the file in UTF-8");
    }
    return read;
  }

  /** YAML 1.2, production c-printable: the parser takes some that are not. */
  private static void refuseControls(String name, String text) {
    int line = 1;
    int column = 1;
    for (int i = 0; i < text.length(); i++, column++) {
      char c = text.charAt(i);
      if (c == '\n') {
        line++;
        column = 0;
      } else if (Character.isISOControl(c) && c != '\t' && c != '\r' && c != 0x85) {
        throw new Place(name, line, column)
            .wrong("a control character, U+%04X, stands here".formatted((int) c), "leave it out");
      }
    }
  }

  private YamlValue document() {
    events.next(); // the stream begins
    Event first = events.next();
    if (!(first instanceof DocumentStartEvent)) {
      return new YamlMap(new Place(name, 1, 1), Map.of());
    }
    YamlValue value = value(events.next(), 0);
    events.next(); // the document ends
    Event after = events.next();
    if (after instanceof DocumentStartEvent) {
      throw place(after).wrong("a second document begins here", "write one document in a file");
    }
    boolean empty = value instanceof YamlValue.Scalar scalar && scalar.isNull();
    return empty ? new YamlMap(value.place(), Map.of()) : value;
  }

  private YamlValue value(Event event, int depth) {
    Place place = place(event);
    if (depth > DEEPEST) {
      throw place.wrong("this is nested more than " + DEEPEST + " deep", "write it flatter");
    }
    if (event instanceof AliasEvent
        || (event instanceof NodeEvent node && node.getAnchor().isPresent())) {
      throw place.wrong(
          "anchors (&) and aliases (*) are not read", "write the value out, or in quotes");
    }
    if (event instanceof ScalarEvent scalar) {
      refuseTag(place, scalar.getTag());
      return new YamlValue.Scalar(
          place, scalar.getValue(), scalar.getScalarStyle() == ScalarStyle.PLAIN);
    }
    if (event instanceof SequenceStartEvent sequence) {
      refuseTag(place, sequence.getTag());
      List<YamlValue> values = new ArrayList<>();
      for (Event next = events.next(); !(next instanceof SequenceEndEvent); next = events.next()) {
        values.add(value(next, depth + 1));
      }
      return new YamlValue.Sequence(place, values);
    }
    if (event instanceof MappingStartEvent mapping) {
      refuseTag(place, mapping.getTag());
      return map(place, depth);
    }
    throw place.wrong("this is not expected here", "write a map, a list or a text");
  }

  private YamlMap map(Place place, int depth) {
    Map<String, YamlMap.Entry> entries = new LinkedHashMap<>();
    for (Event next = events.next(); !(next instanceof MappingEndEvent); next = events.next()) {
      YamlValue key = value(next, depth + 1);
      if (!(key instanceof YamlValue.Scalar scalar) || scalar.written().isEmpty()) {
        throw key.place().wrong("this cannot be a key", "write a name, a colon and a value");
      }
      YamlMap.Entry entry =
          new YamlMap.Entry(scalar.written(), scalar.place(), value(events.next(), depth + 1));
      YamlMap.Entry before = entries.put(scalar.written(), entry);
      if (before != null) {
        throw entry
            .place()
            .wrong(
                "the key '%s' is here twice, first in line %d"
                    .formatted(scalar.written(), before.place().line()),
                "write it once");
      }
    }
    return new YamlMap(place, entries);
  }

  private static void refuseTag(Place place, Optional<String> tag) {
    if (tag.isPresent()) {
      throw place.wrong(
          "tags such as " + tag.get() + " are not read",
          "leave it out, or write the value in quotes");
    }
  }

  private Place place(Event event) {
    return place(name, event.getStartMark());
  }

  private static Place place(String name, Optional<Mark> mark) {
    return mark.map(at -> new Place(name, at.getLine() + 1, at.getColumn() + 1))
        .orElse(new Place(name, 1, 1));
  }
}
