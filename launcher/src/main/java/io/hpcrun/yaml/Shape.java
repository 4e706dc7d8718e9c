package io.hpcrun.yaml;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What may stand somewhere in a YAML file, declared once: files are checked by it, and the
 * reference page and the JSON Schema are written from it.
 */
public sealed interface Shape {
  /** Refuses a value that has another shape, with its place. */
  void check(YamlValue value);

  /** What it is, in a few words: {@code text}, {@code size such as 20G}. */
  String described();

  /**
   * A key of a map.
   *
   * @param name the key
   * @param shape what its value may be
   * @param description one sentence or more for the reference page
   * @param byDefault what is so without it, for the reference page
   * @param required whether it must be there
   */
  record Key(
      String name, Shape shape, String description, Optional<String> byDefault, boolean required) {}

  /** A key that may be left out. */
  static Key key(String name, Shape shape, String description) {
    return new Key(name, shape, description, Optional.empty(), false);
  }

  /** A key that may be left out, and what is so then. */
  static Key key(String name, Shape shape, String description, String byDefault) {
    return new Key(name, shape, description, Optional.of(byDefault), false);
  }

  /** A key that must be there. */
  static Key required(String name, Shape shape, String description) {
    return new Key(name, shape, description, Optional.empty(), true);
  }

  /**
   * A map with these keys.
   *
   * @param keys the keys, in the order of the reference page
   */
  record Keys(List<Key> keys) implements Shape {
    /** Copies the list. */
    public Keys {
      keys = List.copyOf(keys);
    }

    @Override
    public void check(YamlValue value) {
      YamlMap map = value.map().allow(names());
      for (Key key : keys) {
        if (key.required()) {
          map.get(key.name(), key.description());
        }
        map.find(key.name()).ifPresent(key.shape()::check);
      }
    }

    /** The keys' names. */
    public List<String> names() {
      return keys.stream().map(Key::name).toList();
    }

    @Override
    public String described() {
      return "map";
    }
  }

  /** A map with these keys. */
  static Keys keys(Key... keys) {
    return new Keys(List.of(keys));
  }

  /** A map with keys of two kinds, such as options and what is particular to a file. */
  static Keys keys(List<Key> some, Key... others) {
    List<Key> all = new ArrayList<>(Arrays.asList(others));
    all.addAll(some);
    return new Keys(all);
  }

  /**
   * A map whose keys are names that the file's author chooses.
   *
   * @param what what the names name
   * @param name what a name may be
   * @param shape what stands behind each
   */
  record Named(String what, Pattern name, Shape shape) implements Shape {
    @Override
    public void check(YamlValue value) {
      for (YamlMap.Entry entry : value.map().entries().values()) {
        if (!name.matcher(entry.key()).matches()) {
          throw entry
              .place()
              .wrong(
                  "'%s' cannot name %s".formatted(entry.key().replaceAll("\\p{Cntrl}", "?"), what),
                  "write a name that matches " + name);
        }
        shape.check(entry.value());
      }
    }

    @Override
    public String described() {
      return "map from " + what + " to " + shape.described();
    }
  }

  /**
   * A list.
   *
   * @param shape what each of its values may be
   * @param orOne whether a single value may stand for a list of one
   */
  record ListOf(Shape shape, boolean orOne) implements Shape {
    @Override
    public void check(YamlValue value) {
      (orOne ? value.listOrOne() : value.list()).forEach(shape::check);
    }

    @Override
    public String described() {
      return (orOne ? "one or a list: " : "list: ") + shape.described();
    }
  }

  /** A list. */
  static Shape listOf(Shape shape) {
    return new ListOf(shape, false);
  }

  /** A list, or one value. */
  static Shape oneOrMore(Shape shape) {
    return new ListOf(shape, true);
  }

  /**
   * A text of a form.
   *
   * @param pattern what it matches as a whole
   * @param described what a right one looks like
   */
  record Text(Pattern pattern, String described) implements Shape {
    @Override
    public void check(YamlValue value) {
      if (!pattern.matcher(value.text()).matches()) {
        throw value.mustBe(described);
      }
    }
  }

  /** One line of text. */
  static Shape text() {
    return new Text(Pattern.compile("[^\\p{Cntrl}]+"), "one line of text");
  }

  /** Text of one line or more. */
  static Shape prose() {
    return new Text(Pattern.compile("(?s)[^\\p{Cntrl}\\n\\t]*+([\\n\\t]|[^\\p{Cntrl}])*+"), "text");
  }

