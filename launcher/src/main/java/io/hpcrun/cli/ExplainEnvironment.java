package io.hpcrun.cli;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.image.ImageVariables;
import io.hpcrun.json.Json;
import io.hpcrun.plan.EnvironmentReport;
import io.hpcrun.plan.EnvironmentReport.Outcome;
import io.hpcrun.plan.EnvironmentReport.Variable;
import io.hpcrun.plan.Knowledge;
import io.hpcrun.plan.Plan;
import io.hpcrun.plan.Planner;
import io.hpcrun.request.Export;
import io.hpcrun.request.GetoptParser;
import io.hpcrun.request.Requests;
import io.hpcrun.slurm.SlurmClient;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.EnvironmentRule;
import io.hpcrun.spec.EnvironmentRule.Fate;
import io.hpcrun.spec.EnvironmentRule.Kind;
import io.hpcrun.spec.EnvironmentRule.Place;
import io.hpcrun.spec.LaunchSpec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/**
 * {@code hpcrun explain env}: every variable of the caller's environment and of the launch, whether
 * the ranks get it, by which rule, and its value; nothing is submitted, and no secret is shown.
 */
final class ExplainEnvironment {
  /** Longer values are cut for people. */
  private static final int WIDTH = 120;

  private ExplainEnvironment() {}

  static int run(List<String> words, Console console) {
    Options options = Asked.options().addOption(Option.builder().longOpt("json").get());
    GetoptParser parser = new GetoptParser(options, "explain");
    boolean json = parser.parse(words).options().hasOption("json");
    Requests.Requested requested = Asked.of(words, parser, console).first();
    LaunchSpec spec = requested.spec();
    Knowledge known = new Launcher(new SlurmClient(), console).look(spec);
    Plan plan = Planner.plan(spec, known);
    Map<String, String> environment = console.userVariables();
    Collection<Variable> variables =
        EnvironmentReport.of(
            plan,
            environment,
            requested.secrets().names(),
            before(spec, environment),
            imageVariables(known));
    if (json) {
      console.out().writeBytes(json(known, plan, variables));
      console.out().println();
    } else {
      print(variables, console);
    }
    return ExitCode.OK.code();
  }

  /** Why variables do not come to the job: sbatch does not get them, or does not hand them on. */
  private static Map<String, EnvironmentRule> before(
      LaunchSpec spec, Map<String, String> environment) {
    Map<String, EnvironmentRule> before = new HashMap<>();
    Export export = Export.of(spec, environment);
    for (String name : environment.keySet()) {
      if (!export.has(name) && !name.startsWith("SLURM_")) {
        before.put(
            name,
            new EnvironmentRule(
                name,
                Kind.USER,
                Place.SUBMISSION,
                Fate.DROP,
                "sbatch is not to hand it on; the job gets what a new login has on its first node",
                export.source()));
      }
    }
    before.putAll(SubmittedEnvironment.of(spec, false, environment).withheld());
    return before;
  }

  private static ImageVariables imageVariables(Knowledge known) {
    try {
      return ImageVariables.read(known.image());
    } catch (IOException unreadable) {
      throw Failure.image(
          "the image " + known.image().path() + " cannot be looked into: " + unreadable,
          "check the file; 'hpcrun inspect' says more");
    }
  }

  /** Those of a rule together, which says why once. */
  private static void print(Collection<Variable> variables, Console console) {
    Map<String, List<Variable>> groups = new LinkedHashMap<>();
    for (Outcome outcome : Outcome.values()) {
      for (Kind kind : Kind.values()) {
        variables.stream()
            .filter(each -> each.outcome() == outcome && each.kind() == kind)
            .forEach(
                each -> groups.computeIfAbsent(title(each), key -> new ArrayList<>()).add(each));
      }
    }
    groups.forEach(
        (title, group) -> {
          line(console, title);
          group.forEach(each -> line(console, "  " + each.name() + shown(each)));
        });
    line(console, "");
    line(
        console,
        "%d pass, %d are dropped, %d are set; of %d secret-looking no value is shown"
            .formatted(
                count(variables, Outcome.PASSES),
                count(variables, Outcome.DROPPED),
                count(variables, Outcome.SET),
                variables.stream().filter(Variable::secret).count()));
  }

  private static long count(Collection<Variable> variables, Outcome outcome) {
    return variables.stream().filter(each -> each.outcome() == outcome).count();
  }

  private static String title(Variable variable) {
    return "%s, %s: %s [%s]"
        .formatted(
            label(variable.outcome()),
            variable.kind().label(),
            variable.reason(),
            variable.source());
  }

  private static String label(Outcome outcome) {
    return outcome.name().toLowerCase(Locale.ROOT);
  }

  private static String shown(Variable variable) {
    String secret = variable.secret() ? " (secret-looking: not shown)" : "";
    if (variable.value().isEmpty()) {
      return (variable.decided().isEmpty() ? "" : ": " + variable.decided()) + secret;
    }
    String value = ByteString.of(variable.value().get()).toString();
    return " = "
        + (value.length() <= WIDTH
            ? value
            : value.substring(0, WIDTH) + "... (" + value.length() + " characters)");
  }

  /** Values come from anywhere. */
  private static void line(Console console, String text) {
    console.out().println(InspectCommand.printable(text));
  }

  private static byte[] json(Knowledge known, Plan plan, Collection<Variable> variables) {
    return Json.write(
        json -> {
          json.writeStringProperty("schema", "hpcrun.environment/1");
          json.writeStringProperty("image", known.image().path().toString());
          json.writeStringProperty("command", known.program().name());
          json.writeBooleanProperty("clean", plan.spec().container().choice().clean());
          Json.objects(
              json,
              "variables",
              variables,
              variable -> {
                json.writeStringProperty("name", variable.name());
                json.writeStringProperty("outcome", label(variable.outcome()));
                json.writeStringProperty("class", variable.kind().label());
                json.writeBooleanProperty("secret", variable.secret());
                Json.string(json, "value", variable.value());
                if (!variable.decided().isEmpty()) {
                  json.writeStringProperty("decided", variable.decided());
                }
                json.writeStringProperty("why", variable.reason());
                json.writeStringProperty("source", variable.source());
              });
        });
  }
}
