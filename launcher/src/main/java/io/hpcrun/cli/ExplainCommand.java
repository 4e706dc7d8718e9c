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
import io.hpcrun.slurm.SlurmClient;
import io.hpcrun.spec.LaunchSpec;
import java.io.PrintStream;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;

/** {@code hpcrun explain}: every decision of a launch, with its reason; nothing is submitted. */
final class ExplainCommand {
  private final PrintStream out;

  private ExplainCommand(PrintStream out) {
    this.out = out;
  }

  static int run(List<String> words, Console console) {
    Options options = SubmitCommand.jobOptions().addOption(Option.builder().longOpt("json").get());
    GetoptParser parser = new GetoptParser(options, "explain");
    boolean json = parser.parse(words).options().hasOption("json");
    LaunchSpec spec = LaunchOptions.job(parser, words, console);
    Launcher launcher = new Launcher(new SlurmClient(), console);
    Knowledge known = launcher.look(spec);
    PlanAnswer plan = launcher.decide(spec, known);
    if (json) {
      console.out().writeBytes(json(known, plan));
      console.out().println();
    } else {
      new ExplainCommand(console.out()).print(known, plan);
    }
    return (plan.refusals().isEmpty() ? ExitCode.OK : ExitCode.REFUSED).code();
  }

  private void print(Knowledge known, PlanAnswer plan) {
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
      line("verdict: refused; nothing would be submitted without --force");
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

  private static byte[] json(Knowledge known, PlanAnswer plan) {
    var bytes = new java.io.ByteArrayOutputStream();
    try (JsonGenerator json =
        Json.FACTORY.createGenerator(
            ObjectWriteContext.empty(), bytes, tools.jackson.core.JsonEncoding.UTF8)) {
      json.writeStartObject();
      json.writeStringProperty("schema", "hpcrun.plan/1");
      json.writeStringProperty("image", known.image().path().toString());
      json.writeStringProperty("command", known.program().name());
      known.program().path().ifPresent(path -> json.writeStringProperty("program", path));
      known.program().mpi().ifPresent(mpi -> json.writeStringProperty("linked_to", mpi.label()));
      json.writeStringProperty("slurm", known.cluster().slurmVersion());
      PlanAnswerJson.decisions(json, plan);
      json.writeEndObject();
    }
    return bytes.toByteArray();
  }
}
