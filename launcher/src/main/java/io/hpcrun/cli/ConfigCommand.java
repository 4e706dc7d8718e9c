package io.hpcrun.cli;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.json.Json;
import io.hpcrun.request.GetoptParser;
import io.hpcrun.request.Layer;
import io.hpcrun.request.OptionTable;
import io.hpcrun.request.Requests;
import io.hpcrun.request.Setting;
import io.hpcrun.request.SiteOptions;
import io.hpcrun.site.Site;
import io.hpcrun.site.SiteFiles;
import io.hpcrun.site.SiteShape;
import io.hpcrun.spec.ByteString;
import io.hpcrun.yaml.Names;
import io.hpcrun.yaml.Shape;
import io.hpcrun.yaml.ShapeDocument;
import io.hpcrun.yaml.YamlMap;
import io.hpcrun.yaml.YamlValue;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/**
 * {@code hpcrun config}: what the site and the user say of launches, and where each value is from.
 */
final class ConfigCommand {
  private final Site site;
  private final List<Value> values = new ArrayList<>();

  /**
   * One value that counts.
   *
   * @param key the option, or the site file's key
   * @param value for people
   * @param origin who says so
   */
  private record Value(String key, String value, String origin) {}

  private ConfigCommand(Site site) {
    this.site = site;
  }

  static int run(List<String> words, Console console) {
    Options options = OptionTable.ofJobs().addOption(Option.builder().longOpt("json").get());
    GetoptParser parser = new GetoptParser(options, "config");
    GetoptParser.Parsed parsed = parser.parse(words);
    List<String> rest =
        parsed.rest().stream().map(word -> ByteString.ofLatin1(word).toString()).toList();
    String verb = rest.isEmpty() ? "" : rest.getFirst();
    if (rest.size() > (verb.equals("check") ? 2 : 1)) {
      throw Failure.usage(
          "hpcrun config shows one key, and '" + rest.getLast() + "' follows '" + verb + "'",
          "write: hpcrun config [options] [KEY]");
    }
    switch (verb) {
      case "schema" -> {
        console
            .out()
            .println(
                ShapeDocument.jsonSchema("hpcrun.site/1", "hpcrun's site file", SiteShape.FILE));
        return ExitCode.OK.code();
      }
      case "reference" -> {
        console.out().print(ShapeDocument.markdown(SiteShape.FILE));
        return ExitCode.OK.code();
      }
      case "check" -> {
        return check(rest, console);
      }
      default -> {
        Site site = Site.of(console.environment());
        if (verb.equals("modules")) {
          modules(site, console.out());
          return ExitCode.OK.code();
        }
        ConfigCommand config = new ConfigCommand(site);
        config.collect(parsed, new Requests(parser, Main.at(console).caller()));
        config.collectBlocks(verb);
        config.show(verb, parsed.options().hasOption("json"), console.out());
        return ExitCode.OK.code();
      }
    }
  }

  private static int check(List<String> rest, Console console) {
    Path file =
        rest.size() > 1
            ? console.workingDirectory().resolve(rest.get(1))
            : SiteFiles.find(console.environment())
                .orElseThrow(
                    () ->
                        Failure.usage(
                            "there is no " + SiteFiles.DEFAULT,
                            "name the file: hpcrun config check FILE"));
    boolean installed = rest.size() == 1;
    List<Path> missing = Site.of(file, console.environment().getOrDefault("HOME", "")).check();
    if (installed && !missing.isEmpty()) {
      throw Failure.usage(
          "there is no file %s, which %s names as its rules".formatted(missing.getFirst(), file),
          "put it there, or take its name out of 'policy'");
    }
    console
        .out()
        .println(
            "%s%s: good%s"
                .formatted(
                    file,
                    SiteFiles.dropIns(file).stream()
                        .map(each -> ", " + each.getFileName())
                        .collect(Collectors.joining()),
                    missing.isEmpty()
                        ? ""
                        : missing.stream()
                            .map(Path::toString)
                            .collect(Collectors.joining(", ", "; not there yet: ", ""))));
    return ExitCode.OK.code();
  }

  private static void modules(Site site, PrintStream out) {
    if (site.options().modules().isEmpty()) {
      out.println("this site declares no modules");
    }
    for (SiteOptions.Module module : site.options().modules().values()) {
      out.println(module.name() + "  " + InspectCommand.printable(module.description()));
      if (!module.requires().isEmpty()) {
        out.println("    with " + String.join(", ", module.requires()));
      }
      if (!module.conflicts().isEmpty()) {
        out.println("    not beside " + String.join(", ", module.conflicts()));
      }
      for (Setting setting : module.options().settings()) {
        out.println("    " + setting.name() + " = " + InspectCommand.printable(setting.shown()));
      }
    }
  }

