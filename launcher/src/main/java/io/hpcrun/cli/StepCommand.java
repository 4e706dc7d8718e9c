package io.hpcrun.cli;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.request.GetoptParser;
import io.hpcrun.request.OptionTable;
import io.hpcrun.request.Requests;
import io.hpcrun.request.Requests.Requested;
import io.hpcrun.request.Secrets;
import io.hpcrun.slurm.SlurmClient;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.MpiChoice;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.spec.SlurmSetting;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/**
 * {@code hpcrun exec} and {@code hpcrun shell}: launches in the allocation in which they are
 * called. They write the script; {@code bin/hpcrun} then becomes bash, which runs it, so that no
 * Java waits beside the ranks.
 */
final class StepCommand {
  /** The file that takes the script; set by {@code bin/hpcrun}. */
  private static final String SCRIPT = "HPCRUN_SCRIPT";

  /** The pipe that takes secrets for it; set by {@code bin/hpcrun}. */
  private static final String SECRETS = "HPCRUN_SECRETS";

  /** What a pipe takes before anybody reads (pipe(7)), less something. */
  private static final int PIPE = 60_000;

  private static final ByteString BEST_SHELL =
      ByteString.of("if command -v bash >/dev/null 2>&1; then exec bash --norc; fi; exec sh");

  private StepCommand() {}

  /** {@code hpcrun exec}. */
  static int exec(List<String> words, Console console) {
    Options options =
        OptionTable.add(new Options(), OptionTable.OF_STEPS)
            .addOption(Option.builder().longOpt("dry-run").get());
    GetoptParser parser = new GetoptParser(options, "exec");
    GetoptParser.Parsed parsed = parser.parse(words);
    boolean shown = parsed.options().hasOption("dry-run");
    if (!shown && !inAllocation(console)) {
      throw Failure.usage(
          "hpcrun exec works inside a job, and SLURM_JOB_ID is not set here",
          "call it in a batch script or under salloc, or use 'hpcrun run'");
    }
    return write(new Requests(parser, console.caller()).step(parsed), shown, console);
  }

  /** {@code hpcrun shell}. */
  static int shell(List<String> words, Console console) {
    Options options =
        OptionTable.add(new Options(), EnumSet.allOf(SlurmOption.class))
            .addOption(Option.builder().longOpt("sbatch").hasArg().get())
            .addOption(Option.builder().longOpt("shell").hasArg().get());
    GetoptParser parser = new GetoptParser(options, "shell");
    GetoptParser.Parsed parsed = parser.parse(words);
    if (parsed.rest().isEmpty()) {
      throw Failure.usage("there is no image", "write: hpcrun shell [options] IMAGE");
    }
    if (parsed.rest().size() > 1) {
      throw Failure.usage(
          "hpcrun shell takes no command, and '"
              + ByteString.ofLatin1(parsed.rest().get(1))
              + "' follows the image",
          "use 'hpcrun run' for a command");
    }
    String shell = parsed.last("shell");
    List<ByteString> command =
        shell == null
            ? List.of(ByteString.of("/bin/sh"), ByteString.of("-c"), BEST_SHELL)
            : List.of(ByteString.ofLatin1(shell));
    boolean inJob = inAllocation(console);
    Requested job = new Requests(parser, console.caller()).step(parsed, command, inJob);
    return write(job.with(onOneNode(job.spec(), inJob)), false, console);
  }

  /** One rank at a terminal. Options of the job go to salloc, if there is no job yet. */
  private static LaunchSpec onOneNode(LaunchSpec job, boolean inAllocation) {
    List<SlurmSetting> step = new ArrayList<>();
    List<String> allocation = new ArrayList<>();
    for (SlurmSetting setting : job.slurm()) {
      if (inAllocation && setting.option() == SlurmOption.NODELIST) {
        step.add(setting);
      } else if (inAllocation) {
        throw Failure.usage(
            "--"
                + setting.option().option()
                + " is for a new job, and this shell joins the job here",
            "leave it out; -w NODE chooses the node");
      }
      allocation.add(
          "--"
              + setting.option().option()
              + (setting.value().isEmpty() ? "" : "=" + setting.value()));
    }
    if (job.slurm(SlurmOption.JOB_NAME).isEmpty()) {
      allocation.add("--job-name=hpcrun-shell");
    }
    allocation.addAll(job.verbatim());
    step.add(new SlurmSetting(SlurmOption.NODES, "1"));
    step.add(new SlurmSetting(SlurmOption.NTASKS, "1"));
    List<String> srun = new ArrayList<>(job.srun());
    srun.add("--pty");
    return new LaunchSpec(
        job.image(),
        job.kind(),
        job.command(),
        job.script(),
        step,
        inAllocation ? List.of() : allocation,
        srun,
        job.container(),
        job.mpi().plugin().isPresent() ? job.mpi() : MpiChoice.of(ClusterFacts.NONE),
        job.fabric(),
        job.mode(),
        job.staging(),
        job.records(),
        job.spool());
  }

  /** {@code NAME=VALUE}, each with NUL behind it. */
  private static byte[] assignments(Secrets secrets) {
    StringBuilder text = new StringBuilder();
    secrets
        .environment()
        .forEach((name, value) -> text.append(name).append('=').append(value).append('\0'));
    byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
    if (bytes.length > PIPE) {
      throw Failure.refused(
          "the values of secret-looking variables have %d bytes together, of at most %d for a step"
              .formatted(bytes.length, PIPE),
          "set them before (export NAME=...) and write --env NAME");
    }
    return bytes;
  }

  private static boolean inAllocation(Console console) {
    return !console.environment().getOrDefault("SLURM_JOB_ID", "").isEmpty();
  }

  private static int write(Requested requested, boolean shown, Console console) {
    byte[] script = new Launcher(new SlurmClient(), console).script(requested);
    if (shown) {
      console.out().writeBytes(script);
      return ExitCode.OK.code();
    }
    String file = console.environment().get(SCRIPT);
    if (file == null) {
      throw Failure.internal(SCRIPT + " is not set", "call bin/hpcrun", null);
    }
    byte[] secrets = assignments(requested.secrets());
    try {
      if (secrets.length > 0) {
        Files.write(Path.of(console.environment().get(SECRETS)), secrets);
      }
      Files.write(Path.of(file), script);
    } catch (IOException full) {
      throw Failure.internal(
          "the script cannot be written to " + file + ": " + full.getMessage(),
          "make room in " + Path.of(file).getParent() + ", or set TMPDIR",
          full);
    }
    return ExitCode.OK.code();
  }
}
