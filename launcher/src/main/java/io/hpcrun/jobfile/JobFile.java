package io.hpcrun.jobfile;

import io.hpcrun.failure.Failure;
import io.hpcrun.request.Origin;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.yaml.Names;
import io.hpcrun.yaml.Shape;
import io.hpcrun.yaml.YamlMap;
import io.hpcrun.yaml.YamlValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/** A job file or template as it is written, with what it extends. */
public final class JobFile {
  /**
   * A file.
   *
   * @param kind what it is
   * @param text what stands in it
   */
  public record Part(Origin.Kind kind, YamlMap text) {}

  private final List<Part> parts;
  private final Map<String, Parameter> parameters = new LinkedHashMap<>();

  /**
   * @param parts the file behind those that it extends
   * @throws Failure with exit code 2 that names file, line and column of what is wrong
   */
  public JobFile(List<Part> parts) {
    this.parts = List.copyOf(parts);
    Map<String, YamlMap> declared = new LinkedHashMap<>();
    for (Part part : parts) {
      part.text().allow(JobFileShape.FILE.names());
      for (Shape.Key key : JobFileShape.OF_FILE) {
        part.text().find(key.name()).ifPresent(key.shape()::check);
      }
      part.text().find("parameters").map(YamlValue::map).stream()
          .flatMap(map -> map.entries().values().stream())
          .forEach(entry -> declared.merge(entry.key(), entry.value().map(), JobFile::both));
    }
    declared.forEach((name, map) -> parameters.put(name, Parameter.read(name, map)));
  }

  /** What a file says of a parameter that it takes over, over what was said before. */
  private static YamlMap both(YamlMap before, YamlMap after) {
    Map<String, YamlMap.Entry> entries = new LinkedHashMap<>(before.entries());
    entries.putAll(after.entries());
    return new YamlMap(after.place(), entries);
  }

  /** The parameters, by their names. */
  public Map<String, Parameter> parameters() {
    return java.util.Collections.unmodifiableMap(parameters);
  }

  /** What it is for, in its own words or those of what it extends; may be empty. */
  public String description() {
    return parts.reversed().stream()
        .flatMap(part -> part.text().find("description").stream())
        .findFirst()
        .map(YamlValue::text)
        .orElse("");
  }

  /** The file, after those that it extends. */
  public List<Part> parts() {
    return parts;
  }

  /**
   * The values of all parameters.
   *
   * @param given the words {@code NAME=VALUE} of the command line; a list is given by several
   * @throws Failure with exit code 2 for a value that is wrong, twice there, missing or swept
   */
  public Map<String, Parameter.Value> values(List<String> given) {
    Map<String, List<String>> texts = new LinkedHashMap<>();
    for (String word : given) {
      int equals = word.indexOf('=');
      if (equals < 1) {
        throw Failure.usage(
            "--set %s is not NAME=VALUE".formatted(Parameter.shown(word)),
            "write the parameter's name, = and its value" + named());
      }
      texts
          .computeIfAbsent(word.substring(0, equals), name -> new ArrayList<>())
          .add(word.substring(equals + 1));
    }
    refuseSwept(texts.keySet());
    texts.keySet().stream()
        .filter(name -> !parameters.containsKey(name))
        .findFirst()
        .ifPresent(
            name -> {
              throw Failure.usage(
                  "--set %s: there is no parameter '%1$s'".formatted(Parameter.shown(name)),
                  Names.remedy(name, parameters.keySet()));
            });
    return values(
        parameter ->
            Optional.ofNullable(texts.get(parameter.name())).map(all -> given(parameter, all)));
  }

  /**
   * The values of all parameters, where a test gives some.
   *
   * @param set values by the parameters' names, with their places
   * @throws Failure with exit code 2 for a value that is wrong or missing
   */
  public Map<String, Parameter.Value> values(Optional<YamlMap> set) {
    set.ifPresent(this::checkNames);
    return values(
        parameter ->
            set.flatMap(map -> map.find(parameter.name())).map(text -> valueAt(text, parameter)));
  }

