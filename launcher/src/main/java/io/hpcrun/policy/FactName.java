package io.hpcrun.policy;

import io.hpcrun.yaml.Names;
import io.hpcrun.yaml.YamlMap;
import io.hpcrun.yaml.YamlValue;
import java.util.List;
import java.util.stream.Stream;

/** Facts by their names in policy files. */
final class FactName {
  private static final String LABEL = Fact.IMAGE_LABEL.label() + ".";

  private FactName() {}

  /** The fact that a key names. */
  static Fact fact(YamlMap.Entry entry) {
    String name = entry.key();
    if (name.startsWith(LABEL) && name.length() > LABEL.length()) {
      return Fact.IMAGE_LABEL;
    }
    if (name.equals(Fact.IMAGE_LABEL.label())) {
      throw entry.place().wrong("which label is not said", "write " + LABEL + "NAME");
    }
    return Fact.of(name)
        .orElseThrow(
            () ->
                Names.unknown(
                    entry.place(),
                    "there is no fact '%s'",
                    name,
                    Stream.of(Fact.values()).map(Fact::label).toList()));
  }

  /** A fact as an example tells it. */
  static Value value(Fact fact, YamlValue value) {
    return switch (fact.type()) {
      case TEXT, TEXTS -> {
        List<YamlValue> texts = value.listOrOne();
        if (fact.type() == Fact.Type.TEXT && texts.size() > 1) {
          throw value.mustBe("one text");
        }
        yield Value.of(texts.stream().map(YamlValue::text).toList());
      }
      case TRUTH -> Value.of(value.truth());
      default -> Value.of(Quantity.read(fact.type(), value));
    };
  }
}
