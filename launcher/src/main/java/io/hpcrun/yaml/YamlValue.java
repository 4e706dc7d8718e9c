package io.hpcrun.yaml;

import java.util.List;
import java.util.function.Function;

/**
 * A value of a YAML file: a map, a list or a scalar. It is read as what the reader of the file
 * wants there; what else stands there is a mistake with its place.
 */
public sealed interface YamlValue permits YamlMap, YamlValue.Sequence, YamlValue.Scalar {
  /** Where it begins. */
  Place place();

  /** What it is, for messages: {@code a map}, {@code a list}, {@code the text 'x'}. */
  String described();

  /**
   * A list.
   *
   * @param place where it begins
   * @param values its values
   */
  record Sequence(Place place, List<YamlValue> values) implements YamlValue {
    /** Copies the list. */
    public Sequence {
      values = List.copyOf(values);
    }

    @Override
    public String described() {
      return "a list";
    }
  }

  /**
   * A text, number, truth value or nothing.
   *
   * @param place where it begins
   * @param written as it is written, without quotes
   * @param plain whether it has no quotes, so that it may be a number or a truth value
   */
  record Scalar(Place place, String written, boolean plain) implements YamlValue {
    /** Whether nothing stands there (YAML 1.2, core schema: null). */
    boolean isNull() {
      return plain && written.matches("|~|null|Null|NULL");
    }

    @Override
    public String described() {
      String shown = written.length() > 60 ? written.substring(0, 60) + "..." : written;
      return isNull() ? "nothing" : "'" + shown.replaceAll("\\p{Cntrl}", "?") + "'";
    }
  }

  /** As a map. */
  default YamlMap map() {
    if (this instanceof YamlMap map) {
      return map;
    }
    throw mustBe("a map: lines 'key: value', indented");
  }

  /** As a list. */
  default List<YamlValue> list() {
    if (this instanceof Sequence sequence) {
      return sequence.values();
    }
    throw mustBe("a list: [a, b], or lines that begin with '- '");
  }

  /** As a list; a single value is a list of one. */
  default List<YamlValue> listOrOne() {
    return this instanceof Sequence sequence ? sequence.values() : List.of(this);
  }

  /** As a text that is not empty; numbers and truth values are texts, too, as they are written. */
  default String text() {
    String text = textOrEmpty();
    if (text.isEmpty()) {
      throw place().wrong("the text is empty", "write one, or leave the key out");
    }
    return text;
  }

  /** As a text. */
  default String textOrEmpty() {
    if (!(this instanceof Scalar scalar) || scalar.isNull()) {
      throw mustBe("a text");
    }
    if (scalar.written().indexOf('\0') >= 0) {
      throw place().wrong("the text holds a NUL character", "leave it out");
    }
    if (scalar.written().codePoints().anyMatch(c -> Character.getType(c) == Character.SURROGATE)) {
      throw place().wrong("the text holds half a character (a surrogate)", "leave it out");
    }
    return scalar.written();
  }

  /** As {@code true} or {@code false}. */
  default boolean truth() {
    if (this instanceof Scalar scalar && scalar.plain()) {
      if (scalar.written().matches("true|True|TRUE")) {
        return true;
      }
      if (scalar.written().matches("false|False|FALSE")) {
        return false;
      }
    }
    throw mustBe("true or false");
  }

  /** As a whole number within limits. */
  default long integer(long least, long most) {
    if (this instanceof Scalar scalar
        && scalar.plain()
        && scalar.written().matches("[+-]?[0-9]{1,18}")) {
      long number = Long.parseLong(scalar.written());
      if (number >= least && number <= most) {
        return number;
      }
    }
    throw mustBe("a whole number from %d to %d".formatted(least, most));
  }

  /** As one of the labels of these values. */
  default <T> T oneOf(List<T> values, Function<T, String> label) {
    String text = text();
    for (T value : values) {
      if (label.apply(value).equals(text)) {
        return value;
      }
    }
    throw Names.unknown(
        place(), "there is no value '%s' here", text, values.stream().map(label).toList());
  }

  /** The mistake that something else belongs here. */
  default RuntimeException mustBe(String wanted) {
    return place().wrong(described() + " stands where " + wanted + " belongs", "write " + wanted);
  }
}
