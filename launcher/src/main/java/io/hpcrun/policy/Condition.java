package io.hpcrun.policy;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * One fact and what a rule says of it.
 *
 * @param fact which
 * @param name its name, with a label's behind {@link Fact#IMAGE_LABEL}
 * @param matcher what it says
 */
public record Condition(Fact fact, String name, Matcher matcher) {
  private static final int SHOWN = 3;
  private static final int LONGEST_SHOWN = 200;

  /** Whether it holds; empty if the fact is not known. */
  Optional<Boolean> holds(Facts facts) {
    Value value = facts.get(name);
    return value instanceof Value.Unknown ? Optional.empty() : Optional.of(matcher.holds(value));
  }

  /** What it wants, for messages. */
  String demand(boolean forbidden) {
    return (forbidden ? "must not be " : "must be ") + matcher.text(fact);
  }

  /** What is, and what it should be. */
  String detail(Facts facts, boolean forbidden) {
    Value value = facts.get(name);
    if (value instanceof Value.Unknown(String why)) {
      return name + " is not known" + (why.isEmpty() ? "" : ": " + why);
    }
    return name + " is " + shown(culprits(value, forbidden)) + ", and " + demand(forbidden);
  }

  /** Of several texts, those that matter. */
  private Value culprits(Value value, boolean forbidden) {
    if (value instanceof Value.Texts(List<String> texts)
        && matcher instanceof Matcher.Words words) {
      boolean offends =
          forbidden ? words.choice() == Matcher.Choice.ANY : words.choice() == Matcher.Choice.NONE;
      if (offends) {
        return Value.of(texts.stream().filter(words::matches).toList());
      }
      if (!forbidden && words.choice() == Matcher.Choice.ONLY) {
        return Value.of(texts.stream().filter(text -> !words.matches(text)).toList());
      }
    }
    return value;
  }

  private String shown(Value value) {
    return switch (value) {
      case Value.Texts(List<String> texts) when texts.isEmpty() -> "none";
      case Value.Texts(List<String> texts) ->
          texts.stream().limit(SHOWN).map(Condition::shown).collect(Collectors.joining(", "))
              + (texts.size() > SHOWN ? " and " + (texts.size() - SHOWN) + " more" : "");
      case Value.Number(long number) -> Quantity.text(fact.type(), number);
      case Value.Truth(boolean truth) -> truth ? "yes" : "no";
      case Value.Unknown unknown -> throw new IllegalStateException("not known: " + unknown);
    };
  }

  /** A text as messages show it. */
  static String shown(String text) {
    String some = text.length() > LONGEST_SHOWN ? text.substring(0, LONGEST_SHOWN) + "..." : text;
    return some.replaceAll("\\p{Cntrl}", "?");
  }
}
