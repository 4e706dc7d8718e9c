package io.hpcrun.script;

import io.hpcrun.image.Image;
import io.hpcrun.plan.Decision;
import io.hpcrun.plan.DevicePlan;
import io.hpcrun.plan.Plan;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.spec.SlurmSetting;
import io.hpcrun.spec.UserScript;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Renders a plan as a batch script: directives for Slurm, the decisions as comments, the launch as
 * data, then the node agent, which needs nothing else on the nodes.
 */
public final class JobScript {
  /** Line length at which a list of words goes on in the next line. */
  private static final int WIDTH = 96;

  /** More than most scripts have before the node agent. */
  private static final int HEAD = 1 << 14;

  private static final String AGENT = "# ---- the node agent";

  private final StringBuilder text = new StringBuilder();
  private final Plan plan;

  private JobScript(Plan plan) {
    this.plan = plan;
  }

  /**
   * Renders the script.
   *
   * @param plan what to do
   * @param version hpcrun's version
   * @param agent the node agent's source
   * @param digest SHA-256 of the image; empty if the plan does not stage it
   * @param enterProgram where the nodes find {@code hpcrun-enter}, a name that ends in its SHA-256;
   *     empty if the shell is to do its work
   * @return the script's bytes
   */
  public static byte[] render(
      Plan plan, String version, AgentSource agent, String digest, Optional<Path> enterProgram) {
    String program = ShellWord.quote(enterProgram.map(Path::toString).orElse(""));
    return new JobScript(plan)
        .render(version, agent, digest, program)
        .getBytes(StandardCharsets.ISO_8859_1);
  }

  /**
   * How long the part of a script before the node agent is. A user's script in it may hold the same
   * line; the agent does not.
   *
   * @param script a rendered script, one character for each byte
   */
  public static int headLength(String script) {
    return Math.max(0, script.lastIndexOf("\n" + AGENT + "\n") + 1);
  }

  private String render(String version, AgentSource agent, String digest, String program) {
    text.ensureCapacity(agent.latin1().length() + HEAD);
    // Without BASH_ENV and exported functions, which would change what the lines below do.
    line("#!/bin/bash -p");
    plan.spec().script().ifPresent(own -> own.directives().forEach(l -> line(l.latin1())));
    if (plan.spec().kind() != LaunchSpec.Kind.STEP) {
      directives();
    }
    if (plan.spec().kind() == LaunchSpec.Kind.STEP && !plan.spec().verbatim().isEmpty()) {
      line("");
      list("allocation", words(plan.spec().verbatim()));
      line("[[ -n ${SLURM_JOB_ID-} ]] || exec salloc \"${allocation[@]}\" bash \"$0\"");
    }
    line("#");
    line("# Written by hpcrun " + version + ". " + purpose());
    decisions();
    line("");
    line("# ---- the launch");
    launch(version, digest, program);
    line("");
    line(AGENT);
    text.append(agent.latin1()).append('\n');
    line("");
    line("hpcrun_main \"$@\"");
    return text.toString();
  }

  private String purpose() {
    return plan.spec().kind() == LaunchSpec.Kind.STEP
        ? "It runs in an allocation."
        : "It can be read, kept and given to sbatch as it is.";
  }

  private void directives() {
    for (SlurmSetting setting : plan.spec().slurm()) {
      String value = setting.value();
      line(
          "#SBATCH --"
              + setting.option().option()
              + (value.isEmpty() ? "" : "=" + directiveWord(value)));
    }
    plan.spec().verbatim().forEach(option -> line("#SBATCH " + directiveWord(option)));
  }

  private void decisions() {
    line("# image " + comment(plan.image().path().toString()) + imageDetails());
    for (Decision decision : plan.allDecisions()) {
      line(
          "# "
              + decision.what()
              + " = "
              + comment(decision.value())
              + ": "
              + comment(decision.reason())
              + " ("
              + decision.source()
              + ")");
    }
  }

  private void launch(String version, String digest, String program) {
    line("hpcrun_kind=" + plan.spec().kind().name().toLowerCase(Locale.ROOT));
    line("hpcrun_image=" + ShellWord.quote(plan.image().path().toString()));
    line("hpcrun_header=" + plan.image().header().orElse("''"));
    line("hpcrun_program=" + program);
    list("hpcrun_command", plan.spec().command());
    list("hpcrun_srun", words(plan.srunOptions()));
    list("hpcrun_container", plan.runtimeOptions());
    list(
        "hpcrun_environment",
        plan.spec().container().environment().stream().map(JobScript::assignment).toList());
    list("hpcrun_by_name", words(plan.spec().container().choice().byName()));
    list("hpcrun_variables", words(plan.variables()));
    list("hpcrun_defaults", plan.defaults().stream().map(JobScript::assignment).toList());
    list("hpcrun_alone", plan.aloneDefaults().stream().map(JobScript::assignment).toList());
    line("hpcrun_mode='" + plan.mode().label() + "'");
    line("hpcrun_mpi=" + ShellWord.quote(plan.mpi()));
    line("hpcrun_spool=" + ShellWord.quote(String.join(":", plan.pmixDirectories())));
    list("hpcrun_guard", words(plan.guard()));
    DevicePlan devices = plan.devices();
    list(
        "hpcrun_gpu_flags",
        devices.gpuFlags().stream().map(flag -> ByteString.of("--" + flag.option())).toList());
    line("hpcrun_gpus=" + (devices.dividesGpus() ? "hpcrun" : "slurm"));
    line("hpcrun_pin=" + (devices.hasVerbs() ? "yes" : "no"));
    line("hpcrun_fabric=" + plan.spec().fabric().kind().label());
    line("hpcrun_require=" + (plan.spec().fabric().required() ? "yes" : "no"));
    line("hpcrun_memlock=" + (plan.spec().fabric().memlock() >> 10));
    line("hpcrun_providers=" + ShellWord.quote(String.join(" ", devices.providers())));
    line("hpcrun_gres=" + (devices.otherGres() ? "yes" : "no"));
    line("hpcrun_driver='" + devices.driver() + "'");
    staging(digest);
    line("hpcrun_records=" + ShellWord.quote(plan.spec().records().toString()));
    line("hpcrun_ingest=" + ShellWord.quote(plan.spec().spool().map(Path::toString).orElse("")));
    line("hpcrun_facts=" + ShellWord.quote(facts(version)));
    if (plan.spec().kind() == LaunchSpec.Kind.STEP) {
      line("hpcrun_step_nodes=" + plan.spec().slurm(SlurmOption.NODES).orElse("''"));
      line("hpcrun_step_tasks=" + plan.spec().slurm(SlurmOption.NTASKS).orElse("''"));
      line("hpcrun_step_nodelist=" + ShellWord.quote(nodelist()));
    }
    plan.spec().script().ifPresent(this::script);
  }

