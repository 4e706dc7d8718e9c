package io.hpcrun.jobfile;

import io.hpcrun.script.Slots;
import io.hpcrun.yaml.Place;
import io.hpcrun.yaml.YamlMap;
import io.hpcrun.yaml.YamlValue;
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
  /**
   * More elements are no sweep but a mistake: slurmctld holds 10,000 jobs unless told otherwise.
   */
  static final int MOST = 100_000;

  /** Values of all parameters together, which one script holds, of 4 MiB at most for sbatch. */
  private static final int MOST_VALUES = 200_000;

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
      declared.add(parameter);
    }
    boolean paired = text.find("zip").map(YamlValue::truth).orElse(false);
    checkSize(swept, paired);
    for (YamlMap.Entry entry : swept.entries().values()) {
      Optional<Parameter> parameter = declared.get(slots.size());
      List<String> values = values(entry.value());
      for (int i = 0; i < values.size(); i++) {
        Place place = place(entry.value(), i);
        List<String> word = List.of(values.get(i));
        parameter.ifPresent(each -> each.value(word, place::wrong));
      }
      slots.add(new Slots.Slot(entry.key(), values));
    }
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

  /** Before the values are made: a short line can ask for more than fit into the memory. */
  private static void checkSize(YamlMap swept, boolean paired) {
    List<YamlMap.Entry> entries = List.copyOf(swept.entries().values());
    if (entries.isEmpty()) {
      throw swept
          .place()
          .wrong("there are no parameters to sweep over", "write NAME: [VALUE, ...]");
    }
    if (entries.size() > Slots.MOST) {
      throw swept
          .place()
          .wrong(
              "%d parameters are swept".formatted(entries.size()),
              "sweep " + Slots.MOST + " at most");
    }
    int first = count(entries.getFirst().value());
    long elements = 1;
    long values = 0;
    for (YamlMap.Entry entry : entries) {
      int count = count(entry.value());
      if (paired && count != first) {
        throw entry
            .place()
            .wrong(
                "%s has %d values, and %s has %d; with 'zip' they go together one by one"
                    .formatted(entry.key(), count, entries.getFirst().key(), first),
                "give both as many, or leave 'zip' out to combine all with all");
      }
      elements = paired ? count : elements * count;
      values += count;
      if (elements > MOST || values > MOST_VALUES) {
        throw swept
            .place()
            .wrong(
                elements > MOST
                    ? "the sweep has more than %d elements".formatted(MOST)
                    : "the sweep has more than %d values".formatted(MOST_VALUES),
                "sweep over fewer values, or in several files");
      }
    }
  }

  private static int count(YamlValue value) {
    if (value instanceof YamlMap range) {
      return Range.read(range).count();
    }
    int count = value.listOrOne().size();
    if (count == 0) {
      throw value.place().wrong("the list is empty", "write a value, or leave the key out");
    }
    return count;
  }

  private static List<String> values(YamlValue value) {
    return value instanceof YamlMap range
        ? Range.read(range).values()
        : value.listOrOne().stream().map(YamlValue::textOrEmpty).toList();
  }

  private static Place place(YamlValue values, int index) {
    return values instanceof YamlMap range ? range.place() : values.listOrOne().get(index).place();
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
