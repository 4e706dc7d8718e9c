package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.LabDaemon;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import io.hpcrun.lab.Timing;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Launches on the cluster, from the nodes' spool to the daemon's answers; and who sees them. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DaemonRecordsIT {
  private static final JsonMapper JSON = new JsonMapper();

  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);
  private final Login alice = lab.alice().with("HPCRUN_SPOOL", LabDaemon.SPOOL);
  private final Login bob = lab.as("bob", LabCluster.LOGIN_NODE);
  private final Jobs jobs = new Jobs(alice);
  private final LabDaemon daemon = new LabDaemon(lab);
  private String job;
  private JsonNode launch;

  @BeforeAll
  void launch() {
    daemon.start();
    job = jobs.submit("-N", "2", "-n", "4", lab.image("hello-openmpi"), "--", "hello-mpi");
    jobs.awaitEnd(job);
    launch = await(job, 1).getFirst();
  }

  @AfterAll
  void stop() {
    daemon.close();
  }

  /** Launches of a job whose name this is, once all their records have come in. */
  private List<JsonNode> await(String name, int count) {
    List<JsonNode> found = new ArrayList<>();
    Jobs.await(
        count + " launches of job " + name + " are in the store, whole",
        () -> {
          found.clear();
          ask(lab.alice(), "/v1/launches?job=" + name)
              .path("launches")
              .forEach(
                  each -> {
                    JsonNode nodes =
                        ask(lab.alice(), "/v1/launches/" + each.path("id").asString() + "/nodes");
                    if (each.path("state").asString().equals("ended")
                        && nodes.path("nodes").size() == each.path("nodes").asInt()) {
                      found.add(each);
                    }
                  });
          return found.size() == count;
        });
    return found;
  }

  private JsonNode ask(Login user, String path) {
    return JSON.readTree(daemon.ask(user, path).succeeded().out());
  }

  @Test
  void theDaemonKnowsTheLaunch() {
    System.out.println("launch: " + launch);
    assertThat(launch.path("user").asString()).isEqualTo("alice");
    assertThat(launch.path("job").asString()).isEqualTo(job);
    assertThat(launch.path("exit").asInt()).isZero();
    assertThat(launch.path("ranks").asInt()).isEqualTo(4);
    assertThat(launch.path("partition").asString()).isEqualTo("main");
    assertThat(launch.path("image").asString()).isEqualTo("/home/alice/hello-openmpi.sif");
    assertThat(launch.path("mpi").asString()).isEqualTo("pmix");
  }

  @Test
  void theFiguresAreThoseOfTheUsersOwnRecords() {
    JsonNode there = ask(lab.alice(), "/v1/launches/" + launch.path("id").asString());
    JsonNode here = Timing.of(lab.alice(), job).launch();
    assertThat(there.path("stages")).isEqualTo(here.path("stages"));
    assertThat(there.path("nodes_measured")).isEqualTo(here.path("nodes_measured"));
    assertThat(there.path("record")).isEqualTo(here.path("record"));
    assertThat(there.path("stages").size()).isGreaterThan(7);
  }

  @Test
  void everyRankIsThere() {
    JsonNode ranks =
        ask(lab.alice(), "/v1/launches/" + launch.path("id").asString() + "/ranks").path("ranks");
    assertThat(ranks.findValues("rank").stream().map(JsonNode::asInt))
        .containsExactlyInAnyOrder(0, 1, 2, 3);
    assertThat(ranks.findValues("node").stream().map(JsonNode::asString).distinct())
        .containsExactlyInAnyOrder("c1", "c2");
  }

  @Test
  void theSpoolIsEmptyAgain() {
    Jobs.await(
        "the spool is empty",
        () ->
            lab.as("root", LabCluster.LOGIN_NODE)
                .run("find", LabDaemon.SPOOL, "-type", "f")
                .succeeded()
                .output()
                .isEmpty());
  }

  @Test
  void recordsThatCameWhileTheDaemonWasAwayAreTakenInLater() {
    daemon.close();
    String later = jobs.submit("--array=1-3", lab.image("tiny"), "--", "true");
    jobs.awaitEnd(later);
    daemon.start();
    assertThat(await(later, 3)).hasSize(3);
  }

  /** User bob tries to see, change and forge what is alice's. */
  @Test
  void othersNeitherSeeNorForgeLaunches() {
    String id = launch.path("id").asString();
    CaseTable table = new CaseTable("bob tries", "answer");
    for (String path :
        List.of(
            "/v1/launches/" + id,
            "/v1/launches/" + id + "/nodes",
            "/v1/launches/" + id + "/ranks")) {
      Outcome refused = daemon.ask(bob, path);
      table.row("GET " + path, JSON.readTree(refused.out()).path("status").asInt());
      assertThat(JSON.readTree(refused.out()).path("status").asInt()).isEqualTo(404);
    }
    for (String query : List.of("", "?user=alice", "?job=" + job)) {
      JsonNode list = ask(bob, "/v1/launches" + query).path("launches");
      table.row("GET /v1/launches" + query, list.size() + " launches");
      assertThat(list).allSatisfy(own -> assertThat(own.path("user").asString()).isEqualTo("bob"));
    }
    JsonNode stages = ask(bob, "/v1/stages?user=alice").path("groups");
    table.row("GET /v1/stages?user=alice", stages.size() + " groups");
    assertThat(stages).allSatisfy(group -> assertThat(group.path("launches").asInt()).isZero());
    for (String attempt :
        List.of(
            "ls " + LabDaemon.SPOOL,
            "ls " + LabDaemon.SPOOL + "/.taken",
            "cat /var/lib/hpcrund/launches.db",
            "rm -rf " + LabDaemon.SPOOL + "/.quarantine",
            "mv " + LabDaemon.SPOOL + "/.taken " + LabDaemon.SPOOL + "/mine",
            "cat /home/alice/.local/state/hpcrun/records/" + job + "/" + job + ".0.0.job.jsonl")) {
      Outcome outcome = bob.bash(attempt);
      table.row(attempt, outcome.error().strip());
      assertThat(outcome.exitCode()).as(attempt).isNotZero();
    }
    forge(table, "a record that claims alice's uid", "$(id -u alice)", job + ".0.0");
    System.out.println(table);
    assertThat(ask(lab.alice(), "/v1/launches?job=" + job).path("launches")).hasSize(1);
    assertThat(ask(lab.alice(), "/v1/launches/" + id).path("launch").path("exit").asInt()).isZero();
  }

  /** The job is alice's by Slurm's word, and the other cluster is nobody's. */
  @Test
  void aRecordThatNamesTheJobOfAnotherIsLost() {
    String cluster = launch.path("cluster").asString();
    String running =
        "uid=$(id -u); printf '{\"schema\":\"hpcrun.record/1\",\"type\":\"launch\",\"launch\":\"%s\","
            + "\"job\":\"%s\",\"cluster\":\"%s\",\"uid\":%%s,\"state\":\"running\","
            + "\"begun_ns\":%d}\\n' \"$uid\" >%s/.%s && mv %5$s/.%6$s %5$s/%6$s.jsonl";
    long begun = launch.path("begun_ns").asLong();
    for (String name : List.of(cluster, "elsewhere")) {
      bob.bash(running.formatted(job + ".0.0", job, name, begun, LabDaemon.SPOOL, "bob-" + name))
          .succeeded();
    }
    Jobs.await(
        "hpcrund has asked Slurm about the job",
        () ->
            ask(bob, "/v1/launches?cluster=" + cluster)
                .path("launches")
                .path(0)
                .path("slurm_state")
                .asString("")
                .equals("lost"));
    JsonNode elsewhere = ask(bob, "/v1/launches?cluster=elsewhere").path("launches");
    assertThat(elsewhere).hasSize(1);
    assertThat(elsewhere.path(0).path("slurm_state").isMissingNode()).isTrue();
  }

  @Test
  void directoriesOfUsersDoNotStayInTheSpool() {
    long before = quarantined();
    bob.bash(
            ("cd %s && mkdir -p empty .hidden .full/sub && touch .full/sub/x && chmod 0700 .full"
                    + " && mv .full full")
                .formatted(LabDaemon.SPOOL))
        .succeeded();
    Login root = lab.as("root", LabCluster.LOGIN_NODE);
    Jobs.await(
        "the directories are gone",
        () ->
            root.bash("cd %s && test ! -e empty && test ! -e full".formatted(LabDaemon.SPOOL))
                    .exitCode()
                == 0);
    List<String> left = root.run("ls", "-A", LabDaemon.SPOOL).succeeded().lines();
    assertThat(left).contains(".hidden"); // for a day, as what nodes write
    assertThat(left).filteredOn(name -> name.startsWith(".directory.")).hasSize(1);
    assertThat(quarantined()).isEqualTo(before);
    String logged =
        daemon.log().stream().filter(line -> line.contains(".directory.")).findFirst().orElse("");
    System.out.println(logged);
    assertThat(logged).contains("it is a directory of uid", "only that user or root can remove it");
    String metrics = daemon.ask("/metrics").succeeded().output();
    assertThat(metrics).contains("hpcrund_ingest_failures_total 0.0");
    root.bash("cd %s && rm -rf .directory.* .hidden".formatted(LabDaemon.SPOOL)).succeeded();
  }

  private void forge(CaseTable table, String what, String uid, String launchId) {
    long before = quarantined();
    bob.bash(
            ("uid=%s; printf '{\"schema\":\"hpcrun.record/1\",\"type\":\"launch\",\"launch\":\"%s\","
                    + "\"job\":\"%s\",\"cluster\":\"%s\",\"uid\":%%s,\"state\":\"ended\",\"exit\":99,"
                    + "\"begun_ns\":%d}\\n' \"$uid\" >%s/.forged && mv %<s/.forged %<s/forged.jsonl")
                .formatted(
                    uid,
                    launchId,
                    job,
                    launch.path("cluster").asString(),
                    launch.path("begun_ns").asLong(),
                    LabDaemon.SPOOL))
        .succeeded();
    Jobs.await("the forged record is quarantined", () -> quarantined() == before + 1);
    String logged =
        daemon.log().stream()
            .filter(line -> line.contains("forged.jsonl"))
            .reduce("", (one, other) -> other);
    table.row(what, logged);
    assertThat(logged).contains("uid");
  }

  private long quarantined() {
    return lab.as("root", LabCluster.LOGIN_NODE)
        .run("find", LabDaemon.SPOOL + "/.quarantine", "-type", "f")
        .succeeded()
        .lines()
        .size();
  }
}
