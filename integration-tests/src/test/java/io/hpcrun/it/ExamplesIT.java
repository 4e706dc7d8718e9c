package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The examples do what their READMEs say: the commands that stand there are typed on the lab as
 * they are.
 */
class ExamplesIT {
  private static final Path EXAMPLES = Path.of(System.getProperty("hpcrun.root"), "examples");
  private static final String HOME = "/home/alice/examples";
  private static final Pattern IMAGE = Pattern.compile("([a-z][a-z0-9.-]*)\\.sif\\b");

  /** A row of LAMMPS's table: a step's number, then numbers. */
  private static final Pattern ROW = Pattern.compile(" *\\d+( +-?\\d[-+.e\\d]*){4} *");

  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);
  private final Login alice = lab.alice();
  private final Map<String, List<String>> typed = new HashMap<>();

  static List<String> examples() throws IOException {
    try (Stream<Path> entries = Files.list(EXAMPLES)) {
      return entries
          .filter(Files::isDirectory)
          .map(directory -> directory.getFileName().toString())
          .filter(name -> !name.equals("images"))
          .sorted()
          .toList();
    }
  }

  /** Puts directories and images into alice's home as examples/README.md says; may build them. */
  @BeforeAll
  @Timeout(value = 20, unit = TimeUnit.MINUTES)
  void copyExamples() throws IOException {
    Set<String> images = new TreeSet<>();
    for (String example : examples()) {
      try (Stream<Path> files = Files.walk(EXAMPLES.resolve(example))) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          copy(file);
          Matcher named = IMAGE.matcher(Files.readString(file));
          while (named.find()) {
            images.add(named.group(1));
          }
        }
      }
    }
    for (String image : images) {
      if (Files.exists(EXAMPLES.resolve("images").resolve(image + ".def"))) {
        alice.run("ln", "-sfn", lab.image(image), HOME + "/" + image + ".sif").succeeded();
      }
    }
  }

  private void copy(Path file) throws IOException {
    String to = HOME + "/" + EXAMPLES.relativize(file);
    alice.run("mkdir", "-p", Path.of(to).getParent().toString()).succeeded();
    alice.write(to, Files.readAllBytes(file));
    if (Files.isExecutable(file)) {
      alice.run("chmod", "+x", to).succeeded();
    }
  }

  @ParameterizedTest
  @MethodSource("examples")
  void doesWhatItsReadmeSays(String example) throws IOException {
    assertThat(differences(example)).isEmpty();
  }

  /** Types the commands of an example's README, once. */
  private List<String> differences(String example) throws IOException {
    List<String> differences = typed.get(example);
    if (differences == null) {
      List<ReadmeCommand> commands =
          ReadmeCommand.of(EXAMPLES.resolve(example).resolve("README.md"));
      assertThat(commands).as("commands in the README of %s", example).isNotEmpty();
      differences = ReadmeCommand.differences(alice, HOME + "/" + example, commands);
      typed.put(example, differences);
    }
    return differences;
  }

  @Test
  void areAllListed() throws IOException {
    String list = Files.readString(EXAMPLES.resolve("README.md"));
    for (String example : examples()) {
      assertThat(list).contains("| [%s](%s) |".formatted(example, example));
    }
  }

  /** The same package in and out of the container, on two nodes: the same numbers, as printed. */
  @Test
  void lammpsComputesTheSameInAndOutOfTheContainer() throws IOException {
    String library = "sha256sum </usr/lib/x86_64-linux-gnu/liblammps.so.0";
    assertThat(
            alice
                .bash("apptainer exec \"$1\" sh -c \"$2\"", lab.image("lammps"), library)
                .succeeded()
                .output())
        .as("LAMMPS's library in the image and on the nodes")
        .isEqualTo(alice.bash("srun -w c2 sh -c \"$1\"", library).succeeded().output());
    assertThat(differences("lammps")).isEmpty();
    List<String> inside = table("container.log");
    assertThat(inside).as("steps 0 to 250, every 25th").hasSize(11);
    assertThat(inside).as("in and out of the container").isEqualTo(table("bare.log"));
    System.out.println("in and out of the container:\n" + String.join("\n", inside));
  }

  private List<String> table(String log) {
    return alice.run("cat", HOME + "/lammps/" + log).succeeded().lines().stream()
        .filter(ROW.asMatchPredicate())
        .toList();
  }

  /** What these tests rest on: a README that is wrong is noticed. */
  @Test
  void noticesWhatAReadmeGetsWrong() throws IOException {
    Path readme = Files.createTempFile("README", ".md");
    Files.writeString(
        readme,
        """
        ```console
        $ printf 'b   1\\na 2\\n'
        a …
        b 1
        $ echo one; echo two
        one
        $ echo one
        one
        one
        …
        $ (exit 3)
        $ (exit 4)
        $ echo $?
        4
        ```
        """);
    assertThat(ReadmeCommand.differences(alice, "/home/alice", ReadmeCommand.of(readme)))
        .satisfiesExactly(
            extra -> assertThat(extra).contains("echo two", "not in the README: two"),
            missing -> assertThat(missing).contains("not printed: one"),
            code -> assertThat(code).contains("'(exit 3)' ended with 3"));
    Files.delete(readme);
  }
}
