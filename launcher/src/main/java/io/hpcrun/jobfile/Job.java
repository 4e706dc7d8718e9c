package io.hpcrun.jobfile;

import io.hpcrun.failure.Failure;
import io.hpcrun.request.GetoptParser;
import io.hpcrun.request.Layer;
import io.hpcrun.request.OptionBlock;
import io.hpcrun.request.Origin;
import io.hpcrun.request.OwnOption;
import io.hpcrun.request.Requests;
import io.hpcrun.request.Setting;
import io.hpcrun.script.LaunchScript;
import io.hpcrun.script.Slots;
import io.hpcrun.spec.ArrayIndices;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.SecretNames;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.spec.UserScript;
import io.hpcrun.yaml.Place;
import io.hpcrun.yaml.YamlMap;
import io.hpcrun.yaml.YamlValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/** What a job file asks for, with all blanks filled. */
public final class Job {
  private static final List<String> INTERPRETER = List.of("/bin/bash", "-p");

  private final Place place;
  private final List<Layer> layers;
  private final Optional<String> image;
  private final List<String> command;
  private final List<Launch> launches;
  private final boolean together;
  private final Optional<Sweep> array;

  private Job(Builder builder) {
    this.place = builder.place;
    this.layers = List.copyOf(builder.layers);
    this.image = builder.image;
    this.command = builder.command;
    this.launches = builder.launches;
    this.together = builder.together;
    this.array = builder.array;
  }

  /** Puts together what a file says and what it extends. */
  static final class Builder {
    private final Place place;
    private final Optional<Sweep> array;
    private final List<Layer> layers = new ArrayList<>();
    private Optional<String> image = Optional.empty();
    private List<String> command = List.of();
    private List<Launch> launches = List.of();
    private boolean together;

    /**
     * Begins with nothing said.
     *
     * @param place where the file begins
     * @param array the sweep, if the job is its array
     */
    Builder(Place place, Optional<Sweep> array) {
      this.place = place;
      this.array = array;
    }

    /** Adds a file, over those before it. */
    void add(Origin.Kind kind, YamlMap file) {
      layers.add(OptionBlock.read(file, kind));
      image = file.find("image").map(YamlValue::text).or(() -> image);
      Optional<YamlValue> one = file.find("command");
      Optional<YamlValue> several = file.find("launches");
      if (one.isPresent() && several.isPresent()) {
        throw file.entries()
            .get("launches")
            .place()
            .wrong("there is a command, too", "leave one of 'command' and 'launches' out");
      }
      one.ifPresent(
          value -> {
            command = JobFileShape.words(value);
            launches = List.of();
          });
      several.ifPresent(
          value -> {
            command = List.of();
            launches = Launch.read(value);
          });
      together = file.find("together").map(YamlValue::truth).orElse(together);
    }

    Job build() {
      return new Job(this);
    }
  }

  /** Its options, behind those of the files that it extends. */
  public List<Layer> layers() {
    return layers;
  }

  /** The image; empty if it names none. */
  public Optional<String> image() {
    return image;
  }

  /** The command's words, of an array's first element; none if it has several launches. */
  public List<String> command() {
    return array
        .map(sweep -> command.stream().map(word -> sweep.slots().filled(word, 0)).toList())
        .orElse(command);
  }

  /** Whether it is complete, and no template that others only extend. */
  public boolean isComplete() {
    return image.isPresent() && !(command.isEmpty() && launches.isEmpty());
  }

  /** The words of a command in a file. */
  public static List<String> words(YamlValue command) {
    return JobFileShape.words(command);
  }

