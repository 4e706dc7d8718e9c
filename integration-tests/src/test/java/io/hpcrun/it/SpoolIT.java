package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Records reach the site's spool from every node, for its daemon only; a spool that takes none
 * costs a line of output.
 */
class SpoolIT {
  private static final JsonMapper JSON = new JsonMapper();
  private static final String SPOOL = "/home/spool";
  private static final String LOST = "records could not be written into the spool";
  private static final String RANDOM = "\\.[0-9a-f-]{36}\\.jsonl$";
  private static final Pattern LAUNCH = Pattern.compile("launch (\\S+) ");

  /** Nobody's number in the lab: the daemon's user and group. */
  private static final String DAEMON = "990";

  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);
  private final Login root = lab.as("root", LabCluster.LOGIN_NODE);
  private final Login alice = lab.alice().with("HPCRUN_SPOOL", SPOOL);
  private final Login bob = lab.as("bob", LabCluster.LOGIN_NODE);
  private final Jobs jobs = new Jobs(alice);
  private final String tiny = lab.image("tiny");

  @BeforeEach
  void makeTheSpool() {
    root.bash("rm -rf \"$1\" && install -d -m 3733 -o \"$2\" -g \"$2\" \"$1\"", SPOOL, DAEMON)
        .succeeded();
  }

  private Outcome run(Login login, String... command) {
    List<String> words =
        new ArrayList<>(List.of("hpcrun", "run", "-N", "2", "-n", "4", tiny, "--"));
    words.addAll(List.of(command));
    return login.run(words);
  }

  /** The files of the spool by their names without the random part, each with what it holds. */
  private Map<String, String> spooled() {
    Map<String, String> files = new TreeMap<>();
    for (String name : names()) {
      assertThat(name).matches(".*" + RANDOM);
      String content = new String(root.read(SPOOL + "/" + name), StandardCharsets.UTF_8);
      assertThat(files.put(name.replaceFirst(RANDOM, ".jsonl"), content)).as(name).isNull();
    }
    return files;
  }

  private List<String> names() {
    return root.run("ls", "-A", SPOOL).succeeded().lines();
  }

  private static JsonNode head(String record) {
    return JSON.readTree(record.lines().findFirst().orElseThrow());
  }

  private static List<String> filesOf(String launch, long begun) {
    String prefix = "lab." + launch + "." + begun;
    return List.of(
        prefix + ".job.ended.jsonl",
        prefix + ".job.running.jsonl",
        prefix + ".node.c1.jsonl",
        prefix + ".node.c2.jsonl");
  }

  @Test
  void theRecordsOfALaunchAreHandedInByItsNodes() {
    Matcher launch = LAUNCH.matcher(run(alice, "true").succeeded().error());
    assertThat(launch.find()).isTrue();
    String id = launch.group(1);
    Map<String, String> files = spooled();
    JsonNode ended = head(files.values().iterator().next());
    long begun = ended.get("script_ns").asLong();
    assertThat(files).containsOnlyKeys(filesOf(id, begun));
    String uid = alice.run("id", "-u").succeeded().output().strip();
    assertThat(files.values())
        .map(SpoolIT::head)
        .allSatisfy(
            head -> {
              assertThat(head.get("launch").asString()).isEqualTo(id);
              assertThat(head.get("cluster").asString()).isEqualTo("lab");
              assertThat(head.get("uid").asString()).isEqualTo(uid);
              assertThat(head.get("begun_ns").asLong()).isEqualTo(begun);
            });
    String own = ".local/state/hpcrun/records/" + id.split("\\.")[0] + "/" + id;
    assertThat(files)
        .containsEntry(filesOf(id, begun).get(0), ownRecord(own + ".job.jsonl"))
        .containsEntry(filesOf(id, begun).get(2), ownRecord(own + ".node.c1.jsonl"))
        .containsEntry(filesOf(id, begun).get(3), ownRecord(own + ".node.c2.jsonl"));
    assertThat(head(files.get(filesOf(id, begun).get(1))).get("state").asString())
        .isEqualTo("running");
    assertThat(root.bash("cd \"$1\" && stat -c '%U %g %a' -- *", SPOOL).succeeded().lines())
        .hasSize(4)
        .containsOnly("alice " + DAEMON + " 640");
  }

  private String ownRecord(String path) {
    return new String(alice.read(path), StandardCharsets.UTF_8);
  }

  @Test
  void onlyTheDaemonSeesRecords() {
    run(alice, "true").succeeded();
    String name = SPOOL + "/" + names().getFirst();
    assertThat(bob.run("ls", SPOOL).exitCode()).isNotZero();
    assertThat(bob.run("cat", name).exitCode()).isNotZero();
    assertThat(bob.run("rm", "-f", name).exitCode()).isNotZero();
    assertThat(bob.run("mv", "-f", name, SPOOL + "/taken").exitCode()).isNotZero();
    assertThat(bob.bash("echo '{}' | ln \"$1\" \"$2\"", name, SPOOL + "/second").exitCode())
        .isNotZero();
    root.run("setpriv", "--reuid=" + DAEMON, "--regid=" + DAEMON, "--clear-groups", "cat", name)
        .succeeded();
    assertThat(spooled()).hasSize(4);
  }

  @Test
  void theElementsOfAnArrayAreLaunchesOfTheirOwn() {
    String job = jobs.submit("--array=0-2", "-N", "1", tiny, "--", "true");
    jobs.awaitEnd(job);
    Map<String, List<String>> launches = new TreeMap<>();
    spooled()
        .forEach(
            (name, record) ->
                launches
                    .computeIfAbsent(head(record).get("launch").asString(), l -> new ArrayList<>())
                    .add(name));
    assertThat(launches).containsOnlyKeys(job + "_0.0.0", job + "_1.0.0", job + "_2.0.0");
    assertThat(launches.values()).allSatisfy(names -> assertThat(names).hasSize(3));
  }

  @Test
  void theLaunchesOfAScriptBeganWithTheScript() {
    alice.write(
        "script.sh",
        """
        #!/bin/sh
        #SBATCH -N 2 -n 2
        #HPCRUN --image=tiny.sif --mpi=none
        hpcrun exec -- true
        SLURM_CLUSTER_NAME=other hpcrun exec -- true
        """
            .getBytes(StandardCharsets.UTF_8));
    String job = jobs.submit("-o", "/home/alice/%j.out", "script.sh");
    jobs.awaitEnd(job);
    Map<String, String> files = spooled();
    List<Long> begun =
        files.values().stream().map(r -> head(r).get("begun_ns").asLong()).distinct().toList();
    assertThat(begun).hasSize(1);
    List<String> expected = new ArrayList<>(filesOf(job + ".0.0", begun.getFirst()));
    expected.addAll(filesOf(job + ".0.1", begun.getFirst()));
    assertThat(files).containsOnlyKeys(expected);
    assertThat(head(files.get(expected.get(0))).get("script_ns").asLong())
        .as("the launch's own begin")
        .isGreaterThan(begun.getFirst());
  }

  @Test
  void theStepsInAnAllocationBeginOneByOne() {
    alice
        .bash(
            "salloc --quiet -N 2 -n 2 bash -c 'hpcrun exec --mpi=none tiny.sif -- true &&"
                + " hpcrun exec --mpi=none tiny.sif -- true'")
        .succeeded();
    Map<String, String> files = spooled();
    assertThat(files).hasSize(8);
    Map<String, List<Long>> begun = new TreeMap<>();
    for (String record : files.values()) {
      JsonNode head = head(record);
      begun
          .computeIfAbsent(head.get("launch").asString(), l -> new ArrayList<>())
          .add(head.get("begun_ns").asLong());
    }
    assertThat(begun.values())
        .hasSize(2)
        .allSatisfy(times -> assertThat(times).hasSize(4).containsOnly(times.getFirst()));
    assertThat(begun.values().stream().map(List::getFirst)).doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/nonexistent/spool",
        "/etc/passwd",
        "/home/alice/closed",
        "/home/alice/link",
        "/home/alice/full"
      })
  void aSpoolThatTakesNothingCostsOneLine(String spool) {
    root.bash(
            "install -d -m 755 /home/alice/closed /home/alice/full"
                + " && ln -sfn \"$1\" /home/alice/link",
            SPOOL)
        .succeeded();
    onNodes(
        "mount -t tmpfs -o size=64k,mode=3733 tmpfs /home/alice/full"
            + " && ! dd if=/dev/zero of=/home/alice/full/fill bs=4k status=none 2>/dev/null");
    try {
      unharmed(
          run(alice.with("HPCRUN_SPOOL", spool), "sh", "-c", "echo rank; exit 7"),
          "on c[1-2] " + LOST + " " + spool);
    } finally {
      onNodes("umount /home/alice/full");
    }
    assertThat(spooled()).isEmpty();
  }

  private static void unharmed(Outcome outcome, String lost) {
    assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(7);
    assertThat(outcome.lines()).filteredOn("rank"::equals).hasSize(4);
    assertThat((outcome.output() + outcome.error()).lines().filter(line -> line.contains("spool")))
        .as("%s", outcome)
        .hasSize(1)
        .allMatch(line -> line.contains(lost));
    assertThat(outcome.error()).as("the timing").contains("spawn", "2 nodes");
  }

  @ParameterizedTest
  @ValueSource(strings = {"c1", "c2"})
  void aSpoolThatHangsOnANodeIsLeftAlone(String node) {
    Login there = lab.as("root", node);
    there
        .bash(
            """
            fuse-overlayfs -f -o "allow_other,lowerdir=$1" "$1" >/dev/null 2>&1 &
            echo $! >/run/hung-spool
            for ((i = 0; i < 100; i++)); do
              ! mountpoint -q "$1" || exec kill -s STOP $!
              sleep 0.1
            done
            exit 1
            """,
            SPOOL)
        .succeeded();
    try {
      unharmed(
          run(alice, "sh", "-c", "echo rank; exit 7"),
          "on " + node + " " + LOST + " " + SPOOL + " (HPCRUN_SPOOL), which does not answer");
      Jobs.await("the end of the job", () -> jobs.inQueue().isEmpty());
    } finally {
      there.bash("kill -s KILL \"$(</run/hung-spool)\"; umount -l \"$1\"", SPOOL).succeeded();
    }
    assertThat(spooled().keySet().stream().map(name -> name.replaceAll(".*\\d{19}\\.", "")))
        .contains("node." + (node.equals("c1") ? "c2" : "c1") + ".jsonl")
        .doesNotContain("node." + node + ".jsonl");
  }

  private void onNodes(String script) {
    LabCluster.COMPUTE_NODES.forEach(node -> lab.as("root", node).bash(script).succeeded());
  }
}
