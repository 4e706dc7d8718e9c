package io.hpcrun.request;

import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.SlurmOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Puts together what site, partition, modules, template, job file, script and command line say of a
 * launch. A later one wins; options that may be repeated add up; {@code off} takes away what was
 * said before. A variable of the user's shell that stands for an option (sbatch(1), INPUT
 * ENVIRONMENT) wins over all but what was said for this very launch: script and command line.
 */
public final class Layers {
  private final SiteOptions site;
  private final Map<String, String> environment;
  private final boolean jobs;

  /**
   * Layers of jobs.
   *
   * @param site what the site says
   * @param environment the user's variables
   */
  public Layers(SiteOptions site, Map<String, String> environment) {
    this(site, environment, true);
  }

  /**
   * Layers of jobs or steps.
   *
   * @param jobs whether sbatch is to read them: a variable of its may name the partition
   */
  Layers(SiteOptions site, Map<String, String> environment, boolean jobs) {
    this.site = site;
    this.environment = environment;
    this.jobs = jobs;
  }

  /**
   * The settings that count, in the order in which they were said, with who said them.
   *
   * @param own what this request says, the weakest first
   * @throws io.hpcrun.failure.Failure with exit code 2 for modules that are not there or conflict
   */
  public List<Setting> merge(List<Layer> own) {
    Optional<Layer> partition =
        value(merged(concat(List.of(site.defaults()), own)), SlurmOption.PARTITION.option())
            .or(() -> jobs ? inShell(SlurmOption.PARTITION.option()) : Optional.empty())
            .map(site.partitions()::get);
    List<Layer> below = new ArrayList<>(List.of(site.defaults()));
    partition.ifPresent(below::add);
    below.addAll(modules(merged(concat(below, own))));
    return merged(concat(below, own));
  }

  private static Optional<String> value(List<Setting> settings, String name) {
    return settings.stream()
        .filter(setting -> setting.name().equals(name))
        .map(setting -> setting.values().getLast())
        .reduce((first, last) -> last);
  }

  private static List<Layer> concat(List<Layer> some, List<Layer> others) {
    return Stream.concat(some.stream(), others.stream()).toList();
  }

  private List<Setting> merged(List<Layer> layers) {
    List<Setting> all = new ArrayList<>();
    for (Layer layer : layers) {
      all.removeIf(earlier -> layer.off().contains(earlier.name()));
      for (Setting setting : layer.settings()) {
        all.removeIf(earlier -> replaces(setting, earlier));
        if (setting.name().equals(OwnOption.ENV.option())) {
          all.replaceAll(earlier -> without(earlier, setting));
        }
      }
      Set<String> unset =
          layer.settings().stream()
              .filter(setting -> setting.name().equals(OwnOption.UNSET.option()))
              .flatMap(setting -> setting.values().stream())
              .flatMap(value -> Stream.of(value.split(",")))
              .collect(Collectors.toSet());
      all.removeIf(earlier -> unset.contains(earlier.name()));
      // A file's variables before those that are named beside it.
      layer.settings().stream().filter(Layers::isEnvironmentFile).forEach(all::add);
      layer.settings().stream().filter(setting -> !isEnvironmentFile(setting)).forEach(all::add);
    }
    // An option that may be repeated and has no value any more.
    all.removeIf(setting -> setting.values().isEmpty() && OptionTable.adds(setting.name()));
    all.removeIf(
        setting ->
            setting.origin().kind().compareTo(Origin.Kind.JOB_FILE) <= 0
                && inShell(setting.name()).isPresent());
    return all;
  }

  /**
   * The options that variables of the user's shell stand for, where these settings, which count,
   * leave them. sbatch reads the variables itself, so they are in no launch's settings.
   */
  List<Setting> ofShell(List<Setting> settings) {
    List<Setting> variables = new ArrayList<>();
    for (OptionTable.Entry entry : OptionTable.entries()) {
      String name = entry.name();
      boolean said =
          settings.stream()
              .anyMatch(each -> each.name().equals(name) || OptionTable.exclude(each.name(), name));
      if (!said) {
        inShell(name)
            .map(
                value ->
                    new Setting(
                        name,
                        List.of(ByteString.of(value).latin1()),
                        new Origin(Origin.Kind.VARIABLE, OptionTable.variable(name).orElseThrow())))
            .ifPresent(variables::add);
      }
    }
    return variables;
  }

  /** The value of the variable that stands for an option, if it is set. */
  private Optional<String> inShell(String name) {
    return OptionTable.variable(name)
        .map(variable -> environment.getOrDefault(variable, ""))
        .filter(value -> !value.isEmpty());
  }

  private static boolean isEnvironmentFile(Setting setting) {
    return setting.name().equals(OwnOption.ENV_FILE.option());
  }

  /** Whether a later setting takes the place of an earlier one of a place before. */
  private static boolean replaces(Setting later, Setting earlier) {
    return later.name().equals(earlier.name())
        ? !OptionTable.adds(later.name())
        : OptionTable.exclude(later.name(), earlier.name())
            || ResourceOptions.replaces(later, earlier);
  }

  /** Variables without those that are set again. */
  static Setting without(Setting earlier, Setting later) {
    if (!earlier.name().equals(later.name())) {
      return earlier;
    }
    Set<String> again =
        later.values().stream().map(Layers::variableName).collect(Collectors.toSet());
    return new Setting(
        earlier.name(),
        earlier.values().stream().filter(value -> !again.contains(variableName(value))).toList(),
        earlier.origin());
  }

  private static String variableName(String assignment) {
    return assignment.split("=", 2)[0];
  }

  private List<Layer> modules(List<Setting> settings) {
    Modules modules = new Modules(site.modules());
    for (Setting setting : settings) {
      if (setting.name().equals(OwnOption.MODULE.option())) {
        for (String value : setting.values()) {
          for (String name : value.split(",", -1)) {
            modules.add(name, setting.origin().toString());
          }
        }
      }
    }
    return modules.wanted().stream().map(SiteOptions.Module::options).toList();
  }
}