  private String nodelist() {
    return plan.spec().slurm(SlurmOption.NODELIST).orElse("");
  }

  /** The user's script as data: in single quotes, so that it can be read as it was written. */
  private void script(UserScript script) {
    list("hpcrun_interpreter", script.interpreter());
    list("hpcrun_arguments", script.arguments());
    line("# shellcheck disable=SC2016,SC1003 # the script is data here");
    line("hpcrun_script='" + script.text().latin1().replace("'", "'\\''") + "'");
  }

  private void staging(String digest) {
    ByteString directory = plan.spec().staging().directory().orElse(ByteString.of("/tmp"));
    line("hpcrun_stage=" + (plan.staged() ? "node" : "shared"));
    line("hpcrun_stage_directory=" + ShellWord.quote(directory) + "/hpcrun-cache.$UID");
    line("hpcrun_stage_limit=" + plan.spec().staging().limit());
    line("hpcrun_digest=" + (plan.staged() ? digest : "''"));
    line("hpcrun_image_size=" + plan.image().size());
  }

  private String imageDetails() {
    Image image = plan.image();
    return " (%s%s%s)"
        .formatted(
            image.format() == Image.Format.SIF ? "SIF" : "sandbox",
            image.architecture().map(a -> ", " + a).orElse(""),
            image.id().map(id -> ", " + id).orElse(""));
  }

  /** What the launch's record says besides times, as the members of a JSON object. */
  private String facts(String version) {
    Image image = plan.image();
    StringBuilder json = new StringBuilder();
    json.append("\"hpcrun\":").append(json(version));
    json.append(",\"image\":").append(json(image.path().toString()));
    image.id().ifPresent(id -> json.append(",\"image_id\":").append(json(id)));
    plan.spec().command().stream()
        .findFirst()
        .ifPresent(command -> json.append(",\"command\":").append(json(command.toString())));
    for (Decision decision : plan.decisions()) {
      json.append(',').append(json(decision.what())).append(':').append(json(decision.value()));
    }
    return json.toString();
  }

  private static String json(String value) {
    return '"'
        + new String(tools.jackson.core.io.JsonStringEncoder.getInstance().quoteAsCharArray(value))
        + '"';
  }

  private static List<ByteString> words(List<String> texts) {
    return texts.stream().map(ByteString::of).toList();
  }

  private static ByteString assignment(EnvironmentVariable variable) {
    return ByteString.ofLatin1(variable.name() + "=" + variable.value().latin1());
  }

  /** {@code NAME=(WORD…)}, in lines of bearable length. */
  private void list(String name, List<ByteString> words) {
    if (words.stream().anyMatch(word -> word.latin1().matches("(?s).*[$`].*"))) {
      line("# shellcheck disable=SC2016 # these are data: nothing is expanded");
    }
    StringBuilder line = new StringBuilder(name).append("=(");
    boolean first = true;
    for (ByteString word : words) {
      String quoted = ShellWord.quote(word);
      if (!first && line.length() + quoted.length() + 1 > WIDTH) {
        line(line.toString());
        line = new StringBuilder("  ");
      } else if (!first) {
        line.append(' ');
      }
      line.append(quoted);
      first = false;
    }
    line(line.append(')').toString());
  }

  /**
   * A word of an {@code #SBATCH} line. sbatch ends words at blanks and comments at {@code #}, and
   * knows double quotes and backslashes (Slurm, src/sbatch/opt.c, _get_argument). The spec has
   * refused control characters, so a word cannot end its line.
   */
  private static String directiveWord(String word) {
    if (word.matches("[A-Za-z0-9_./:,=@%+\\[\\]*&|^~{}!?-]+")) {
      return latin1(word);
    }
    return '"' + latin1(word.replace("\\", "\\\\").replace("\"", "\\\"")) + '"';
  }

  private static String comment(String value) {
    return latin1(ByteString.of(value).toString());
  }

  private static String latin1(String value) {
    return ByteString.of(value).latin1();
  }

  private void line(String line) {
    text.append(line).append('\n');
  }
}
