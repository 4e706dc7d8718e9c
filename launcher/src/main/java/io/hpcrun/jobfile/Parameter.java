package io.hpcrun.jobfile;

import io.hpcrun.failure.Failure;
import io.hpcrun.yaml.Names;
import io.hpcrun.yaml.Place;
import io.hpcrun.yaml.YamlMap;
import io.hpcrun.yaml.YamlValue;
import java.math.BigDecimal;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;

/**
 * A parameter that a job file or template declares.
 *
 * @param name what {@code --set} and blanks call it
 * @param type what its value is like
 * @param help for people; may be empty
 * @param byDefault its value where nobody gives one; empty: it must be given
 * @param example a right value, for people and for checks
 * @param choices the only right values; empty: any of its type
 * @param min the least value, as it is written
 * @param max the greatest value, as it is written
 * @param place where it is declared
 */
public record Parameter(
    String name,
    ParameterType type,
    String help,
    Optional<List<String>> byDefault,
    Optional<List<String>> example,
    List<String> choices,
    Optional<String> min,
    Optional<String> max,
    Place place) {

  /** Copies the list. */
  public Parameter {
    choices = List.copyOf(choices);
  }

  /**
   * What stands in a blank.
   *
   * @param words one text; any number of a list
   * @param plain whether it is a number or a truth value
   */
  public record Value(List<String> words, boolean plain) {
    /** Copies the list. */
    public Value {
      words = List.copyOf(words);
    }
  }

  /**
   * Reads a declaration.
   *
   * @throws Failure with exit code 2 for what is wrong in it, such as a default beyond the limits
   */
  static Parameter read(String name, YamlMap declared) {
    ParameterType type =
        declared
            .find("type")
            .map(value -> value.oneOf(List.of(ParameterType.values()), ParameterType::label))
            .orElse(ParameterType.TEXT);
    Parameter parameter =
        new Parameter(
            name,
            type,
            declared.find("help").map(YamlValue::text).orElse(""),
            declared.find("default").map(value -> texts(value, type)),
            declared.find("example").map(value -> texts(value, type)),
            declared.find("choices").map(YamlValue::list).orElse(List.of()).stream()
                .map(YamlValue::textOrEmpty)
                .toList(),
            limit(declared, "min", type),
            limit(declared, "max", type),
            declared.place());
    parameter.checkLimits(declared);
    declared
        .find("choices")
        .map(YamlValue::list)
        .orElse(List.of())
        .forEach(choice -> parameter.value(List.of(choice.textOrEmpty()), choice.place()::wrong));
    for (String key : List.of("default", "example")) {
      declared
          .find(key)
          .ifPresent(value -> parameter.value(texts(value, type), value.place()::wrong));
    }
    return parameter;
  }

  private static Optional<String> limit(YamlMap declared, String key, ParameterType type) {
    return declared
        .find(key)
        .map(
            value -> {
              if (type == ParameterType.BOOLEAN || !type.limits().matches(value.text())) {
                throw type == ParameterType.BOOLEAN
                    ? value.place().wrong("a boolean has no limits", "leave '" + key + "' out")
                    : value.mustBe(type.limits().described());
              }
              return value.text();
            });
  }

  private void checkLimits(YamlMap declared) {
    if (min.isPresent()
        && max.isPresent()
        && measured(min.get()).compareTo(measured(max.get())) > 0) {
      throw declared
          .get("min", "")
          .place()
          .wrong("min is greater than max, " + max.get(), "exchange them");
    }
  }

  /** The texts of a value: several of a list, else one. */
  static List<String> texts(YamlValue value, ParameterType type) {
    return type == ParameterType.LIST
        ? value.listOrOne().stream().map(YamlValue::textOrEmpty).toList()
        : List.of(value.textOrEmpty());
  }

  /**
   * A value of it.
   *
   * @param words the texts that were given for it
   * @param wrong makes a failure of what was found and what to do
   * @throws Failure for a value that is not of its type, not one of its choices, or beyond its
   *     limits
   */
  public Value value(List<String> words, BiFunction<String, String, Failure> wrong) {
    for (String word : words) {
      if (Blanks.hasNoncharacter(word)) {
        throw wrong.apply(
            "the parameter %s holds a character that Unicode has not".formatted(name),
            "leave it out");
      }
      if (!type.matches(word)) {
        throw wrong.apply(
            "'%s' is not %s, which the parameter %s takes"
                .formatted(shown(word), type.described(), name),
            "write " + type.described() + meaning());
      }
      if (!choices.isEmpty() && !choices.contains(word)) {
        throw wrong.apply(
            "'%s' is none of the choices of the parameter %s".formatted(shown(word), name),
            Names.remedy(word, choices));
      }
    }
    checkLimits(words, wrong);
    return new Value(words, type.plain());
  }

  private void checkLimits(List<String> words, BiFunction<String, String, Failure> wrong) {
    Optional<BigDecimal> measure =
        type == ParameterType.LIST
            ? Optional.of(BigDecimal.valueOf(words.size()))
            : type.measure(words.getFirst());
    String what =
        switch (type) {
          case LIST -> "the number of texts";
          case TEXT, WORD, PATH -> "the number of characters";
          default -> "'" + shown(words.getFirst()) + "'";
        };
    if (min.isPresent()
        && measure.isPresent()
        && measure.get().compareTo(measured(min.get())) < 0) {
      throw wrong.apply(
          "%s is below the least of the parameter %s, %s".formatted(what, name, min.get()),
          "write " + min.get() + " or more" + meaning());
    }
    if (max.isPresent()
        && measure.isPresent()
        && measure.get().compareTo(measured(max.get())) > 0) {
      throw wrong.apply(
          "%s is beyond the greatest of the parameter %s, %s".formatted(what, name, max.get()),
          "write " + max.get() + " or less" + meaning());
    }
  }

  private BigDecimal measured(String limit) {
    return type.limits().measure(limit).orElseThrow();
  }

  private String meaning() {
    return help.isEmpty() ? "" : "; it is " + help.lines().findFirst().orElse("");
  }

  /** The value where nobody gives one, or one to check with. */
  Value sample() {
    List<String> words =
        byDefault
            .or(() -> example)
            .or(() -> choices.stream().findFirst().map(List::of))
            .or(() -> min.filter(limit -> type.limits() == type).map(List::of))
            .orElse(List.of(type.sample()));
    return new Value(words, type.plain());
  }

  /** A value that may be long and hold anything, for a message. */
  static String shown(String value) {
    String line = value.replaceAll("\\p{Cntrl}", "?");
    return line.length() > 60 ? line.substring(0, 60) + "..." : line;
  }
}
