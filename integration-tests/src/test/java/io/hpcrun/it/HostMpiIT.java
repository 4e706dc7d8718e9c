package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The nodes' MPI in the place of the image's: it runs, or is refused before the job is queued. */
class HostMpiIT {
  private static final LabCluster LAB = LabCluster.of(Flavour.TRIXIE);
  private static final Login ALICE = LAB.alice();
  private static final String LIBRARIES = "/usr/lib/x86_64-linux-gnu/";
  private static final String MPICH = LIBRARIES + "libmpich.so.12";
  private static final String OPEN_MPI = LIBRARIES + "libmpi.so.40";

  @BeforeAll
  static void compile() {
    ALICE.write(
        "hello.c",
        """
        #include <mpi.h>
        #include <stdio.h>
        #include <string.h>
        int main(int count, char **words) {
          int rank, size, length;
          char library[MPI_MAX_LIBRARY_VERSION_STRING];
          MPI_Init(&count, &words);
          MPI_Comm_rank(MPI_COMM_WORLD, &rank);
          MPI_Comm_size(MPI_COMM_WORLD, &size);
          MPI_Get_library_version(library, &length);
          library[strcspn(library, ",\\n")] = '\\0';
          printf("rank %d of %d library=%s\\n", rank, size, library);
          fflush(stdout);
          return MPI_Finalize();
        }
        """
            .getBytes(StandardCharsets.UTF_8));
    ALICE.bash("mpicc.mpich -o hello-mpich hello.c").succeeded();
    ALICE
        .bash("mpicc.mpich -Wl,--disable-new-dtags,-rpath," + LIBRARIES + " -o hello-rpath hello.c")
        .succeeded();
  }

  private static Outcome run(Login login, String image, String command, String... options) {
    List<String> words = new ArrayList<>(List.of("timeout", "60", "hpcrun", "run", "-N2", "-n4"));
    words.addAll(List.of(options));
    words.addAll(List.of(LAB.image(image), "--", command));
    return login.run(words);
  }

  private static void isOneJobWith(Outcome outcome, String version) {
    assertThat(outcome.exitCode()).as("%s", outcome).isZero();
    assertThat(outcome.lines().stream().filter(line -> line.startsWith("rank ")))
        .as("%s", outcome)
        .hasSize(4)
        .allMatch(line -> line.contains(" of 4 ") && line.matches(".*Version: *" + version + ".*"));
  }

  private static Outcome refused(String image, String command, String... options) {
    Outcome outcome = run(ALICE, image, command, options);
    assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(3);
    System.out.println("refused: " + image + " " + String.join(" ", options));
    outcome.errorLines().forEach(line -> System.out.println("         " + line));
    return outcome;
  }

  /** Built against MPICH 4.0.2, running with 4.2.1; by itself it has its own. */
  @ParameterizedTest
  @ValueSource(strings = {"join", "exec"})
  void runsWithTheHostsLibrary(String mode) {
    Outcome host =
        run(
            ALICE,
            "hello-mpich-4.0-trixie",
            "hello-mpi",
            "--mode=" + mode,
            "--mpi-model=host",
            "--host-mpi=" + MPICH);
    isOneJobWith(host, "4\\.2\\.1");
    Outcome own =
        ALICE.run(
            "apptainer",
            "--quiet",
            "exec",
            LAB.image("hello-mpich-4.0-trixie"),
            "timeout",
            "10",
            "hello-mpi");
    assertThat(own.output()).as("%s", own).contains("4.0.2");
    System.out.println("own:  " + own.lines().getFirst());
    System.out.println("host: " + host.lines().getFirst());
  }

  /** DT_RPATH wins over LD_LIBRARY_PATH: the image's file itself is the host's. */
  @Test
  void runsProgramsThatNameTheImagesDirectory() {
    Outcome own = run(ALICE, "hello-mpich-4.0-trixie", "./hello-rpath", "--mpi-model=container");
    assertThat(own.output()).as("%s", own).contains("4.0.2");
    isOneJobWith(
        run(
            ALICE,
            "hello-mpich-4.0-trixie",
            "./hello-rpath",
            "--mpi-model=host",
            "--host-mpi=" + MPICH),
        "4\\.2\\.1");
  }

