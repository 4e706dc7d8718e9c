package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ranks that are alone although they should not be end the launch; others never do. */
class GuardIT {
  private static final LabCluster LAB = LabCluster.of(Flavour.TRIXIE);
  private static final Login ALICE = LAB.alice();
  private static final List<String> SIZE = List.of("-N", "2", "-n", "4", "--ntasks-per-node=2");

  /**
   * BEFORE and AFTER: seconds before MPI_Init (or - for none), between it and MPI_Finalize, after.
   */
  private static final String LIFE =
      """
      #include <mpi.h>
      #include <stdio.h>
      #include <stdlib.h>
      #include <unistd.h>
      int main(int count, char **words) {
        int size;
        if (words[1][0] != '-') {
          sleep(atoi(words[1]));
          MPI_Init(&count, &words);
          MPI_Comm_size(MPI_COMM_WORLD, &size);
          printf("size %d\\n", size);
          fflush(stdout);
          sleep(atoi(words[2]));
          MPI_Finalize();
        }
        sleep(atoi(words[3]));
        return 0;
      }
      """;

  @BeforeAll
  static void compile() {
    ALICE.write("life.c", LIFE.getBytes(StandardCharsets.UTF_8));
    ALICE
        .bash("mpicc.openmpi -o life-openmpi life.c && mpicc.mpich -o life-mpich life.c")
        .succeeded();
  }

  @ParameterizedTest(name = "{0}: {1} {2}")
  @CsvSource({
    "hello-mpich, --mpi=pmix --force, ./life-mpich 0 90 0, MPICH 4.2",
    "hello-openmpi, --mpi=pmi2 --force, ./life-openmpi 0 90 0, Open MPI 5.0",
    "hello-openmpi, --mpi=none --force, ./life-openmpi 0 90 0, Open MPI 5.0",
    "hello-openmpi, --mpi=none --force --mode=exec, ./life-openmpi 0 90 0, Open MPI 5.0",
    "hello-openmpi, '', env -u PMIX_NAMESPACE -u PMIX_RANK ./life-openmpi 0 90 0, Open MPI 5.0",
    "hello-mpich, --mpi=pmix, sh -c sleep 1; ./life-mpich 0 90 0, MPICH 4.2"
  })
  void endsALaunchWhoseRanksAreAlone(String image, String options, String command, String mpi) {
    List<String> words = new ArrayList<>(List.of("timeout", "60", "hpcrun", "run"));
    words.addAll(SIZE);
    words.addAll(options.isEmpty() ? List.of() : List.of(options.split(" ")));
    words.addAll(List.of(LAB.image(image), "--"));
    words.addAll(
        command.startsWith("sh -c")
            ? List.of("sh", "-c", command.replaceAll("^sh -c ", ""))
            : List.of(command.split(" ")));
    Outcome outcome = ALICE.run(words);
    assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(3);
    assertThat(outcome.output())
        .containsPattern("hpcrun: rank 0 of 4 on c[12] is an MPI job of its own: " + mpi)
        .contains("--singletons");
    String run =
        outcome.errorLines().stream()
            .filter(line -> line.startsWith("run "))
            .findFirst()
            .orElse("");
    System.out.println("stopped: " + image + " " + options + " " + command + "\n         " + run);
  }

  @Test
  void leavesGoodProgramsAlone() {
    String open = LAB.image("hello-openmpi");
    String mpich = LAB.image("hello-mpich");
    String both = LAB.image("hello-two-mpis");
    Map<String, List<String>> programs = new LinkedHashMap<>();
    programs.put("wired by PMIx, long", words("", open, "./life-openmpi", "0", "20", "0"));
    programs.put("wired by PMI-2, long", words("", mpich, "./life-mpich", "0", "20", "0"));
    programs.put("MPI_Init late", words("", open, "./life-openmpi", "12", "8", "0"));
    programs.put("long after MPI_Finalize", words("", open, "./life-openmpi", "0", "1", "20"));
    programs.put("never calls MPI_Init", words("", open, "./life-openmpi", "-", "0", "20"));
    programs.put(
        "never calls MPI_Init, and would be alone",
        words("--mpi=pmix --force", mpich, "./life-mpich", "-", "0", "20"));
    programs.put("not linked to MPI", words("", open, "sleep", "20"));
    programs.put(
        "a script that starts MPI late",
        words("", open, "sh", "-c", "sleep 8; ./life-openmpi 0 6 0; sleep 4"));
    programs.put(
        "MPI twice, one after the other",
        words("", open, "sh", "-c", "./life-openmpi 0 6 0; ./life-openmpi 2 6 0"));
    programs.put(
        "rank 0 alone for a while, without the guard",
        words(
            "--no-guard",
            open,
            "sh",
            "-c",
            "if [ $SLURM_PROCID = 0 ]; then env -u PMIX_NAMESPACE -u PMIX_RANK ./life-openmpi 0 9 0;"
                + " fi; exec hello-mpi"));
    programs.put("wanted alone", words("--singletons", mpich, "./life-mpich", "0", "20", "0"));
    programs.put(
        "one rank of MPI", List.of("-n", "1", open, "--", "./life-openmpi", "0", "20", "0"));
    programs.put(
        "mpirun of Open MPI",
        List.of(
            "-n",
            "1",
            "-c",
            "2",
            both,
            "--",
            "mpirun",
            "-np",
            "2",
            "./life-openmpi",
            "0",
            "20",
            "0"));
    programs.put(
        "mpirun of MPICH in a script",
        List.of(
            "-n",
            "1",
            "-c",
            "2",
            both,
            "--",
            "sh",
            "-c",
            "mpirun.mpich -np 2 ./life-mpich 0 20 0"));
    Jobs jobs = new Jobs(ALICE);
    Map<String, String> submitted = new LinkedHashMap<>();
    programs.forEach(
        (what, command) -> submitted.put(what, jobs.submit(command.toArray(String[]::new))));
    jobs.awaitEnd(submitted.values());
    submitted.forEach(
        (what, job) -> {
          String output = ALICE.run("cat", jobs.field(job, "StdOut")).succeeded().output();
          assertThat(jobs.field(job, "JobState")).as("%s: %s", what, output).isEqualTo("COMPLETED");
          assertThat(output).as(what).doesNotContain("MPI job of its own");
          System.out.println("not stopped: " + what);
        });
  }

  private static List<String> words(String options, String image, String... command) {
    List<String> words = new ArrayList<>(SIZE);
    words.addAll(options.isEmpty() ? List.of() : List.of(options.split(" ")));
    words.addAll(List.of(image, "--"));
    words.addAll(List.of(command));
    return words;
  }
}
