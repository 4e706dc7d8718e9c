package io.hpcrun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.request.GetoptParser;
import io.hpcrun.request.OptionTable;
import io.hpcrun.request.Requests;
import io.hpcrun.spec.LaunchSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SubmittedEnvironmentTest {
  private static final Set<String> SET =
      Set.of(
          "SBATCH_PARTITION",
          "SBATCH_GPUS",
          "SBATCH_GPUS_PER_NODE",
          "SBATCH_MEM_PER_NODE",
          "SBATCH_MEM_PER_CPU",
          "SBATCH_JOB_NAME",
          "SBATCH_ACCOUNT",
          "SBATCH_NETWORK",
          "SBATCH_ARRAY_INX",
          "SBATCH_WAIT");

  @TempDir private Path directory;

  @Test
  void whatTheScriptSaysIsNotOverridden() {
    assertThat(withheld("-p", "main", "--gpus=1"))
        .containsExactlyInAnyOrder(
            "SBATCH_PARTITION", "SBATCH_GPUS", "SBATCH_JOB_NAME", "SBATCH_WAIT");
    assertThat(withheld("--sbatch=--network=x", "--sbatch=--part=main", "--mem=1G"))
        .containsExactlyInAnyOrder(
            "SBATCH_NETWORK",
            "SBATCH_PARTITION",
            "SBATCH_MEM_PER_NODE",
            "SBATCH_JOB_NAME",
            "SBATCH_WAIT");
  }

  @Test
  void norWhatTheLinesOfAUsersScriptSay() throws IOException {
    Path script = directory.resolve("job.sh");
    Files.writeString(
        script,
        "#!/bin/bash\n#SBATCH -pmain --comment \"-A x\" # -G 3\n#HPCRUN --image=i.sif\nhpcrun exec -- a\n");
    assertThat(
            SubmittedEnvironment.of(parse(Map.of(), script.toString()), false, environment())
                .withheld()
                .keySet())
        .contains("SBATCH_PARTITION", "SBATCH_JOB_NAME")
        .doesNotContain("SBATCH_ACCOUNT", "SBATCH_GPUS");
  }

  @Test
  void aLaunchThatIsFollowedIsOneJob() {
    LaunchSpec spec = parse(Map.of(), "i.sif", "a");
    assertThat(SubmittedEnvironment.of(spec, true, environment()).withheld())
        .containsKey("SBATCH_ARRAY_INX");
    assertThat(SubmittedEnvironment.of(spec, false, environment()).withheld())
        .doesNotContainKey("SBATCH_ARRAY_INX");
  }

  @Test
  void whatDescribesAnotherJobIsNotHandedOn() {
    Map<String, String> environment =
        Map.of(
            "SLURM_NTASKS", "9", "SLURM_CONF", "/c", "SRUN_DEBUG", "1", "PMI_RANK", "0", "A", "b");
    SubmittedEnvironment submitted =
        SubmittedEnvironment.of(parse(Map.of(), "i.sif", "a"), false, environment);
    assertThat(submitted.withheld()).containsOnlyKeys("SLURM_NTASKS", "SRUN_DEBUG", "PMI_RANK");
    assertThat(submitted.renamed()).isEmpty();
  }

  @Test
  void exceptByNameAndThenToTheRanksOnly() {
    Map<String, String> environment = Map.of("SLURM_NTASKS", "9", "A", "b");
    LaunchSpec spec = parse(environment, "--env", "SLURM_NTASKS", "--env", "A", "i.sif", "a");
    SubmittedEnvironment submitted = SubmittedEnvironment.of(spec, false, environment);
    assertThat(submitted.withheld()).containsOnlyKeys("SLURM_NTASKS");
    assertThat(submitted.renamed()).containsExactly(Map.entry("HPCRUN_ENV_SLURM_NTASKS", "9"));
  }

  private static Map<String, String> environment() {
    Map<String, String> environment = new HashMap<>();
    SET.forEach(name -> environment.put(name, "x"));
    return environment;
  }

  private Set<String> withheld(String... options) {
    List<String> words = new ArrayList<>(Stream.of(options).toList());
    words.addAll(List.of("i.sif", "a"));
    return SubmittedEnvironment.of(
            parse(Map.of(), words.toArray(String[]::new)), false, environment())
        .withheld()
        .keySet();
  }

  private LaunchSpec parse(Map<String, String> environment, String... words) {
    return new Requests(
            new GetoptParser(OptionTable.ofJobs(), "run"),
            new Console(System.out, System.err, directory, environment).caller())
        .job(List.of(words))
        .spec();
  }
}