  /** With a site's declaration, images that need no help get none, and others get it. */
  @Test
  void decidesByItself() {
    Login declared = ALICE.with("HPCRUN_HOST_MPI", OPEN_MPI + ":" + MPICH);
    Outcome own = run(declared, "hello-mpich", "hello-mpi");
    assertThat(own.exitCode()).as("%s", own).isZero();
    Outcome explained =
        declared.run("hpcrun", "explain", "-n4", LAB.image("hello-mpich"), "hello-mpi");
    assertThat(explained.output()).contains("mpi-model = container");
    Outcome lacking = run(ALICE, "hello-openmpi", "./hello-mpich");
    assertThat(lacking.exitCode()).as("%s", lacking).isNotZero();
    assertThat(lacking.error()).contains("needs libmpich.so.12, which is not in the container");
    isOneJobWith(run(declared, "hello-openmpi", "./hello-mpich"), "4\\.2\\.1");
  }

  @Test
  void refusesWhatTheImagesCLibraryCannotLoad() {
    Outcome outcome =
        refused("hello-mpich-4.0", "hello-mpi", "--mpi-model=host", "--host-mpi=" + MPICH);
    assertThat(outcome.error())
        .containsPattern(
            "hpcrun: error: /\\S+\\.so\\S* needs \\w+@GLIBC_2\\.\\d+ of libc\\.so\\.6, and the image's"
                + " glibc is 2\\.36")
        .contains("what to do: use the image's own MPI");
  }

  @Test
  void refusesAnotherFamily() {
    Outcome outcome =
        refused("hello-mpich", "hello-mpi", "--mpi-model=host", "--host-mpi=" + OPEN_MPI);
    assertThat(outcome.error())
        .contains(
            "the image's MPICH 4.2.1 (libmpich.so.12) cannot use "
                + OPEN_MPI
                + ", which is Open MPI 5.0.7: it has another ABI");
  }

  @Test
  void refusesAnOlderRelease() {
    String copied =
        ALICE
            .run(
                "apptainer",
                "--quiet",
                "exec",
                LAB.image("hello-mpich-4.0"),
                "sh",
                "-c",
                "cp \"$(readlink -f "
                    + MPICH
                    + ")\" . && basename \"$(readlink -f "
                    + MPICH
                    + ")\"")
            .succeeded()
            .output()
            .strip();
    String home = ALICE.run("pwd").succeeded().output().strip();
    Outcome outcome =
        refused(
            "hello-mpich", "hello-mpi", "--mpi-model=host", "--host-mpi=" + home + "/" + copied);
    assertThat(outcome.error())
        .contains("it is MPICH 4.0.2 at " + home, "the image's is MPICH 4.2.1 at /usr/lib");
  }

  @Test
  void refusesWhatIsNotWhole() {
    ALICE
        .bash(
            "echo 'int x;' >x.c; echo 'extern int x; int *MPI_Init = &x;' >m.c\n"
                + "gcc -shared -fPIC -Wl,-soname,libabsent.so.1 -o libabsent.so x.c\n"
                + "gcc -shared -fPIC -Wl,-soname,libmpich.so.12 -o libmpich.so.12.9.0 m.c ./libabsent.so\n"
                + "rm libabsent.so")
        .succeeded();
    String home = ALICE.run("pwd").succeeded().output().strip();
    Outcome outcome =
        refused(
            "hello-mpich",
            "hello-mpi",
            "--mpi-model=host",
            "--host-mpi=" + home + "/libmpich.so.12.9.0");
    assertThat(outcome.error())
        .contains("libmpich.so.12.9.0 needs libabsent.so.1, which is not found on this machine");
  }

  @Test
  void saysWhatIsWrongWithTheOptions() {
    Outcome none = run(ALICE, "hello-mpich", "hello-mpi", "--mpi-model=host");
    assertThat(none.exitCode()).isEqualTo(2);
    assertThat(none.error()).contains("--mpi-model=host does not say which MPI");
    Outcome relative = run(ALICE, "hello-mpich", "hello-mpi", "--host-mpi=libmpi.so");
    assertThat(relative.exitCode()).isEqualTo(2);
    assertThat(relative.error()).contains("'libmpi.so' is not an absolute path");
    refused("hello-mpich", "hello-mpi", "--mpi-model=host", "--host-mpi=/etc/passwd");
  }
}