  /**
   * With what the site and the command line say.
   *
   * @throws Failure with exit code 2 for what is missing or does not fit together
   */
  public Requests.Requested requested(Requests requests, GetoptParser.Parsed typed) {
    String named =
        Optional.ofNullable(typed.last("image"))
            .or(() -> image.map(text -> ByteString.of(text).latin1()))
            .orElseThrow(
                () ->
                    place.wrong(
                        "the file names no image", "write 'image: ...', or give --image=IMAGE"));
    if (command.isEmpty() && launches.isEmpty()) {
      throw place.wrong("the file names no command", "write 'command: [PROGRAM, ARGUMENT, ...]'");
    }
    if (launches.isEmpty() && array.isEmpty()) {
      return requests.file(layers, typed, LaunchSpec.Kind.JOB, command, named);
    }
    List<Layer> all = new ArrayList<>();
    if (!launches.isEmpty()) {
      all.add(name());
      all.add(Launch.ofJob(launches, together));
    }
    all.addAll(layers);
    array.ifPresent(sweep -> all.add(indices(sweep)));
    Requests.Requested requested =
        requests.file(all, typed, LaunchSpec.Kind.SCRIPT, program(), named);
    array.ifPresent(sweep -> check(sweep, requested.spec()));
    array.ifPresent(sweep -> refuseSecrets(sweep, requested.settings()));
    return requested.with(withScript(requested));
  }

  private static Layer indices(Sweep sweep) {
    return new Layer(
        List.of(
            new Setting(
                SlurmOption.ARRAY.option(),
                List.of(sweep.indices()),
                new Origin(Origin.Kind.JOB_FILE, sweep.place().toString()))));
  }

  /** What differs between the elements of an array stands in its script. */
  private static void refuseSecrets(Sweep sweep, List<Setting> settings) {
    settings.stream()
        .filter(setting -> setting.name().equals(OwnOption.ENV.option()))
        .flatMap(setting -> setting.values().stream())
        .filter(value -> Slots.isMarked(ByteString.ofLatin1(value).utf8()))
        .map(value -> value.split("=", 2)[0])
        .filter(SecretNames::isVariable)
        .findFirst()
        .ifPresent(
            name -> {
              throw sweep
                  .place()
                  .wrong(
                      "the values of %s, which looks like a secret, would stand in the script, which"
                              .formatted(name)
                          + " Slurm keeps",
                      "write 'as: jobs' in the sweep, or give the variable another name");
            });
  }

  /** Whether all elements have a program, and those that are wanted are there. */
  private void check(Sweep sweep, LaunchSpec spec) {
    for (String program : programs()) {
      for (int i = 0; Slots.isMarked(program) && i < sweep.size(); i++) {
        if (sweep.slots().filled(program, i).isEmpty()) {
          throw sweep
              .place()
              .wrong(
                  "with %s the command has no program".formatted(sweep.shown(i)),
                  "give other values");
        }
      }
    }
    spec.slurm(SlurmOption.ARRAY)
        .map(ArrayIndices::of)
        .filter(indices -> indices.last() >= sweep.size())
        .ifPresent(
            indices -> {
              throw Failure.usage(
                  "--array names the element %d, and the sweep has %d"
                      .formatted(indices.last(), sweep.size()),
                  "elements are counted from 0 on: 0-" + (sweep.size() - 1));
            });
  }

  /** The job's name, unless another is given: the file's. */
  private Layer name() {
    String file = place.file().substring(place.file().lastIndexOf('/') + 1);
    String name = file.replaceFirst("\\.ya?ml$", "").replaceAll("[^A-Za-z0-9._+-]", "_");
    return new Layer(
        List.of(
            new Setting(
                SlurmOption.JOB_NAME.option(),
                List.of(name.isEmpty() ? "hpcrun" : name),
                new Origin(Origin.Kind.JOB_FILE, place.toString()))));
  }

  private Set<String> programs() {
    return launches.isEmpty()
        ? Set.of(command.getFirst())
        : launches.stream().map(launch -> launch.command().getFirst()).collect(Collectors.toSet());
  }

