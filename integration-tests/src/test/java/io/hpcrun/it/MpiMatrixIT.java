package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.LabCommand;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every MPI image on every Slurm with every {@code --mpi}, two nodes with two ranks each: either
 * the ranks are one job, whose allreduce is right, or hpcrun refuses before submission; and then
 * plain {@code srun apptainer exec} shows that the refusal is right.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MpiMatrixIT {
  private static final boolean FULL = Boolean.getBoolean("hpcrun.full");

  /** An image's program, the MPI that it is linked to, and what that speaks. */
  private record Program(String image, String command, String mpi, String speaks) {}

  private static final List<Program> PROGRAMS =
      List.of(
          new Program("hello-openmpi-4.1", "hello-mpi", "Open MPI 4.1.4", "pmix"),
          new Program("hello-openmpi", "hello-mpi", "Open MPI 5.0", "pmix"),
          new Program("hello-mpich-4.0", "hello-mpi", "MPICH 4.0.2", "pmi2"),
          new Program("hello-mpich", "hello-mpi", "MPICH 4.2", "pmi2"),
          new Program("hello-two-mpis", "hello-mpi", "Open MPI 5.0", "pmix"),
          new Program("hello-two-mpis", "hello-mpich", "MPICH 4.2", "pmi2"));

  private static final List<String> SIZE = List.of("-N", "2", "-n", "4", "--ntasks-per-node=2");
  private static final int SECONDS = 25;

  private final Map<Flavour, LabCluster> labs = new EnumMap<>(Flavour.class);
  private final List<String> table = new ArrayList<>();

  static Stream<Arguments> cells() {
    return Flavour.withApptainer().stream()
        .flatMap(
            flavour ->
                PROGRAMS.stream()
                    .flatMap(
                        program ->
                            plugins(flavour)
                                .filter(mpi -> FULL || isOfSample(flavour, program, mpi))
                                .map(mpi -> Arguments.of(flavour, program, mpi))));
  }

  /** What hpcrun chooses by itself, everywhere; of other choices, today's MPI libraries'. */
  private static boolean isOfSample(Flavour flavour, Program program, String mpi) {
    return mpi.equals("auto")
        || flavour == Flavour.TRIXIE
            && List.of("hello-openmpi", "hello-mpich").contains(program.image());
  }

  private static Stream<String> plugins(Flavour flavour) {
    return flavour == Flavour.TRIXIE
        ? Stream.of("auto", "pmix", "pmi2", "none")
        : Stream.of("auto", "pmi2", "none");
  }

  private LabCluster lab(Flavour flavour) {
    try {
      return labs.computeIfAbsent(flavour, LabCluster::of);
    } catch (LabCommand.LabFailed unavailable) {
      System.err.println("MpiMatrixIT " + flavour + " is SKIPPED: " + unavailable.getMessage());
      Assumptions.abort("no lab of the flavour " + flavour + ": " + unavailable.getMessage());
      throw unavailable;
    }
  }

  @ParameterizedTest(name = "{0}: {1} --mpi={2}")
  @MethodSource("cells")
  void wiresOrRefuses(Flavour flavour, Program program, String mpi) {
    LabCluster lab = lab(flavour);
    Login alice = lab.alice();
    String image = lab.image(program.image());
    boolean served = flavour == Flavour.TRIXIE || program.speaks().equals("pmi2");
    boolean fits = mpi.equals("auto") ? served : mpi.equals(program.speaks());
    List<String> words = new ArrayList<>(List.of("timeout", String.valueOf(SECONDS)));
    words.addAll(List.of("hpcrun", "run", "--mpi=" + mpi));
    words.addAll(SIZE);
    words.addAll(List.of(image, "--", program.command()));
    Outcome outcome = alice.run(words);
    if (fits) {
      assertThat(isOneJob(outcome, program.mpi())).as("%s", outcome).isTrue();
      assertThat(outcome.error()).contains("mpi " + program.speaks());
      // MPICH 4.0.2 with UCX 1.13 hangs in MPI_Finalize at times, without hpcrun as well.
      boolean hung = outcome.exitCode() != 0;
      assertThat(hung && !program.mpi().startsWith("MPICH 4.0")).as("%s", outcome).isFalse();
      note(
          flavour,
          program,
          mpi,
          hung ? "4 ranks, one job; hung in MPI_Finalize" : "4 ranks, one job");
      return;
    }
    assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(3);
    assertThat(outcome.error())
        .contains(
            "is linked to " + program.mpi(), "every rank would be rank 0 of 1", "what to do: ");
    String plain = plain(alice, image, program, mpi);
    assertThat(plain).doesNotContain("of 4");
    note(flavour, program, mpi, "refused; plain srun: " + plain);
  }

  private static boolean isOneJob(Outcome outcome, String mpi) {
    String library = mpi.replaceFirst("^(Open MPI) ", "$1 v").replaceFirst("^MPICH ", "");
    return outcome.lines().stream().filter(line -> line.startsWith("rank ")).count() == 4
        && IntStream.range(0, 4)
            .allMatch(
                rank ->
                    outcome.lines().stream()
                        .anyMatch(
                            line ->
                                line.matches("rank " + rank + " of 4 on c[12] sum=10 library=.*")
                                    && line.contains(library)));
  }

  /** What the same does without hpcrun, in few words. */
  private static String plain(Login alice, String image, Program program, String mpi) {
    List<String> words = new ArrayList<>(List.of("timeout", "-s", "KILL", String.valueOf(SECONDS)));
    words.add("srun");
    words.addAll(SIZE);
    if (!mpi.equals("auto")) {
      words.add("--mpi=" + mpi);
    }
    words.addAll(List.of("timeout", "-s", "KILL", "12", "apptainer", "--quiet", "exec", image));
    words.add(program.command());
    Outcome outcome = alice.run(words);
    List<String> ranks =
        outcome.lines().stream()
            .filter(line -> line.startsWith("rank "))
            .map(line -> line.replaceFirst(" on .*", ""))
            .toList();
    String distinct = String.join(", ", ranks.stream().distinct().toList());
    return ranks.isEmpty()
        ? "exit code " + outcome.exitCode()
        : ranks.size() + " x \"" + distinct + "\", exit code " + outcome.exitCode();
  }

  private void note(Flavour flavour, Program program, String mpi, String what) {
    table.add(
        "%-7s %-18s %-12s %-5s %s"
            .formatted(flavour.option(), program.image(), program.command(), mpi, what));
  }

  /** An image without MPI is not bothered, whatever Slurm has. */
  @ParameterizedTest
  @MethodSource("flavours")
  void leavesAnImageWithoutMpiAlone(Flavour flavour) {
    LabCluster lab = lab(flavour);
    for (String mpi : plugins(flavour).toList()) {
      List<String> words = new ArrayList<>(List.of("hpcrun", "run", "--mpi=" + mpi));
      words.addAll(SIZE);
      words.addAll(List.of(lab.image("tiny"), "--", "pwd"));
      Outcome outcome = lab.alice().run(words);
      assertThat(outcome.exitCode()).as("%s", outcome).isZero();
      assertThat(outcome.lines()).hasSize(4);
      assertThat(outcome.error()).doesNotContain("warning");
      table.add(
          "%-7s %-18s %-12s %-5s %s"
              .formatted(flavour.option(), "tiny", "pwd", mpi, "4 ranks, no warning"));
    }
  }

  static Stream<Flavour> flavours() {
    return Flavour.withApptainer().stream();
  }

  /** A launcher of the image's own, on one node, by itself and in a script. */
  @Test
  void startsTheImagesOwnMpirun() {
    LabCluster lab = lab(Flavour.TRIXIE);
    for (List<String> command :
        List.of(
            List.of("hello-two-mpis", "mpirun", "-np", "2", "hello-mpi"),
            List.of("hello-two-mpis", "mpirun.mpich", "-np", "2", "hello-mpich"),
            List.of("hello-two-mpis", "bash", "-c", "mpirun -np 2 hello-mpi"),
            List.of("hello-openmpi-4.1", "mpirun", "-np", "2", "hello-mpi"),
            List.of("hello-mpich-4.0", "mpirun", "-np", "2", "hello-mpi"))) {
      List<String> words = new ArrayList<>(List.of("timeout", String.valueOf(SECONDS)));
      words.addAll(List.of("hpcrun", "run", "-n", "1", "-c", "2", lab.image(command.getFirst())));
      words.add("--");
      words.addAll(command.subList(1, command.size()));
      Outcome outcome = lab.alice().run(words);
      assertThat(outcome.exitCode()).as("%s: %s", command, outcome).isZero();
      assertThat(outcome.output()).contains("rank 0 of 2 on c", "rank 1 of 2 on c");
      table.add("trixie  %-18s %s: 2 ranks, one job".formatted(command.getFirst(), command));
    }
    Outcome many =
        lab.alice()
            .run("hpcrun", "run", "-n", "4", lab.image("hello-two-mpis"), "mpirun", "hello-mpi");
    assertThat(many.exitCode()).as("%s", many).isEqualTo(3);
    assertThat(many.error()).contains("each rank would be one mpirun");
  }

  @AfterAll
  void print() {
    table.forEach(System.out::println);
  }
}
