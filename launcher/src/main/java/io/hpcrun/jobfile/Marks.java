package io.hpcrun.jobfile;

import io.hpcrun.request.OwnOption;
import io.hpcrun.script.Slots;
import io.hpcrun.yaml.YamlMap;
import io.hpcrun.yaml.YamlValue;
import java.util.Optional;
import java.util.Set;

/** Where the values of a job array's elements may differ: in commands and variables. */
final class Marks {
  private static final Set<String> DIFFERING = Set.of("command", OwnOption.ENV.option());

  private Marks() {}

  /** Refuses marks in what all elements of an array share. */
  static void refuse(YamlMap file, Sweep sweep) {
    for (YamlMap.Entry entry : file.entries().values()) {
      if (entry.key().equals("launches") && entry.value() instanceof YamlValue.Sequence launches) {
        launches.values().stream()
            .filter(YamlMap.class::isInstance)
            .forEach(launch -> refuse(launch.map(), sweep));
      } else if (!DIFFERING.contains(entry.key())) {
        refuseIn(entry.value(), sweep);
      }
    }
  }

  /** Whether no other key of a file holds marks. */
  static boolean areOnlyIn(String key, YamlMap file) {
    return file.entries().values().stream()
        .noneMatch(entry -> !entry.key().equals(key) && first(entry.value()).isPresent());
  }

  private static Optional<YamlValue.Scalar> first(YamlValue value) {
    return switch (value) {
      case YamlMap map ->
          map.entries().values().stream()
              .flatMap(entry -> first(entry.value()).stream())
              .findFirst();
      case YamlValue.Sequence list ->
          list.values().stream().flatMap(each -> first(each).stream()).findFirst();
      case YamlValue.Scalar scalar ->
          Optional.of(scalar).filter(text -> Slots.isMarked(text.written()));
    };
  }

  private static void refuseIn(YamlValue value, Sweep sweep) {
    first(value)
        .ifPresent(
            scalar -> {
              throw scalar
                  .place()
                  .wrong(
                      "'%s' is swept, and the elements of a job array differ in command and env only"
                          .formatted(
                              sweep.slots().slots().get(Slots.first(scalar.written())).name()),
                      "write 'as: jobs' under 'sweep'");
            });
  }
}