  /** The program of all launches, if they have one: what is known of it makes a better plan. */
  private List<String> program() {
    return programs().size() == 1 && programs().stream().noneMatch(Slots::isMarked)
        ? List.copyOf(programs())
        : List.of();
  }

  private LaunchSpec withScript(Requests.Requested requested) {
    LaunchSpec spec = requested.spec();
    List<EnvironmentVariable> below = new ArrayList<>();
    List<EnvironmentVariable> ofAll = new ArrayList<>();
    Set<String> differing = differing();
    spec.container()
        .environment()
        .forEach(
            variable ->
                (differing.contains(variable.name()) || Slots.isMarked(variable.value().utf8())
                        ? below
                        : ofAll)
                    .add(variable));
    ByteString script =
        script(launch -> launch.rendered(shares(launch, requested.settings()), below));
    return spec.with(spec.container().with(ofAll))
        .with(
            new UserScript(
                List.of(), INTERPRETER.stream().map(ByteString::of).toList(), List.of(), script));
  }

  /** Variables that a launch sets otherwise than others: the script sets them for each. */
  private Set<String> differing() {
    return launches.stream()
        .flatMap(launch -> launch.environment().stream())
        .map(EnvironmentVariable::name)
        .collect(Collectors.toSet());
  }

  private ByteString script(Function<Launch, LaunchScript.Launch> rendered) {
    Slots slots = array.map(Sweep::slots).orElse(Slots.NONE);
    if (launches.isEmpty()) {
      return LaunchScript.one(
          place.file(), rendered.apply(new Launch("", List.of(), command, place)), slots);
    }
    List<LaunchScript.Launch> all = launches.stream().map(rendered).toList();
    String what = "The launches of " + place.file();
    return together
        ? LaunchScript.together(what, all, slots)
        : LaunchScript.inOrder(what, all, slots);
  }

  /**
   * What a launch takes of the job where it does not say it: one that runs beside others a rank,
   * and no more CPUs and memory than it needs (srun(1), --exact, --mem).
   */
  private List<String> shares(Launch launch, List<Setting> settings) {
    List<String> shares = new ArrayList<>();
    if (launches.isEmpty()) {
      return shares;
    }
    boolean derived =
        settings.stream()
            .anyMatch(
                setting ->
                    setting.name().equals(SlurmOption.CPUS_PER_TASK.option())
                        && setting.origin().where().equals(launches.getFirst().place().toString()));
    if (derived && launch.value(SlurmOption.CPUS_PER_TASK).isEmpty()) {
      shares.add("--cpus-per-task=1");
    }
    Optional<String> ranks =
        launch.value(SlurmOption.NTASKS).or(() -> together ? Optional.of("1") : Optional.empty());
    if (launch.value(SlurmOption.NTASKS).isEmpty()) {
      ranks.ifPresent(few -> shares.add("--ntasks=" + few));
    }
    // srun would say that it takes fewer nodes than the job has.
    ranks
        .filter(few -> launch.value(SlurmOption.NODES).isEmpty())
        .filter(few -> few.equals("1") || isBelow(few, value(SlurmOption.NODES, settings)))
        .ifPresent(few -> shares.add("--nodes=" + few));
    if (together) {
      if (launch.words().stream().noneMatch(word -> word.matches("--overlap|--exact"))) {
        shares.add("--exact");
      }
      if (launch.words().stream().noneMatch(word -> word.startsWith("--mem"))) {
        shares.add("--mem=0");
      }
    }
    return shares;
  }

  private static Optional<String> value(SlurmOption option, List<Setting> settings) {
    return settings.stream()
        .filter(setting -> setting.name().equals(option.option()))
        .map(setting -> setting.values().getLast())
        .reduce((first, last) -> last);
  }

  private static boolean isBelow(String few, Optional<String> nodes) {
    return nodes
        .filter(all -> all.matches("[0-9]+"))
        .filter(all -> Long.parseLong(few) < Long.parseLong(all))
        .isPresent();
  }
}
