package io.hpcrun.site;

import io.hpcrun.failure.Failure;
import io.hpcrun.policy.Policy;
import io.hpcrun.policy.PolicyFile;
import io.hpcrun.request.Layer;
import io.hpcrun.request.Layers;
import io.hpcrun.request.Modules;
import io.hpcrun.request.OptionBlock;
import io.hpcrun.request.Origin;
import io.hpcrun.request.Setting;
import io.hpcrun.request.SiteOptions;
import io.hpcrun.spec.FabricChoice;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.yaml.Names;
import io.hpcrun.yaml.Place;
import io.hpcrun.yaml.Shape;
import io.hpcrun.yaml.TrustedFile;
import io.hpcrun.yaml.YamlMap;
import io.hpcrun.yaml.YamlValue;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What the administrators declare.
 *
 * @param file the site file; empty if this site has none
 * @param text what stands in it and its drop-ins
 * @param options what it says of launches
 * @param variables hpcrun's own variables that it sets, for those that the user does not set
 */
public record Site(
    Optional<Path> file, YamlMap text, SiteOptions options, Map<String, String> variables) {

  /** A site without a file. */
  public static final Site NONE =
      new Site(
          Optional.empty(),
          new YamlMap(new Place("built-in", 1, 1), Map.of()),
          SiteOptions.NONE,
          Map.of());

  /** Copies the map. */
  public Site {
    variables = Map.copyOf(variables);
  }

  /**
   * Reads what counts here.
   *
   * @param environment the user's variables
   * @throws Failure with exit code 2 that names file, line and column of what is wrong
   */
  public static Site of(Map<String, String> environment) {
    return SiteFiles.find(environment)
        .map(file -> of(file, environment.getOrDefault("HOME", "")))
        .orElse(NONE);
  }

  /** Reads a site file and its drop-ins. */
  public static Site of(Path file, String home) {
    YamlMap text = SiteFiles.read(file);
    return new Site(Optional.of(file), text, options(text), variables(text, home));
  }

  /** The same site for who has options already: its rules only. */
  public Site rulesOnly() {
    return new Site(file, text, SiteOptions.NONE, Map.of());
  }

  /**
   * Refuses what launches would fail with: modules of the defaults or of a partition that are not
   * declared or exclude each other, modules that exclude what they require, and rules that cannot
   * be read.
   *
   * @return files of rules that are not there, as those of a site that is not installed yet; the
   *     rules are not read then
   * @throws Failure with exit code 2 that names file, line and column
   */
  public List<Path> check() {
    for (YamlMap.Entry module : entries(text, "modules").toList()) {
      Modules needed = new Modules(options.modules());
      at(
          module.place(),
          () -> {
            needed.add(module.key(), "modules");
            needed.wanted();
          });
    }
    Layers layers = new Layers(options, Map.of());
    text.find("defaults").ifPresent(block -> at(block.place(), () -> layers.merge(List.of())));
    for (YamlMap.Entry partition : entries(text, "partitions").toList()) {
      Setting there =
          new Setting(
              SlurmOption.PARTITION.option(),
              List.of(partition.key()),
              new Origin(Origin.Kind.PARTITION, partition.place().toString()));
      at(partition.place(), () -> layers.merge(List.of(new Layer(List.of(there)))));
    }
    List<Path> missing = policyFiles().stream().filter(Files::notExists).toList();
    if (missing.isEmpty()) {
      policy();
    }
    return missing;
  }

  private static void at(Place place, Runnable check) {
    try {
      check.run();
    } catch (Failure wrong) {
      throw place.wrong(wrong.getMessage(), wrong.remedy());
    }
  }

  /** Where the site keeps templates. */
  public List<Path> templates() {
    return paths("templates");
  }

  /** The files with rules that launches must keep. */
  public List<Path> policyFiles() {
    return paths("policy");
  }

  private List<Path> paths(String key) {
    return text.find(key).stream()
        .flatMap(value -> value.listOrOne().stream())
        .map(value -> Path.of(value.text()))
        .toList();
  }

  /**
   * The rules that launches must keep, read from their files.
   *
   * @throws Failure with exit code 2 that names file, line and column of what is wrong
   */
  public Policy policy() {
    List<Path> files = policyFiles();
    files.forEach(TrustedFile::of);
    return PolicyFile.read(files, contact());
  }

  /** Whom users ask, if the site says so. */
  public Optional<String> contact() {
    return text.find("contact").map(YamlValue::text);
  }

  private static SiteOptions options(YamlMap text) {
    Map<String, Layer> partitions = new LinkedHashMap<>();
    Map<String, SiteOptions.Module> modules = new LinkedHashMap<>();
    entries(text, "partitions")
        .forEach(
            entry ->
                partitions.put(
                    entry.key(), OptionBlock.read(entry.value().map(), Origin.Kind.PARTITION)));
    List<YamlMap.Entry> declared = entries(text, "modules").toList();
    Set<String> names =
        declared.stream().map(YamlMap.Entry::key).collect(Collectors.toCollection(TreeSet::new));
    for (YamlMap.Entry entry : declared) {
      YamlMap module = entry.value().map();
      modules.put(
          entry.key(),
          new SiteOptions.Module(
              entry.key(),
              module.find("description").map(YamlValue::text).orElse(""),
              modules(module, "requires", names),
              modules(module, "conflicts", names),
              OptionBlock.read(module, Origin.Kind.MODULE)));
    }
    return new SiteOptions(
        text.find("defaults")
            .map(block -> OptionBlock.read(block.map(), Origin.Kind.SITE))
            .orElse(Layer.EMPTY),
        partitions,
        modules);
  }

  private static Stream<YamlMap.Entry> entries(YamlMap text, String key) {
    return text.find(key).stream().flatMap(map -> map.map().entries().values().stream());
  }

  private static List<String> modules(YamlMap module, String key, Set<String> names) {
    return module.find(key).stream()
        .flatMap(value -> value.listOrOne().stream())
        .map(
            value -> {
              if (!names.contains(value.text())) {
                throw Names.unknown(value.place(), "there is no module '%s'", value.text(), names);
              }
              return value.text();
            })
        .toList();
  }

  private static Map<String, String> variables(YamlMap text, String home) {
    Map<String, String> variables = new LinkedHashMap<>();
    value(text, "records", "spool").ifPresent(value -> variables.put("HPCRUN_SPOOL", value.text()));
    value(text, "records", "directory")
        .ifPresent(value -> variables.put("HPCRUN_RECORDS", value.text().replaceFirst("^~", home)));
    value(text, "fabric", "locked-memory")
        .ifPresent(
            value ->
                variables.put(
                    FabricChoice.MEMLOCK_VARIABLE, (Shape.Size.bytes(value) >> 20) + "M"));
    value(text, "daemon", "socket")
        .ifPresent(value -> variables.put("HPCRUN_DAEMON", value.text()));
    return variables;
  }

  private static Optional<YamlValue> value(YamlMap text, String section, String key) {
    return text.find(section).flatMap(map -> map.map().find(key));
  }
}