  private void collect(GetoptParser.Parsed parsed, Requests requests) {
    collect("", site.text(), SiteShape.FILE);
    for (Setting setting : requests.settings(parsed)) {
      values.add(new Value(setting.name(), setting.shown(), setting.origin().toString()));
    }
  }

  /** The keys of the file itself; the options in it follow with those of others. */
  private void collect(String prefix, YamlMap map, Shape.Keys shape) {
    for (Shape.Key key : shape.keys()) {
      Optional<YamlValue> value = map.find(key.name());
      if (key.shape() instanceof Shape.Keys keys && !key.name().equals("defaults")) {
        value.ifPresent(each -> collect(prefix + key.name() + ".", each.map(), keys));
      } else if (value.isPresent() && !(value.get() instanceof YamlMap)) {
        values.add(
            new Value(
                prefix + key.name(),
                value.get().listOrOne().stream()
                    .map(YamlValue::text)
                    .collect(Collectors.joining(" ")),
                "site: " + value.get().place()));
      }
    }
  }

  /** What the file's own blocks of options say, also where somebody wins over it. */
  private void collectBlocks(String wanted) {
    if (wanted.equals("defaults")) {
      collect("defaults.", site.options().defaults());
    } else if (wanted.equals("partitions") || wanted.startsWith("partitions.")) {
      site.options()
          .partitions()
          .forEach((name, options) -> collect("partitions." + name + ".", options));
    }
  }

  private void collect(String prefix, Layer options) {
    for (Setting setting : options.settings()) {
      values.add(new Value(prefix + setting.name(), setting.shown(), setting.origin().toString()));
    }
  }

  /** All values; with a key, its own, or those of the section that it names. */
  private void show(String key, boolean asJson, PrintStream out) {
    List<Value> shown =
        values.stream()
            .filter(
                value ->
                    key.isEmpty() || value.key().equals(key) || value.key().startsWith(key + "."))
            .toList();
    if (shown.isEmpty() && !key.isEmpty()) {
      notSet(key, asJson, out);
      return;
    }
    if (asJson) {
      out.writeBytes(json(shown));
      out.println();
      return;
    }
    if (key.isEmpty()) {
      out.println(
          site.file()
              .map(file -> "site file " + file)
              .orElse("no site file (" + SiteFiles.DEFAULT + ", or " + SiteFiles.VARIABLE + ")"));
    }
    for (Value value : shown) {
      out.println(value.key() + " = " + InspectCommand.printable(value.value()));
      out.println("    [" + InspectCommand.printable(value.origin()) + "]");
    }
  }

  private void notSet(String key, boolean asJson, PrintStream out) {
    List<String> known = new ArrayList<>();
    collectNames("", SiteShape.FILE, known);
    Optional<OptionTable.Entry> option =
        OptionTable.entries().stream().filter(entry -> entry.name().equals(key)).findFirst();
    if (option.isEmpty() && !known.contains(key)) {
      known.addAll(OptionTable.entries().stream().map(OptionTable.Entry::name).toList());
      throw Failure.usage(
          "there is no key or option '" + InspectCommand.printable(key) + "'",
          Names.nearest(key, known)
              .map(name -> "write '" + name + "'")
              .orElse(
                  "'hpcrun config reference' lists the keys, 'hpcrun help submit' the options"));
    }
    if (asJson) {
      out.writeBytes(json(List.of()));
      out.println();
      return;
    }
    out.println(key + " is not set");
    out.println(
        "    [built-in] "
            + option.map(OptionTable.Entry::help).orElse("see 'hpcrun config reference'"));
  }

  private static void collectNames(String prefix, Shape.Keys shape, List<String> names) {
    for (Shape.Key key : shape.keys()) {
      names.add(prefix + key.name());
      if (key.shape() instanceof Shape.Keys keys && !key.name().equals("defaults")) {
        collectNames(prefix + key.name() + ".", keys, names);
      }
    }
  }

  private static byte[] json(List<Value> values) {
    return Json.write(
        json -> {
          json.writeStringProperty("schema", "hpcrun.config/1");
          Json.objects(
              json,
              "values",
              values,
              value -> {
                json.writeStringProperty("key", value.key());
                json.writeStringProperty("value", value.value());
                json.writeStringProperty("origin", value.origin());
              });
        });
  }
}
