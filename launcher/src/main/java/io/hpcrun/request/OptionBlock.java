package io.hpcrun.request;

import io.hpcrun.failure.Failure;
import io.hpcrun.spec.ByteString;
import io.hpcrun.yaml.Shape;
import io.hpcrun.yaml.YamlMap;
import io.hpcrun.yaml.YamlValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Options of a launch in a YAML file: the long names as keys, {@code true} for a flag and {@code
 * false} to take one away that a place before gave, lists where an option may be repeated.
 */
public final class OptionBlock {
  private OptionBlock() {}

  /** The keys of all options of jobs, each with its checked value. */
  public static List<Shape.Key> keys() {
    return keys(entry -> true);
  }

  /** The keys of some options. */
  public static List<Shape.Key> keys(Predicate<OptionTable.Entry> some) {
    return OptionTable.entries().stream()
        .filter(some)
        .map(
            entry ->
                Shape.key(
                    entry.name(),
                    new Shape.Checked(
                        described(entry.form()),
                        form(entry),
                        "any option of a launch, by its long name without dashes ('hpcrun help submit')",
                        value -> setting(entry, value, new Origin(Origin.Kind.SITE, ""))),
                    "option `--" + entry.name() + "`: " + entry.help()))
        .toList();
  }

  private static String described(OptionTable.Form form) {
    return switch (form) {
      case FLAG -> "true or false";
      case FLAG_OR_WORD -> "true, false or a word";
      case VALUE -> "one value";
      case LIST -> "one or a list; adds";
      case COMMAS, PATHS -> "one or a list";
    };
  }

  private static String form(OptionTable.Entry entry) {
    if (entry.name().equals(OwnOption.ENV.option())) {
      return "object|array|string";
    }
    if (entry.name().equals(OwnOption.RESOURCES.option())) {
      return "object|string";
    }
    return switch (entry.form()) {
      case FLAG -> "boolean";
      case FLAG_OR_WORD -> "boolean|string";
      case VALUE -> "string|number|boolean";
      case LIST, COMMAS, PATHS -> "array|string|number";
    };
  }

  /**
   * The options among the keys of a map; other keys are not looked at.
   *
   * @param kind what the map is
   * @throws Failure with exit code 2 that names file, line and column of what is wrong
   */
  public static Layer read(YamlMap map, Origin.Kind kind) {
    List<Setting> settings = new ArrayList<>();
    List<String> off = new ArrayList<>();
    for (OptionTable.Entry entry : OptionTable.entries()) {
      YamlMap.Entry given = map.entries().get(entry.name());
      if (given != null) {
        Origin origin = new Origin(kind, given.place().toString());
        setting(entry, given.value(), origin)
            .ifPresentOrElse(settings::add, () -> off.add(entry.name()));
      }
    }
    check(map, settings.stream().flatMap(setting -> setting.words().stream()).toList());
    return new Layer(settings, off);
  }

  /** Empty for a flag that is false. */
  private static Optional<Setting> setting(
      OptionTable.Entry entry, YamlValue value, Origin origin) {
    if (entry.form() == OptionTable.Form.FLAG && !value.truth()) {
      return Optional.empty();
    }
    if (entry.form() == OptionTable.Form.FLAG_OR_WORD
        && value instanceof YamlValue.Scalar scalar
        && scalar.plain()
        && scalar.written().matches("true|false")) {
      return value.truth()
          ? Optional.of(new Setting(entry.name(), List.of(""), origin))
          : Optional.empty();
    }
    List<String> values =
        switch (entry.form()) {
          case FLAG -> List.of();
          case VALUE, FLAG_OR_WORD ->
              entry.name().equals(OwnOption.RESOURCES.option()) && value instanceof YamlMap
                  ? List.of(String.join(",", assignments(value).toList()))
                  : List.of(value.text());
          case LIST ->
              entry.name().equals(OwnOption.ENV.option())
                  ? assignments(value).toList()
                  : texts(value).toList();
          case COMMAS -> List.of(String.join(",", texts(value).toList()));
          case PATHS -> List.of(String.join(":", texts(value).toList()));
        };
    Setting setting =
        new Setting(
            entry.name(),
            values.stream().map(text -> ByteString.of(text).latin1()).toList(),
            origin);
    check(value, setting.words());
    return Optional.of(setting);
  }

  private static void check(YamlValue value, List<String> words) {
    try {
      LaunchOptions.check(words);
    } catch (Failure wrong) {
      throw value.place().wrong(wrong.getMessage(), wrong.remedy());
    }
  }

  private static Stream<String> texts(YamlValue value) {
    List<YamlValue> values = value.listOrOne();
    if (values.isEmpty()) {
      throw value.place().wrong("the list is empty", "write a value, or leave the key out");
    }
    return values.stream().map(YamlValue::text);
  }

  private static Stream<String> assignments(YamlValue value) {
    return value instanceof YamlMap map
        ? map.entries().values().stream()
            .map(entry -> entry.key() + "=" + entry.value().textOrEmpty())
        : texts(value);
  }
}
