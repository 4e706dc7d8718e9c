package io.hpcrun.it;

import static io.hpcrun.it.EqualityCase.DIRECTORY;
import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.it.IntendedDifferences.Intended;
import io.hpcrun.it.Surroundings.Difference;
import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an application sees under hpcrun is what it sees under plain {@code srun apptainer exec}
 * with the same options: everything that the image probe tells, except {@link IntendedDifferences}.
 */
class EqualityIT {
  private static final Logger LOG = LoggerFactory.getLogger(EqualityIT.class);
  private static final String PLAIN = "plain";

  /** Joined by hpcrun-enter, joined by the shell, and a container for each rank. */
  private static final List<String> MODES = List.of("join", "shell", "exec");

  /** An installation without hpcrun-enter. */
  private static final String WITHOUT_PROGRAM = "/opt/hpcrun-without-program";

  private static final int RANKS = 2;

  /** One node, so that no value depends on which one it is. */
  private static final List<String> JOB =
      List.of("-w", "c1", "-N", "1", "-n", String.valueOf(RANKS), "-c", "2", "-J", "equality");

  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);
  private final Login alice = lab.alice();
  private final Jobs jobs = new Jobs(alice);
  private final List<String> submitted = new ArrayList<>();
  private final Map<String, String> ids = new LinkedHashMap<>();
  private final List<String> table = new ArrayList<>();
  private final Map<Intended, Integer> met = new LinkedHashMap<>();
  private Map<String, String> ofNode;

  @BeforeAll
  void runEveryCaseInEveryWay() {
    for (String node : List.of(LabCluster.LOGIN_NODE, "c1")) {
      lab.as("root", node)
          .bash("getent group project || groupadd -g 2001 project; usermod -a -G project alice")
          .succeeded();
    }
    // Slurm keeps users' groups for a while.
    lab.as("root", LabCluster.LOGIN_NODE).run("scontrol", "reconfigure").succeeded();
    lab.as("root", LabCluster.LOGIN_NODE)
        .bash(
            "rm -rf $1 && cp -as /opt/hpcrun $1 && rm -r $1/libexec"
                + " && cp --remove-destination /opt/hpcrun/bin/hpcrun $1/bin/",
            WITHOUT_PROGRAM)
        .succeeded();
    List.of("probe", "hello-openmpi", "tiny").forEach(lab::image);
    alice.bash(EqualityCase.PREPARE, DIRECTORY, EqualityCase.ENVIRONMENT_OF_IMAGE).succeeded();
    lab.as("root", LabCluster.LOGIN_NODE)
        .run("install", "-d", "-m", "770", "-g", "project", DIRECTORY + "shared")
        .succeeded();
    ofNode =
        Surroundings.namespacesOf(
            alice
                .run("srun", "--label", "--mpi=none", "-w", "c1", DIRECTORY + "probe")
                .succeeded());
    for (EqualityCase each : EqualityCase.all()) {
      submit(each, PLAIN, "sbatch", "--parsable");
      for (String mode : MODES) {
        String hpcrun = mode.equals("shell") ? WITHOUT_PROGRAM + "/bin/hpcrun" : "hpcrun";
        submit(each, mode, hpcrun, "submit", "--parsable");
      }
    }
    jobs.awaitEnd(submitted);
  }

  private void submit(EqualityCase each, String mode, String... command) {
    String file = output(each, mode);
    List<String> words = new ArrayList<>(Arrays.asList(command));
    words.addAll(JOB);
    words.addAll(each.job());
    words.addAll(List.of("-o", file + ".out", "-e", file + ".err"));
    if (mode.equals(PLAIN)) {
      words.add(DIRECTORY + PLAIN);
    } else {
      words.addAll(List.of("--mpi=none", "--mode=" + engineMode(mode)));
    }
    words.addAll(each.container());
    words.addAll(each.image());
    Outcome outcome =
        alice
            .with("SLURM_LABELIO", "1")
            .bash(each.before() + "\nexec \"$@\"", words.toArray(String[]::new))
            .succeeded();
    String id = outcome.output().strip();
    submitted.add(id);
    ids.put(file, id);
  }

  private static String engineMode(String mode) {
    return mode.equals("shell") ? "join" : mode;
  }

  private static String output(EqualityCase each, String mode) {
    return DIRECTORY + each.name().replace(' ', '-') + "." + mode;
  }

  private List<Surroundings> ranks(EqualityCase each, String mode) {
    String file = output(each, mode);
    String said = alice.run("cat", file + ".err").output();
    List<Surroundings> ranks =
        Surroundings.ofRanks(alice.run("cat", file + ".out").succeeded(), ofNode);
    assertThat(ranks)
        .as("ranks of %s, %s; the job said: %s", each, mode, said)
        .hasSize(RANKS)
        .noneMatch(rank -> rank.values().isEmpty());
    return ranks;
  }

  private static Stream<Arguments> casesAndModes() {
    return EqualityCase.all().stream()
        .flatMap(each -> MODES.stream().map(mode -> Arguments.of(each, mode)));
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("casesAndModes")
  void showsWhatPlainApptainerShows(EqualityCase each, String mode) {
    String row = "  %-28s %s  ".formatted(each, mode);
    table.add(row + "not compared: a rank did not run");
    List<Surroundings> plain = ranks(each, PLAIN);
    Map<String, String> effect = new LinkedHashMap<>(each.effect());
    effect.replaceAll((key, value) -> plain.getFirst().get(key));
    assertThat(effect).as("what makes %s, in plain Apptainer", each).isEqualTo(each.effect());
    List<Surroundings> here = ranks(each, mode);
    assertThat(alice.run("hpcrun", "timing", "--json", ids.get(output(each, mode))).output())
        .contains("\"entered_by\":\"" + (mode.equals("join") ? "program" : "shell") + "\"");
    List<Difference> unexpected = new ArrayList<>();
    int compared = 0;
    int intended = 0;
    for (int rank = 0; rank < RANKS; rank++) {
      compared += plain.get(rank).values().size();
      for (Difference difference : plain.get(rank).differencesTo(here.get(rank))) {
        Optional<Intended> reason = IntendedDifferences.reason(engineMode(mode), difference);
        if (reason.isPresent()) {
          intended++;
          met.merge(reason.get(), 1, Integer::sum);
        } else if (!unexpected.contains(difference)) {
          unexpected.add(difference);
        }
      }
    }
    table.removeLast();
    table.add(row + "%8d %8d %9d".formatted(compared, intended, unexpected.size()));
    assertThat(unexpected).as("what differs: %s, %s", each, mode).isEmpty();
  }

  @AfterAll
  void print() {
    StringBuilder text = new StringBuilder("what ").append(RANKS);
    text.append(" ranks see, compared with plain apptainer exec\n");
    text.append("  case                         mode  compared intended otherwise\n");
    table.forEach(row -> text.append(row).append('\n'));
    text.append("intended differences: times met, mode, key, values, reason\n");
    IntendedDifferences.ALL.forEach(
        intended -> text.append("  %4d  %s%n".formatted(met.getOrDefault(intended, 0), intended)));
    LOG.info("{}", text);
  }
}
