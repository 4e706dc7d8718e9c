package io.hpcrun.jobfile;

import io.hpcrun.request.Layer;
import io.hpcrun.request.OptionBlock;
import io.hpcrun.request.OptionTable;
import io.hpcrun.request.Origin;
import io.hpcrun.request.OwnOption;
import io.hpcrun.request.Setting;
import io.hpcrun.script.LaunchScript;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.SecretNames;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.yaml.Place;
import io.hpcrun.yaml.YamlMap;
import io.hpcrun.yaml.YamlValue;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One of several launches of a job.
 *
 * @param name its name
 * @param settings what it says of its step
 * @param command its command
 * @param place where it stands
 */
record Launch(String name, List<Setting> settings, List<String> command, Place place) {
  /** What a job needs as much of as its launches do. */
  private static final List<SlurmOption> DERIVED =
      List.of(SlurmOption.NODES, SlurmOption.NTASKS, SlurmOption.CPUS_PER_TASK);

  /** Copies the lists. */
  Launch {
    settings = List.copyOf(settings);
    command = List.copyOf(command);
  }

  /** What a launch may say: the job's containers are made before it. */
  static boolean isOption(OptionTable.Entry entry) {
    return entry.name().equals(OwnOption.ENV.option())
        || entry.name().equals(OwnOption.SRUN.option())
        || OptionTable.OF_STEPS.stream()
            .filter(option -> option != SlurmOption.JOB_NAME)
            .anyMatch(option -> option.option().equals(entry.name()));
  }

  /** Reads the launches of a job, which have their blanks filled. */
  static List<Launch> read(YamlValue list) {
    List<Launch> launches = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (YamlValue each : list.list()) {
      Launch launch = read(each.map());
      if (!names.add(launch.name())) {
        throw each.place()
            .wrong("two launches are called '" + launch.name() + "'", "give them different names");
      }
      launches.add(launch);
    }
    if (launches.isEmpty()) {
      throw list.place().wrong("there are no launches", "write one, or a command");
    }
    return launches;
  }

  /** What only a whole job can say is told from what nobody knows. */
  static void refuseOptionsOfJobs(YamlValue list) {
    list.list().stream()
        .flatMap(each -> each.map().entries().values().stream())
        .filter(entry -> isOfJob(entry.key()))
        .findFirst()
        .ifPresent(
            entry -> {
              throw entry
                  .place()
                  .wrong(
                      "'%s' is for the whole job, whose launches share one container on each node"
                          .formatted(entry.key()),
                      "write it outside of 'launches'; another image needs another job");
            });
  }

  private static boolean isOfJob(String key) {
    return key.equals("image")
        || OptionTable.entries().stream()
            .anyMatch(option -> option.name().equals(key) && !isOption(option));
  }

  private static Launch read(YamlMap text) {
    List<Setting> settings = OptionBlock.read(text, Origin.Kind.JOB_FILE).settings();
    settings.stream()
        .filter(setting -> setting.name().equals(OwnOption.ENV.option()))
        .flatMap(setting -> setting.values().stream())
        .forEach(value -> checkVariable(value, text));
    return new Launch(
        text.get("name", "").text(),
        settings,
        JobFileShape.words(text.get("command", "")),
        text.place());
  }

  /** What a launch sets stands in the script. */
  private static void checkVariable(String assignment, YamlMap text) {
    int equals = assignment.indexOf('=');
    String name = equals < 0 ? assignment : assignment.substring(0, equals);
    Place place = text.entries().get(OwnOption.ENV.option()).place();
    if (equals < 0) {
      throw place.wrong(
          "%s is to be passed on to one launch of several".formatted(name),
          "write 'env: [%s]' outside of 'launches': all get it".formatted(name));
    }
    if (SecretNames.isSecret(name, assignment.substring(equals + 1))) {
      throw place.wrong(
          "the value of %s, which looks like a secret, would stand in the script, which Slurm keeps"
              .formatted(name),
          "write it, or 'env: [%s]', outside of 'launches': all get it".formatted(name));
    }
  }

  /** The value of an option of its step. */
  Optional<String> value(SlurmOption option) {
    return settings.stream()
        .filter(setting -> setting.name().equals(option.option()))
        .map(setting -> setting.values().getFirst())
        .findFirst();
  }

  /** The variables that it sets. */
  List<EnvironmentVariable> environment() {
    return settings.stream()
        .filter(setting -> setting.name().equals(OwnOption.ENV.option()))
        .flatMap(setting -> setting.values().stream())
        .map(value -> EnvironmentVariable.parse(ByteString.ofLatin1(value), "env"))
        .toList();
  }

  /**
   * For the script.
   *
   * @param more options of srun that come before its own
   * @param below variables of the job, which it may set otherwise
   */
  LaunchScript.Launch rendered(List<String> more, List<EnvironmentVariable> below) {
    List<EnvironmentVariable> own = environment();
    List<EnvironmentVariable> environment =
        new ArrayList<>(
            below.stream()
                .filter(variable -> own.stream().noneMatch(o -> o.name().equals(variable.name())))
                .toList());
    environment.addAll(own);
    List<String> options = new ArrayList<>(more);
    options.addAll(words());
    return new LaunchScript.Launch(
        name, options, environment, command.stream().map(ByteString::of).toList());
  }

  /** Its options as words of srun. */
  List<String> words() {
    return settings.stream()
        .filter(setting -> !setting.name().equals(OwnOption.ENV.option()))
        .flatMap(
            setting ->
                setting.name().equals(OwnOption.SRUN.option())
                    ? setting.values().stream()
                    : setting.words().stream())
        .map(word -> ByteString.ofLatin1(word).utf8())
        .toList();
  }

  /**
   * The options of a job that follow from those of its launches: enough for the largest, or for all
   * at once.
   */
  static Layer ofJob(List<Launch> launches, boolean together) {
    List<Setting> settings = new ArrayList<>();
    Origin origin = new Origin(Origin.Kind.JOB_FILE, launches.getFirst().place().toString());
    for (SlurmOption option : DERIVED) {
      List<Long> given =
          launches.stream()
              .flatMap(launch -> launch.value(option).stream())
              .filter(value -> value.matches("[0-9]+"))
              .map(Long::valueOf)
              .toList();
      boolean sum = together && option == SlurmOption.NTASKS;
      long value =
          sum
              ? given.stream().mapToLong(each -> each).sum() + launches.size() - given.size()
              : given.stream().mapToLong(each -> each).max().orElse(0);
      if (value > 0) {
        settings.add(new Setting(option.option(), List.of(Long.toString(value)), origin));
      }
    }
    return new Layer(settings);
  }
}
