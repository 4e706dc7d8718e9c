package io.hpcrun.policy;

import io.hpcrun.policy.Matcher.Choice;
import io.hpcrun.yaml.YamlMap;
import io.hpcrun.yaml.YamlValue;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** What conditions say, as policy files have it. */
final class MatcherText {
  private static final int LONGEST_GLOB = 256;
  private static final int MOST_GLOBS = 256;
  private static final String GIVEN = "given";
  private static final String LEAST = "at-least";
  private static final String MOST = "at-most";

  private MatcherText() {}

  static Matcher read(Fact fact, YamlValue value) {
    if (value instanceof YamlMap map && map.find(GIVEN).isPresent()) {
      map.allow(List.of(GIVEN));
      return new Matcher.Given(map.get(GIVEN, "").truth());
    }
    return switch (fact.type()) {
      case TEXT, TEXTS -> words(value);
      case TRUTH -> new Matcher.Given(value.truth());
      default -> range(fact, value);
    };
  }

  private static Matcher words(YamlValue value) {
    if (!(value instanceof YamlMap map)) {
      return new Matcher.Words(Choice.ANY, globs(value));
    }
    List<YamlMap.Entry> entries =
        map.list(
            Stream.concat(Stream.of(Choice.values()).map(Choice::label), Stream.of(GIVEN))
                .toList());
    if (entries.size() != 1) {
      throw map.place()
          .wrong(
              entries.isEmpty() ? "this says nothing of the fact" : "this says two things at once",
              "write one of any, only, none, all and given; two things make two rules");
    }
    Choice choice = Choice.valueOf(entries.getFirst().key().toUpperCase(java.util.Locale.ROOT));
    return new Matcher.Words(choice, globs(entries.getFirst().value()));
  }

  /** One glob, or a list of them. */
  static List<Glob> globs(YamlValue value) {
    List<YamlValue> texts = value.listOrOne();
    if (texts.isEmpty()) {
      throw value.place().wrong("the list is empty", "write at least one text");
    }
    if (texts.size() > MOST_GLOBS) {
      throw value
          .place()
          .wrong(
              "the list has %d texts, of at most %d".formatted(texts.size(), MOST_GLOBS),
              "write fewer, with * in the place of what differs");
    }
    return texts.stream().map(MatcherText::glob).toList();
  }

  private static Glob glob(YamlValue value) {
    String text = value.text();
    if (text.length() > LONGEST_GLOB) {
      throw value
          .place()
          .wrong(
              "the text has %d characters, of at most %d".formatted(text.length(), LONGEST_GLOB),
              "write a shorter one, with * in the place of what differs");
    }
    return new Glob(text);
  }

  private static Matcher range(Fact fact, YamlValue value) {
    if (!(value instanceof YamlMap map)) {
      OptionalLong exact = OptionalLong.of(Quantity.read(fact.type(), value));
      return new Matcher.Range(exact, exact);
    }
    map.allow(List.of(LEAST, MOST, GIVEN));
    OptionalLong least = limit(fact, map, LEAST);
    OptionalLong most = limit(fact, map, MOST);
    if (least.isEmpty() && most.isEmpty()) {
      throw map.place()
          .wrong("this says nothing of the fact", "write at-least, at-most, given or a number");
    }
    if (least.isPresent() && most.isPresent() && least.getAsLong() > most.getAsLong()) {
      throw map.place().wrong("no number is at least and at most that", "exchange the two numbers");
    }
    return new Matcher.Range(least, most);
  }

  private static OptionalLong limit(Fact fact, YamlMap map, String key) {
    return map.find(key)
        .map(value -> OptionalLong.of(Quantity.read(fact.type(), value)))
        .orElse(OptionalLong.empty());
  }
}