  /** Values to check the file with: what it sets, defaults, and right values for the others. */
  public Map<String, Parameter.Value> samples() {
    return values(
        parameter ->
            settled(parameter).isEmpty() ? Optional.of(parameter.sample()) : Optional.empty());
  }

  private Map<String, Parameter.Value> values(
      Function<Parameter, Optional<Parameter.Value>> given) {
    Map<String, Parameter.Value> values = new LinkedHashMap<>();
    Set<String> swept = swept().keySet();
    parameters.forEach(
        (name, parameter) -> {
          Optional<Parameter.Value> value = given.apply(parameter).or(() -> settled(parameter));
          if (value.isEmpty() && !swept.contains(name)) {
            throw missing(parameter);
          }
          value.ifPresent(each -> values.put(name, each));
        });
    return values;
  }

  private static Parameter.Value given(Parameter parameter, List<String> texts) {
    if (texts.size() > 1 && parameter.type() != ParameterType.LIST) {
      throw Failure.usage(
          "--set gives the parameter " + parameter.name() + " twice", "give it once");
    }
    return parameter.value(
        texts,
        (found, remedy) -> Failure.usage("--set " + parameter.name() + ": " + found, remedy));
  }

  private Failure missing(Parameter parameter) {
    String help = parameter.help().lines().findFirst().orElse("");
    return Failure.usage(
        "the parameter %s has no value%s (%s)"
            .formatted(
                parameter.name(), help.isEmpty() ? "" : "; it is: " + help, parameter.place()),
        "give it one: --set=%s=%s"
            .formatted(
                parameter.name(),
                parameter
                    .example()
                    .map(words -> Parameter.shown(words.getFirst()))
                    .orElse("VALUE")));
  }

  private String named() {
    return parameters.isEmpty()
        ? "; this file has no parameters"
        : "; the parameters are " + String.join(", ", parameters.keySet());
  }

  /** A parameter's value by these files: what the last of them sets, or the default. */
  private Optional<Parameter.Value> settled(Parameter parameter) {
    Optional<Parameter.Value> value =
        parameter.byDefault().map(words -> new Parameter.Value(words, parameter.type().plain()));
    for (Part part : parts) {
      Optional<YamlValue> set =
          part.text().find("set").flatMap(map -> map.map().find(parameter.name()));
      if (set.isPresent()) {
        value = Optional.of(valueAt(set.get(), parameter));
      }
    }
    return value;
  }

  private static Parameter.Value valueAt(YamlValue text, Parameter parameter) {
    return parameter.value(Parameter.texts(text, parameter.type()), text.place()::wrong);
  }

  private Optional<YamlMap> sweepText() {
    return parts.reversed().stream()
        .flatMap(part -> part.text().find("sweep").stream())
        .findFirst()
        .map(YamlValue::map);
  }

  private Map<String, YamlMap.Entry> swept() {
    return sweepText()
        .flatMap(text -> text.find("parameters"))
        .map(map -> map.map().entries())
        .orElse(Map.of());
  }

  private void refuseSwept(Set<String> given) {
    swept().values().stream()
        .filter(entry -> given.contains(entry.key()))
        .findFirst()
        .ifPresent(
            entry -> {
              throw entry
                  .place()
                  .wrong(
                      "'%s' is swept here, and --set gives it one value".formatted(entry.key()),
                      "take it out of --set, or out of the sweep");
            });
  }

  /**
   * The sweep, if there is one.
   *
   * @param values the values of the other parameters, which may say how far it goes
   * @throws Failure with exit code 2 that names file, line and column of what is wrong
   */
  public Optional<Sweep> sweep(Map<String, Parameter.Value> values) {
    String array = SlurmOption.ARRAY.option();
    for (Part part : parts) {
      if (sweepText().isPresent() && part.text().entries().containsKey(array)) {
        throw part.text()
            .entries()
            .get(array)
            .place()
            .wrong("there is a sweep, which says what the array is", "leave '" + array + "' out");
      }
    }
    return sweepText().map(text -> Sweep.read(new Blanks(values).fill(text).map(), parameters));
  }

