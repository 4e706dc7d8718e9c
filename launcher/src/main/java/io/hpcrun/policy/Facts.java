package io.hpcrun.policy;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The facts of one launch. What was not told is not known. */
public final class Facts {
  /** What a fact's texts may have; more is not looked at, as in judge.lua. */
  private static final int LONGEST_TEXT = 4096;

  private static final int MOST_TEXTS = 256;

  private static final Value NOTHING = Value.unknown("");

  private static final String LABEL = Fact.IMAGE_LABEL.label() + ".";

  private final Map<String, Value> values = new LinkedHashMap<>();
  private boolean labelsKnown;

  /** Tells a fact. */
  public Facts with(Fact fact, Value value) {
    return with(fact.label(), value);
  }

  /** Tells all labels of the image. */
  public Facts withLabels(Map<String, String> labels) {
    labels.forEach((name, text) -> with(LABEL + name, Value.of(text)));
    labelsKnown = true;
    return this;
  }

  Facts with(String name, Value value) {
    values.put(name, bounded(value));
    return this;
  }

  private static Value bounded(Value value) {
    if (value instanceof Value.Texts(List<String> texts)
        && (texts.size() > MOST_TEXTS
            || texts.stream().anyMatch(text -> text.length() > LONGEST_TEXT))) {
      return Value.unknown("it is longer than a policy looks at");
    }
    return value;
  }

  /** What is known of a fact, by its name. */
  Value get(String name) {
    boolean absentLabel = labelsKnown && name.startsWith(LABEL);
    return values.getOrDefault(name, absentLabel ? Value.of(List.of()) : NOTHING);
  }
}
