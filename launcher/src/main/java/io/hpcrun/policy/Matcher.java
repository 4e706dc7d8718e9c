package io.hpcrun.policy;

import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/** What a condition says of a fact's value. */
public sealed interface Matcher {
  /** More than this are not listed in a message. */
  int LISTED = 6;

  /** Whether the value is so. */
  boolean holds(Value value);

  /** What it says, behind "must be" or "must not be". */
  String text(Fact fact);

  /** How texts are compared with globs. */
  enum Choice {
    /** At least one text is what one of the globs says. */
    ANY("one of"),
    /** Every text is what one of the globs says. */
    ONLY("only"),
    /** No text is what one of the globs says. */
    NONE("none of"),
    /** For each of the globs there is a text. */
    ALL("all of");

    private final String words;

    Choice(String words) {
      this.words = words;
    }

    /** The key in a policy file. */
    String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * Texts compared with globs.
   *
   * @param choice how
   * @param globs at least one
   */
  record Words(Choice choice, List<Glob> globs) implements Matcher {
    /** Copies the list. */
    public Words {
      globs = List.copyOf(globs);
    }

    @Override
    public boolean holds(Value value) {
      List<String> texts = ((Value.Texts) value).values();
      return switch (choice) {
        case ANY -> texts.stream().anyMatch(this::matches);
        case ONLY -> texts.stream().allMatch(this::matches);
        case NONE -> texts.stream().noneMatch(this::matches);
        case ALL -> globs.stream().allMatch(glob -> texts.stream().anyMatch(glob::matches));
      };
    }

    boolean matches(String text) {
      return globs.stream().anyMatch(glob -> glob.matches(text));
    }

    @Override
    public String text(Fact fact) {
      String list =
          globs.stream().limit(LISTED).map(Glob::text).collect(Collectors.joining(", "))
              + (globs.size() > LISTED ? " and " + (globs.size() - LISTED) + " more" : "");
      boolean one = globs.size() == 1 && choice == Choice.ANY;
      return one ? list : choice.words + " " + list;
    }
  }

  /**
   * A number within limits.
   *
   * @param least the smallest; empty for any
   * @param most the largest; empty for any
   */
  record Range(OptionalLong least, OptionalLong most) implements Matcher {
    @Override
    public boolean holds(Value value) {
      long number = ((Value.Number) value).value();
      return number >= least.orElse(number) && number <= most.orElse(number);
    }

    @Override
    public String text(Fact fact) {
      if (least.equals(most)) {
        return Quantity.text(fact.type(), least.getAsLong());
      }
      String from =
          least.isEmpty() ? "" : "at least " + Quantity.text(fact.type(), least.getAsLong());
      String to = most.isEmpty() ? "" : "at most " + Quantity.text(fact.type(), most.getAsLong());
      return from + (from.isEmpty() || to.isEmpty() ? "" : " and ") + to;
    }
  }

  /**
   * Given or not: a text is there, a number is not zero, a truth is yes.
   *
   * @param wanted which
   */
  record Given(boolean wanted) implements Matcher {
    @Override
    public boolean holds(Value value) {
      boolean given =
          switch (value) {
            case Value.Texts(List<String> texts) -> !texts.isEmpty();
            case Value.Number(long number) -> number > 0;
            case Value.Truth(boolean truth) -> truth;
            case Value.Unknown unknown -> throw new IllegalStateException("not known: " + unknown);
          };
      return given == wanted;
    }

    @Override
    public String text(Fact fact) {
      if (fact.type() == Fact.Type.TRUTH) {
        return wanted ? "yes" : "no";
      }
      return wanted ? "given" : "not given";
    }
  }
}