  /** A text of a form. */
  static Shape text(String pattern, String described) {
    return new Text(Pattern.compile(pattern), described);
  }

  /** A path from / on. */
  static Shape path() {
    return new Text(Pattern.compile("/[^\\p{Cntrl}]*"), "an absolute path such as /opt/site");
  }

  /** {@code true} or {@code false}. */
  record Truth() implements Shape {
    @Override
    public void check(YamlValue value) {
      value.truth();
    }

    @Override
    public String described() {
      return "true or false";
    }
  }

  /** {@code true} or {@code false}. */
  static Shape truth() {
    return new Truth();
  }

  /**
   * A whole number.
   *
   * @param least the least that may stand here
   * @param most the most
   */
  record Count(long least, long most) implements Shape {
    @Override
    public void check(YamlValue value) {
      value.integer(least, most);
    }

    @Override
    public String described() {
      return "whole number from " + least + (most == Long.MAX_VALUE ? " on" : " to " + most);
    }
  }

  /** A whole number. */
  static Shape count(long least, long most) {
    return new Count(least, most);
  }

  /**
   * One of a few words.
   *
   * @param words the words
   */
  record Word(List<String> words) implements Shape {
    @Override
    public void check(YamlValue value) {
      value.oneOf(words, word -> word);
    }

    @Override
    public String described() {
      return String.join(", ", words);
    }
  }

  /** One of a few words. */
  static Shape word(String... words) {
    return new Word(List.of(words));
  }

  /** An amount of memory or storage, with its unit. */
  record Size() implements Shape {
    private static final Pattern FORM =
        Pattern.compile("([0-9]{1,9}(?:\\.[0-9]{1,3})?) ?([KMGTP])(i?B)?");

    @Override
    public void check(YamlValue value) {
      bytes(value);
    }

    static String form() {
      return "^(?:" + FORM.pattern() + ")$";
    }

    /** The bytes; units are powers of 1024, as Slurm's are. */
    public static long bytes(YamlValue value) {
      Matcher form = FORM.matcher(value.text());
      if (!form.matches()) {
        throw value.mustBe("a size with its unit, such as 500M, 20G or 1.5T,");
      }
      int shift = 10 * (1 + "KMGTP".indexOf(form.group(2).charAt(0)));
      return new BigDecimal(form.group(1)).multiply(BigDecimal.valueOf(1L << shift)).longValue();
    }

    @Override
    public String described() {
      return "size such as 500M, 20G or 1T";
    }
  }

  /** An amount of memory or storage, with its unit. */
  static Shape size() {
    return new Size();
  }

  /** A length of time, with its unit. */
  record Time() implements Shape {
    private static final Pattern FORM = Pattern.compile("([0-9]{1,6}) ?(ms|s|min|h|d)");

    @Override
    public void check(YamlValue value) {
      duration(value);
    }

    static String form() {
      return "^(?:" + FORM.pattern() + ")$";
    }

    /** The length of time. */
    public static java.time.Duration duration(YamlValue value) {
      Matcher form = FORM.matcher(value.text());
      if (!form.matches()) {
        throw value.mustBe("a time with its unit, such as 180ms, 30s, 5min, 2h or 400d,");
      }
      long number = Long.parseLong(form.group(1));
      return switch (form.group(2)) {
        case "ms" -> java.time.Duration.ofMillis(number);
        case "s" -> java.time.Duration.ofSeconds(number);
        case "min" -> java.time.Duration.ofMinutes(number);
        case "h" -> java.time.Duration.ofHours(number);
        default -> java.time.Duration.ofDays(number);
      };
    }

    @Override
    public String described() {
      return "time such as 180ms, 30s, 5min, 2h or 400d";
    }
  }

  /** A length of time, with its unit. */
  static Shape time() {
    return new Time();
  }

  /**
   * What another part of the program checks.
   *
   * @param described what a right value looks like
   * @param form its JSON Schema type: {@code string}, {@code array}, ... ; several with {@code |}
   * @param group what it is one of many of, which the reference page names once; empty: it is
   *     listed by itself
   * @param checker refuses other values
   */
  record Checked(
      String described, String form, String group, java.util.function.Consumer<YamlValue> checker)
      implements Shape {
    @Override
    public void check(YamlValue value) {
      checker.accept(value);
    }
  }
}
