package io.hpcrun.template;

import io.hpcrun.cluster.Partition;
import io.hpcrun.failure.Failure;
import io.hpcrun.jobfile.Job;
import io.hpcrun.jobfile.JobFile;
import io.hpcrun.request.GetoptParser;
import io.hpcrun.request.Layer;
import io.hpcrun.request.Layers;
import io.hpcrun.request.OptionBlock;
import io.hpcrun.request.OptionTable;
import io.hpcrun.request.Origin;
import io.hpcrun.request.Requests;
import io.hpcrun.request.Setting;
import io.hpcrun.request.SiteOptions;
import io.hpcrun.yaml.Place;
import io.hpcrun.yaml.YamlMap;
import io.hpcrun.yaml.YamlValue;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Checks templates, and runs the tests that they bring, without a cluster: values go in, and what
 * comes out is compared. The user's variables do not count, nor what the site says of all launches;
 * its modules do.
 */
public final class TemplateTests {
  private final SiteOptions site;

  /**
   * How a test went.
   *
   * @param name what it shows, or its number
   * @param place where it stands
   * @param faults what came out otherwise; empty if it passed
   */
  public record Outcome(String name, Place place, List<String> faults) {
    /** Copies the list. */
    public Outcome {
      faults = List.copyOf(faults);
    }
  }

  /** Tests where these modules are. */
  public TemplateTests(Map<String, SiteOptions.Module> modules) {
    this.site = new SiteOptions(Layer.EMPTY, Map.of(), modules);
  }

  /**
   * Refuses a file that could not be used: with defaults, and with values of the right type where
   * there are none.
   *
   * @throws Failure with exit code 2 that names file, line and column of what is wrong
   */
  public void check(JobFile file) {
    file.trials(file.samples()).forEach(job -> settings(job, List.of()));
  }

  /** The tests of the file itself; those of what it extends are its own affair. */
  public List<Outcome> run(JobFile file) {
    List<Outcome> outcomes = new ArrayList<>();
    List<YamlValue> tests =
        file.parts().getLast().text().find("tests").map(YamlValue::list).orElse(List.of());
    for (YamlValue each : tests) {
      YamlMap test = each.map();
      outcomes.add(
          new Outcome(
              test.find("name").map(YamlValue::text).orElse("test " + (outcomes.size() + 1)),
              test.place(),
              faults(file, test)));
    }
    return outcomes;
  }

  private List<String> faults(JobFile file, YamlMap test) {
    Optional<String> refusal = test.find("refuse").map(YamlValue::text);
    List<String> faults = new ArrayList<>();
    try {
      Job job = file.trials(file.values(test.find("set").map(YamlValue::map))).getFirst();
      List<Setting> settings = settings(job, MadeUpCluster.of(test));
      refusal.ifPresent(part -> faults.add("it is not refused; '" + part + "' was expected"));
      test.find("expect")
          .map(YamlValue::map)
          .ifPresent(expected -> compare(expected, job, settings, faults));
    } catch (Failure refused) {
      if (refusal.isEmpty()) {
        faults.add("it is refused: " + refused.getMessage());
      } else if (!refused.getMessage().contains(refusal.get())) {
        faults.add(
            "it is refused with '%s'; '%s' was expected"
                .formatted(refused.getMessage(), refusal.get()));
      }
    }
    return faults;
  }

  private List<Setting> settings(Job job, List<Partition> partitions) {
    GetoptParser parser = new GetoptParser(OptionTable.ofJobs(), "submit");
    Requests requests =
        new Requests(
            parser,
            new Requests.Caller(
                Path.of("/"), Map.of(), site, source -> Path.of("/fetched"), () -> partitions));
    if (job.isComplete()) {
      return job.requested(requests, parser.parse(List.of())).settings();
    }
    // One that others extend, and that names no image or command.
    return new Layers(site, Map.of()).merge(job.layers());
  }

  private static void compare(
      YamlMap expected, Job job, List<Setting> settings, List<String> faults) {
    expected
        .find("image")
        .map(YamlValue::text)
        .filter(image -> !Optional.of(image).equals(job.image()))
        .ifPresent(image -> faults.add(differs("image", job.image().orElse("none"), image)));
    expected
        .find("command")
        .map(Job::words)
        .filter(words -> !words.equals(job.command()))
        .ifPresent(
            words -> faults.add(differs("command", job.command().toString(), words.toString())));
    Layer options =
        expected
            .find("options")
            .map(map -> OptionBlock.read(map.map(), Origin.Kind.TEMPLATE))
            .orElse(Layer.EMPTY);
    for (Setting option : options.settings()) {
      List<Setting> found =
          settings.stream().filter(setting -> setting.name().equals(option.name())).toList();
      List<String> values = found.stream().flatMap(setting -> setting.values().stream()).toList();
      boolean same =
          OptionTable.adds(option.name())
              ? values.containsAll(option.values())
              : values.equals(option.values());
      if (found.isEmpty() || !same) {
        faults.add(
            differs(
                option.name(),
                found.isEmpty()
                    ? "not set"
                    : String.join(" ", found.stream().map(Setting::shown).toList()),
                option.shown()));
      }
    }
    for (String name : options.off()) {
      if (settings.stream().anyMatch(setting -> setting.name().equals(name))) {
        faults.add(name + " is set; it was expected not to be");
      }
    }
  }

  private static String differs(String what, String found, String expected) {
    return "%s is %s; %s was expected".formatted(what, found, expected);
  }
}
