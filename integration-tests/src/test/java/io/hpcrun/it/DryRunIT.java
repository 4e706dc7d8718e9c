package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import io.hpcrun.lab.Timing;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code hpcrun submit --dry-run}: a script to read, to check and to give to sbatch by hand. */
class DryRunIT {
  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);
  private final Login alice = lab.alice();
  private final Jobs jobs = new Jobs(alice);
  private final List<String> launch =
      List.of(
          "-N",
          "2",
          "-n",
          "4",
          "--ntasks-per-node=2",
          "--env=GREETING=it's $HOME \"quoted\"",
          "-J",
          "a \"name\"",
          "-e",
          "dry run.err",
          lab.image("tiny"),
          "--",
          "sh",
          "-c",
          "echo \"$SLURM_PROCID $GREETING $1\"",
          "sh",
          "#SBATCH\n--nodes=99 'größe'");
  private List<String> known;
  private byte[] script;

  private List<String> words(String... first) {
    List<String> words = new ArrayList<>(List.of(first));
    words.addAll(launch);
    return words;
  }

  @BeforeAll
  void printScript() {
    known = jobs.known();
    Outcome outcome = alice.run(words("hpcrun", "submit", "--dry-run")).succeeded();
    assertThat(outcome.err()).isEmpty();
    script = outcome.out();
  }

  @Test
  void submitsNothing() {
    assertThat(known).containsAll(jobs.known());
  }

  @Test
  void printsTheSameBytesEveryTime() {
    assertThat(alice.run(words("hpcrun", "submit", "--dry-run")).succeeded().out())
        .isEqualTo(script);
  }

  @Test
  void keepsDirectivesToTheUsersOptions() {
    assertThat(new String(script, StandardCharsets.UTF_8).lines())
        .filteredOn(line -> line.startsWith("#SBATCH"))
        .containsExactlyInAnyOrder(
            "#SBATCH --error=\"dry run.err\"",
            "#SBATCH --job-name=\"a \\\"name\\\"\"",
            "#SBATCH --nodes=2",
            "#SBATCH --ntasks=4",
            "#SBATCH --ntasks-per-node=2");
  }

  @Test
  void printsAScriptWithoutFault(@TempDir Path directory) throws Exception {
    Path file = Files.write(directory.resolve("job.sh"), script);
    assertThat(here(directory, "bash", "-n", file.toString())).isEmpty();
    assertThat(here(directory, "shellcheck", file.toString())).isEmpty();
  }

  @Test
  void runsByHandAsWithHpcrun() {
    Outcome byHpcrun = alice.run(words("hpcrun", "run")).succeeded();
    alice.write("by-hand.sh", script);
    String job =
        alice.run("sbatch", "--parsable", "-o", "by-hand.out", "by-hand.sh").succeeded().output();
    jobs.awaitEnd(job.strip());
    List<String> lines =
        new String(alice.read("by-hand.out"), StandardCharsets.UTF_8).lines().sorted().toList();
    assertThat(lines)
        .hasSize(8)
        .contains("0 it's $HOME \"quoted\" #SBATCH", "--nodes=99 'größe'")
        .isEqualTo(byHpcrun.lines().stream().sorted().toList());
    assertThat(Timing.of(alice, job.strip()).launch().at("/stages/run/count").asInt()).isEqualTo(4);
  }

  /** The output of a program on this machine. */
  private static String here(Path directory, String... command)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }
}
