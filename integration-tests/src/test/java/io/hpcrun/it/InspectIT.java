package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code hpcrun inspect} reads from outside is what the image itself says when it runs. */
class InspectIT {
  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);
  private final Login alice = lab.alice();

  @ParameterizedTest
  @CsvSource({
    "hello-openmpi, Open MPI, Open MPI v([0-9a-z.]+), speaks pmix",
    "hello-mpich, MPICH, MPICH Version: *(\\S+), speaks pmi2"
  })
  void readsTheMpiThatRunsInTheImage(String name, String family, String version, String speaks) {
    String image = lab.image(name);
    Outcome inspected = alice.run("hpcrun", "inspect", image).succeeded();
    Outcome program = alice.run("apptainer", "--quiet", "exec", image, "hello-mpi").succeeded();
    Matcher said = Pattern.compile(version).matcher(program.output());
    assertThat(said.find()).as("a version in %s", program).isTrue();
    assertThat(inspected.output())
        .contains("MPI       " + family + " " + said.group(1) + "  /usr/lib/", speaks);
    Outcome libc = alice.run("apptainer", "--quiet", "exec", image, "ldd", "--version").succeeded();
    String release = libc.lines().getFirst().replaceFirst(".* ", "");
    assertThat(inspected.output()).contains("libc      glibc " + release + "  /");
    assertThat(inspected.error()).isEmpty();
    assertThat(alice.run("hpcrun", "inspect", image).succeeded().output())
        .as("the second time, from what was remembered")
        .isEqualTo(inspected.output());
  }

  @Test
  void readsASandboxAsItReadsItsSifFile() {
    String image = lab.image("hello-mpich");
    String box = "/tmp/inspected";
    alice.run("rm", "-rf", box).succeeded();
    try {
      alice.run("apptainer", "--quiet", "build", "--sandbox", box, image).succeeded();
      assertThat(withoutLabels(box)).isEqualTo(withoutLabels(image)).contains("\"MPICH\"");
    } finally {
      alice.run("rm", "-rf", box).succeeded();
    }
  }

  /** Labels tell when an image was built. */
  private String withoutLabels(String image) {
    return alice
        .run("hpcrun", "inspect", "--json", image)
        .succeeded()
        .output()
        .replaceFirst("\"labels\":.*", "");
  }

  @Test
  void readsAnImageWithoutLibraries() {
    assertThat(alice.run("hpcrun", "inspect", lab.image("probe")).succeeded().output())
        .contains("libc      none that programs could load", "MPI       none");
  }

  @Test
  void namesWhatCannotBeRead() {
    Outcome cut =
        alice.bash(
            "head -c 1000000 \"$1\" >cut.sif; hpcrun inspect cut.sif", lab.image("hello-mpich"));
    assertThat(cut.exitCode()).isEqualTo(5);
    assertThat(cut.errorLines()).hasSize(2);
    assertThat(cut.error()).contains("is cut off");
    Outcome none = alice.run("hpcrun", "inspect");
    assertThat(none.exitCode()).isEqualTo(2);
    assertThat(none.error()).contains("hpcrun inspect IMAGE");
  }
}
