package io.hpcrun.script;

import io.hpcrun.image.Image;
import io.hpcrun.plan.Decision;
import io.hpcrun.plan.Plan;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.SlurmSetting;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Renders a plan as a batch script: directives for Slurm, the decisions as comments, the launch as
 * data, then the node agent, which needs nothing else on the nodes.
 */
public final class JobScript {
  /** Line length at which a list of words goes on in the next line. */
  private static final int WIDTH = 96;

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
   * @return the script's bytes
   */
  public static byte[] render(Plan plan, String version, String agent, String digest) {
    return new JobScript(plan).render(version, agent, digest).getBytes(StandardCharsets.ISO_8859_1);
  }

  private String render(String version, String agent, String digest) {
    line("#!/bin/bash");
    for (SlurmSetting setting : plan.spec().slurm()) {
      String value = setting.value();
      line(
          "#SBATCH --"
              + setting.option().option()
              + (value.isEmpty() ? "" : "=" + directiveWord(value)));
    }
    plan.spec().verbatim().forEach(option -> line("#SBATCH " + directiveWord(option)));
    line("#");
    line("# Written by hpcrun " + version + ". It can be read, kept and given to sbatch as it is.");
    line("# image " + comment(plan.image().path().toString()) + imageDetails());
    for (Decision decision : plan.decisions()) {
      line(
          "# %s = %s: %s (%s)"
              .formatted(
                  decision.what(),
                  comment(decision.value()),
                  comment(decision.reason()),
                  decision.source()));
    }
    line("");
    line("# ---- the launch");
    line("hpcrun_kind=job");
    line("hpcrun_image=" + ShellWord.quote(plan.image().path().toString()));
    line("hpcrun_header=" + plan.image().header().orElse("''"));
    list("hpcrun_command", plan.spec().command());
    list("hpcrun_srun", plan.srunOptions().stream().map(ByteString::of).toList());
    list("hpcrun_container", plan.runtimeOptions());
    list(
        "hpcrun_environment",
        plan.spec().container().environment().stream().map(JobScript::assignment).toList());
    list("hpcrun_alone", plan.aloneDefaults().stream().map(JobScript::assignment).toList());
    line("hpcrun_mode='" + plan.mode().label() + "'");
    line("hpcrun_mpi=" + ShellWord.quote(plan.mpi()));
    line("hpcrun_spool=" + ShellWord.quote(plan.spoolDirectory()));
    staging(digest);
    line("hpcrun_records=" + ShellWord.quote(plan.spec().records().toString()));
    line("hpcrun_facts=" + ShellWord.quote(facts(version)));
    line("");
    line("# ---- the node agent");
    text.append(latin1(agent.strip())).append('\n');
    line("");
    line("hpcrun_main");
    return text.toString();
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
    json.append(",\"command\":").append(json(plan.spec().command().getFirst().toString()));
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
