package io.hpcrun.jobfile;

import io.hpcrun.script.Slots;
import io.hpcrun.yaml.Place;
import io.hpcrun.yaml.YamlMap;
import io.hpcrun.yaml.YamlValue;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The same launch with other values of parameters, many times.
 *
 * @param slots the values of each parameter, and how they go together
 * @param declared the parameters of these names, where the file declares them
 * @param jobs whether each element is a job of its own; else they are elements of a job array
 * @param atOnce how many may run at once; empty: all
 * @param rate jobs that are submitted in a second, at most; empty: as fast as sbatch takes them
 * @param place where it stands
 */
public record Sweep(
    Slots slots,
    List<Optional<Parameter>> declared,
    boolean jobs,
    Optional<Integer> atOnce,
    Optional<Integer> rate,
    Place place) {
  /** More elements are no sweep but a mistake. */
  static final int MOST = 1_000_000;

  /** Copies the list. */
  public Sweep {
    declared = List.copyOf(declared);
  }

  /**
   * Reads a sweep, whose own blanks are filled.
   *
   * @param parameters what the file declares
   */
  static Sweep read(YamlMap text, Map<String, Parameter> parameters) {
    JobFileShape.SWEEP.check(text);
    List<Slots.Slot> slots = new ArrayList<>();
    List<Optional<Parameter>> declared = new ArrayList<>();
    YamlMap swept = text.get("parameters", "").map();
    for (YamlMap.Entry entry : swept.entries().values()) {
      Optional<Parameter> parameter = Optional.ofNullable(parameters.get(entry.key()));
      if (parameter.filter(each -> each.type() == ParameterType.LIST).isPresent()) {
        throw entry
            .place()
            .wrong(
                "the parameter '%s' is a list".formatted(entry.key()),
                "sweep over parameters with one text");
      }
      List<String> values = new ArrayList<>();
      for (YamlValue value : values(entry.value())) {
        String word = value.textOrEmpty();
        parameter.ifPresent(each -> each.value(List.of(word), value.place()::wrong));
        values.add(word);
      }
      slots.add(new Slots.Slot(entry.key(), values));
      declared.add(parameter);
    }
    boolean paired = text.find("zip").map(YamlValue::truth).orElse(false);
    checkSize(swept, slots, paired);
    boolean jobs = text.find("as").map(YamlValue::text).filter("jobs"::equals).isPresent();
    text.find("rate")
        .filter(rate -> !jobs)
        .ifPresent(
            rate -> {
              throw rate.place()
                  .wrong(
                      "an array is submitted as a whole, and has no rate",
                      "leave 'rate' out, or write 'as: jobs'");
            });
    return new Sweep(
        new Slots(slots, paired),
        declared,
        jobs,
        text.find("at-once").map(value -> (int) value.integer(1, MOST)),
        text.find("rate").map(value -> (int) value.integer(1, 1_000)),
        text.place());
  }

  private static void checkSize(YamlMap swept, List<Slots.Slot> slots, boolean paired) {
    if (slots.isEmpty()) {
      throw swept
          .place()
          .wrong("there are no parameters to sweep over", "write NAME: [VALUE, ...]");
    }
    if (slots.size() > Slots.MOST) {
      throw swept
          .place()
          .wrong(
              "%d parameters are swept".formatted(slots.size()),
              "sweep " + Slots.MOST + " at most");
    }
    long size = 1;
    for (Slots.Slot slot : slots) {
      int count = slot.values().size();
      int first = slots.getFirst().values().size();
      if (paired && count != first) {
        throw swept
            .entries()
            .get(slot.name())
            .place()
            .wrong(
                "%s has %d values, and %s has %d; with 'zip' they go together one by one"
                    .formatted(slot.name(), count, slots.getFirst().name(), first),
                "give both as many, or leave 'zip' out to combine all with all");
      }
      size = paired ? count : size * count;
      if (size > MOST) {
        throw swept
            .place()
            .wrong(
                "the sweep has more than %d elements".formatted(MOST), "sweep over fewer values");
      }
    }
  }

  private static List<YamlValue> values(YamlValue value) {
    if (!(value instanceof YamlMap range)) {
      List<YamlValue> values = value.listOrOne();
      if (values.isEmpty()) {
        throw value.place().wrong("the list is empty", "write a value, or leave the key out");
      }
      return values;
    }
    BigDecimal from = number(range.get("from", "the first value"));
    BigDecimal to = number(range.get("to", "the last value"));
    BigDecimal step = range.find("step").map(Sweep::number).orElse(BigDecimal.ONE);
    if (step.signum() == 0 || to.subtract(from).signum() * step.signum() < 0) {
      throw range
          .place()
          .wrong(
              "from %s no step of %s leads to %s"
                  .formatted(from.toPlainString(), step.toPlainString(), to.toPlainString()),
              "give a step in the right direction");
    }
    BigDecimal count = to.subtract(from).divideToIntegralValue(step).add(BigDecimal.ONE);
    if (count.compareTo(BigDecimal.valueOf(MOST)) > 0) {
      throw range
          .place()
          .wrong("these are more than %d values".formatted(MOST), "take a greater step");
    }
    List<YamlValue> values = new ArrayList<>();
    for (int i = 0; i < count.intValue(); i++) {
      values.add(
          new YamlValue.Scalar(
              range.place(), from.add(step.multiply(BigDecimal.valueOf(i))).toPlainString(), true));
    }
    return values;
  }

  private static BigDecimal number(YamlValue value) {
    if (!value.text().matches("[+-]?[0-9]{1,15}(\\.[0-9]{1,15})?")) {
      throw value.mustBe("a number such as 10 or 0.5");
    }
    return new BigDecimal(value.text());
  }

  /** How many elements there are. */
  public int size() {
    return slots.size();
  }

  /** What stands in the blanks of an element that is a job of its own. */
  public Map<String, Parameter.Value> values(int element) {
    List<String> values = slots.element(element);
    Map<String, Parameter.Value> filled = new LinkedHashMap<>();
    for (int i = 0; i < values.size(); i++) {
      boolean plain =
          declared.get(i).map(each -> each.type().plain()).orElse(isPlain(values.get(i)));
      filled.put(slots.slots().get(i).name(), new Parameter.Value(List.of(values.get(i)), plain));
    }
    return filled;
  }

  private static boolean isPlain(String value) {
    return value.matches("[+-]?[0-9]+(\\.[0-9]+)?|true|false");
  }

  /** What stands in the blanks of a job array's script: marks, for which it has values. */
  Map<String, Parameter.Value> marks() {
    Map<String, Parameter.Value> marks = new LinkedHashMap<>();
    for (int i = 0; i < slots.slots().size(); i++) {
      marks.put(slots.slots().get(i).name(), new Parameter.Value(List.of(Slots.mark(i)), false));
    }
    return marks;
  }

  /** The indices of a job array in sbatch's words. */
  String indices() {
    return "0-" + (size() - 1) + atOnce.map(most -> "%" + most).orElse("");
  }

  /** An element for people: {@code x=1, y=2}. */
  public String shown(int element) {
    List<String> values = slots.element(element);
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < values.size(); i++) {
      parts.add(slots.slots().get(i).name() + "=" + Parameter.shown(values.get(i)));
    }
    return String.join(", ", parts);
  }
}