  /**
   * What is asked for, with these values in the blanks.
   *
   * @throws Failure with exit code 2 that names file, line and column of what is wrong
   */
  public Job job(Map<String, Parameter.Value> values) {
    return job(values, Optional.empty());
  }

  /** What is asked for, to try it: the job, the array, or the first and last of several jobs. */
  public List<Job> trials(Map<String, Parameter.Value> values) {
    Optional<Sweep> sweep = sweep(values);
    if (sweep.isEmpty()) {
      return List.of(job(values));
    }
    return sweep.get().jobs()
        ? List.of(
            element(values, sweep.get(), 0), element(values, sweep.get(), sweep.get().size() - 1))
        : List.of(array(values, sweep.get()));
  }

  /** The job array of a sweep. */
  public Job array(Map<String, Parameter.Value> values, Sweep sweep) {
    Map<String, Parameter.Value> all = new LinkedHashMap<>(values);
    all.putAll(sweep.marks());
    return job(all, Optional.of(sweep));
  }

  /** The command of each element of a sweep, if they differ in nothing else. */
  public Optional<IntFunction<List<String>>> commands(
      Map<String, Parameter.Value> values, Sweep sweep) {
    Map<String, Parameter.Value> all = new LinkedHashMap<>(values);
    all.putAll(sweep.marks());
    Optional<YamlValue> command = Optional.empty();
    for (Part part : parts) {
      YamlMap filled = filled(part.text(), new Blanks(all));
      if (!Marks.areOnlyIn("command", filled) || filled.find("launches").isPresent()) {
        return Optional.empty();
      }
      command = filled.find("command").or(keep(command));
    }
    return command
        .map(JobFileShape::words)
        .map(
            words ->
                element ->
                    words.stream().map(word -> sweep.slots().filled(word, element)).toList());
  }

  private static <T> Supplier<Optional<T>> keep(Optional<T> value) {
    return () -> value;
  }

  /** An element of a sweep as a job of its own. */
  public Job element(Map<String, Parameter.Value> values, Sweep sweep, int element) {
    Map<String, Parameter.Value> all = new LinkedHashMap<>(values);
    all.putAll(sweep.values(element));
    return job(all, Optional.empty());
  }

  private Job job(Map<String, Parameter.Value> values, Optional<Sweep> array) {
    Blanks blanks = new Blanks(values);
    Job.Builder job = new Job.Builder(parts.getLast().text().place(), array);
    for (Part part : parts) {
      YamlMap filled = filled(part.text(), blanks);
      filled.find("launches").ifPresent(Launch::refuseOptionsOfJobs);
      array.ifPresent(sweep -> Marks.refuse(filled, sweep));
      JobFileShape.FILE.check(filled);
      filled.find("set").map(YamlValue::map).ifPresent(this::checkNames);
      job.add(part.kind(), filled);
    }
    return job.build();
  }

  private static YamlMap filled(YamlMap text, Blanks blanks) {
    Map<String, YamlMap.Entry> entries = new LinkedHashMap<>(text.entries());
    entries.remove("sweep"); // it says itself what stands in blanks
    List<String> without = JobFileShape.OF_FILE.stream().map(Shape.Key::name).toList();
    entries.replaceAll(
        (key, entry) ->
            without.contains(key)
                ? entry
                : new YamlMap.Entry(key, entry.place(), blanks.fill(entry.value())));
    return new YamlMap(text.place(), entries);
  }

  /** Refuses values for what is no parameter. */
  private void checkNames(YamlMap set) {
    set.entries().values().stream()
        .filter(entry -> !parameters.containsKey(entry.key()))
        .findFirst()
        .ifPresent(
            entry -> {
              throw Names.unknown(
                  entry.place(), "there is no parameter '%s'", entry.key(), parameters.keySet());
            });
  }
}
