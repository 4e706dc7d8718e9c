package io.hpcrun.jobfile;

import io.hpcrun.yaml.Names;
import io.hpcrun.yaml.Place;
import io.hpcrun.yaml.YamlMap;
import io.hpcrun.yaml.YamlValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Puts the values of parameters into the blanks, {@code ${NAME}}, of what a file says. A value is
 * data: it becomes part of the one text in which the blank stands, whatever it holds; blanks in
 * values are not looked for. {@code $${} stands for {@code ${} itself. A blank that is a whole text
 * may be a number, or, in a list, several texts.
 */
final class Blanks {
  /** sbatch takes no larger script, so nothing larger is of use. */
  private static final int LARGEST = 4 << 20;

  private static final Pattern BLANK = Pattern.compile("\\$\\$\\{|\\$\\{([A-Za-z0-9_.-]*)(}?)");

  /** Unicode's noncharacters, which are free for a program's own use and in no text. */
  private static final Pattern NONCHARACTER = Pattern.compile("[\\uFDD0-\\uFDEF]");

  private final Map<String, Parameter.Value> values;
  private int filled;

  /**
   * @param values what stands in the blanks, by the parameters' names
   */
  Blanks(Map<String, Parameter.Value> values) {
    this.values = values;
  }

  /** Whether a text holds what marks the values of a sweep. */
  static boolean hasNoncharacter(String text) {
    return NONCHARACTER.matcher(text).find();
  }

  /** The value with its blanks filled. */
  YamlValue fill(YamlValue value) {
    return switch (value) {
      case YamlMap map -> {
        Map<String, YamlMap.Entry> entries = new LinkedHashMap<>();
        map.entries()
            .forEach(
                (key, entry) ->
                    entries.put(key, new YamlMap.Entry(key, entry.place(), fill(entry.value()))));
        yield new YamlMap(map.place(), entries);
      }
      case YamlValue.Sequence sequence -> {
        List<YamlValue> all = new ArrayList<>();
        for (YamlValue each : sequence.values()) {
          if (each instanceof YamlValue.Scalar scalar) {
            all.addAll(texts(scalar));
          } else {
            all.add(fill(each));
          }
        }
        yield new YamlValue.Sequence(sequence.place(), all);
      }
      case YamlValue.Scalar scalar -> {
        List<YamlValue> all = texts(scalar);
        yield all.size() == 1 ? all.getFirst() : new YamlValue.Sequence(scalar.place(), all);
      }
    };
  }

  private List<YamlValue> texts(YamlValue.Scalar scalar) {
    String text = scalar.written();
    if (hasNoncharacter(text)) {
      throw scalar.place().wrong("the text holds a character that Unicode has not", "leave it out");
    }
    if (!text.contains("${")) {
      return List.of(scalar);
    }
    Matcher blank = BLANK.matcher(text);
    if (blank.matches() && blank.group(1) != null) {
      Parameter.Value value = value(blank, scalar.place());
      return value.words().stream()
          .map(word -> scalar(scalar.place(), word, scalar.plain() && value.plain()))
          .toList();
    }
    blank.reset();
    StringBuilder whole = new StringBuilder();
    int from = 0;
    while (blank.find()) {
      whole.append(text, from, blank.start());
      whole.append(blank.group(1) == null ? "${" : one(blank, scalar.place()));
      from = blank.end();
    }
    return List.of(scalar(scalar.place(), whole.append(text.substring(from)).toString(), false));
  }

  private String one(Matcher blank, Place place) {
    Parameter.Value value = value(blank, place);
    if (value.words().size() != 1) {
      throw place.wrong(
          "the parameter %s is a list of %d texts, and stands within one text"
              .formatted(blank.group(1), value.words().size()),
          "let ${%s} be a text by itself, in a list".formatted(blank.group(1)));
    }
    return value.words().getFirst();
  }

  private YamlValue scalar(Place place, String text, boolean plain) {
    filled += text.length();
    if (filled > LARGEST) {
      throw place.wrong(
          "with its values the file is larger than what sbatch takes (4 MiB)",
          "pass what is large in files");
    }
    return new YamlValue.Scalar(place, text, plain);
  }

  private Parameter.Value value(Matcher blank, Place place) {
    String name = blank.group(1);
    if (name.isEmpty() || blank.group(2).isEmpty()) {
      throw place.wrong(
          "'%s' does not name a parameter".formatted(blank.group()),
          "write ${NAME}, or $${ for the characters ${ themselves");
    }
    Parameter.Value value = values.get(name);
    if (value == null) {
      throw place.wrong(
          "there is no parameter '%s'".formatted(name),
          Names.nearest(name, values.keySet())
              .map(nearest -> "write ${" + nearest + "}")
              .orElse(
                  "declare it under 'parameters', or write $${"
                      + name
                      + "} for these characters themselves"));
    }
    return value;
  }
}
