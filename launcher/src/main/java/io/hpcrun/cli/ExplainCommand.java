package io.hpcrun.cli;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.image.ImageProfile;
import io.hpcrun.image.Program;
import io.hpcrun.json.Json;
import io.hpcrun.plan.Advice;
import io.hpcrun.plan.Decision;
import io.hpcrun.plan.Knowledge;
import io.hpcrun.planning.PlanAnswer;
import io.hpcrun.planning.PlanAnswerJson;
import io.hpcrun.request.GetoptParser;
import io.hpcrun.request.Origin;
import io.hpcrun.request.Requests;
import io.hpcrun.request.Setting;
import io.hpcrun.slurm.SlurmClient;
import java.io.PrintStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** {@code hpcrun explain}: every decision of a launch, with its reason; nothing is submitted. */
final class ExplainCommand {
  private final PrintStream out;

  private ExplainCommand(PrintStream out) {
    this.out = out;
  }

  static int run(List<String> words, Console console) {
    if (!words.isEmpty() && words.getFirst().equals("env")) {
      return ExplainEnvironment.run(words.subList(1, words.size()), console);
    }
    Options options = Asked.options().addOption(Option.builder().longOpt("json").get());
    GetoptParser parser = new GetoptParser(options, "explain");
    boolean json = parser.parse(words).options().hasOption("json");
    Requests.Requested requested = Asked.of(words, parser, console).first();
    Launcher launcher = new Launcher(new SlurmClient(), console);
    Knowledge known = launcher.look(requested);
    PlanAnswer plan = sourced(launcher.decide(requested, known), requested.settings());
    if (json) {
      console.out().writeBytes(json(known, plan, requested.settings()));
      console.out().println();
    } else {
      new ExplainCommand(console.out()).print(known, plan, requested.settings());
    }
    return (plan.refusals().isEmpty() ? ExitCode.OK : ExitCode.REFUSED).code();
  }

  /** An option may have been given by the site or a file, and not on the command line. */
  private static PlanAnswer sourced(PlanAnswer plan, List<Setting> settings) {
    Map<String, String> origins = new HashMap<>();
    for (Setting setting : settings) {
      if (setting.origin().kind() == Origin.Kind.PACKING) {
        origins.put("option --" + setting.name(), "option --resources");
      } else if (setting.origin().kind() != Origin.Kind.OPTION) {
        origins.put("option --" + setting.name(), setting.origin().toString());
      }
    }
    return plan.with(
        plan.decisions().stream()
            .map(
                each ->
                    new Decision(
                        each.what(),
                        each.value(),
                        each.reason(),
                        origins.getOrDefault(each.source(), each.source())))
            .toList());
  }

  private void print(Knowledge known, PlanAnswer plan, List<Setting> settings) {
    line("image    " + known.image().path());
    known
        .profile()
        .ifPresent(
            profile ->
                line(
                    "         "
                        + (profile.mpi().isEmpty()
                            ? "it holds no MPI"
                            : profile.mpi().stream()
                                .map(ExplainCommand::named)
                                .collect(Collectors.joining("; ")))));
    known
        .host()
        .ifPresent(host -> line("host     %s = %s".formatted(host.library(), named(host.mpi()))));
    line("command  " + described(known.program()));
    line(
        "cluster  Slurm %s, srun --mpi=%s, MpiDefault %s"
            .formatted(
                known.cluster().slurmVersion(),
                known.cluster().mpiPlugins().map(each -> String.join("|", each)).orElse("?"),
                known.cluster().mpiDefault()));
    line("");
    for (Setting setting : settings) {
      // What was packed is among the decisions.
      if (setting.origin().kind() != Origin.Kind.OPTION
          && setting.origin().kind() != Origin.Kind.PACKING) {
        line("--" + setting.name() + " = " + setting.shown());
        line("    [" + setting.origin() + "]");
      }
    }
    for (Decision decision : plan.decisions()) {
      line(decision.what() + " = " + decision.value());
      line("    " + decision.reason());
      line("    [" + decision.source() + "]");
    }
    line("");
    plan.warnings().forEach(warning -> print("warning", warning));
    plan.refusals().forEach(refusal -> print("refused", refusal));
    if (plan.refusals().isEmpty()) {
      line(
          !plan.warnings().isEmpty()
              ? "verdict: it may fail; see the warnings above"
              : known.program().name().isEmpty() || known.program().path().isPresent()
                  ? "verdict: it fits"
                  : "verdict: it fits, if the command is there; it was not found");
    } else {
      line(
          plan.refusals().stream().anyMatch(Advice::isOfSite)
              ? "verdict: refused by the site's policy; nothing would be submitted"
              : "verdict: refused; nothing would be submitted without --force");
    }
  }

  private void print(String kind, Advice advice) {
    line(kind + ": " + advice.text());
    line("    what to do: " + advice.remedy());
    line("    [" + advice.source() + "]");
  }

  private static String named(ImageProfile.Mpi mpi) {
    return "%s (%s), speaks %s"
        .formatted(
            mpi.label(),
            "/" + mpi.path(),
            mpi.speaks().isEmpty()
                ? "no interface of Slurm's"
                : String.join(" and ", mpi.speaks()));
  }

  private static String described(Program program) {
    if (program.name().isEmpty()) {
      return "a script, whose launches are not known yet";
    }
    String what =
        program.isLauncher()
            ? "starts MPI ranks itself"
            : program
                .mpi()
                .map(mpi -> "linked to " + mpi.label() + " at /" + mpi.path())
                .orElse(
                    switch (program.reach()) {
                      case CLOSED -> "not an MPI program";
                      case OPEN -> "may start or load something else";
                      case UNKNOWN ->
                          program.path().isPresent()
                              ? "it could not be looked at"
                              : "not found in the container";
                    });
    return program.name() + program.path().map(path -> " = " + path).orElse("") + ": " + what;
  }

  /** Names and labels come from files that others wrote. */
  private void line(String text) {
    out.println(InspectCommand.printable(text));
  }

  private static byte[] json(Knowledge known, PlanAnswer plan, List<Setting> settings) {
    return Json.write(
        json -> {
          json.writeStringProperty("schema", "hpcrun.plan/1");
          json.writeStringProperty("image", known.image().path().toString());
          json.writeStringProperty("command", known.program().name());
          known.program().path().ifPresent(path -> json.writeStringProperty("program", path));
          known
              .program()
              .mpi()
              .ifPresent(mpi -> json.writeStringProperty("linked_to", mpi.label()));
          json.writeStringProperty("slurm", known.cluster().slurmVersion());
          Json.objects(
              json,
              "settings",
              settings,
              setting -> {
                json.writeStringProperty("option", setting.name());
                json.writeStringProperty("value", setting.shown());
                json.writeStringProperty("origin", setting.origin().toString());
              });
          PlanAnswerJson.decisions(json, plan);
        });
  }
}
