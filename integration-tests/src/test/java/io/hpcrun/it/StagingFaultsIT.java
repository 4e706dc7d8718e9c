package io.hpcrun.it;

import static io.hpcrun.it.StagedLaunches.SAYS;
import static io.hpcrun.it.StagedLaunches.SHARED;
import static io.hpcrun.it.StagedLaunches.both;
import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Images, copies and caches that change while they are staged, and programs that do not help. */
class StagingFaultsIT {
  private static final Logger LOG = LoggerFactory.getLogger(StagingFaultsIT.class);
  private static final List<String> BOTH = List.of("-N", "2");

  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);
  private final Login alice = lab.alice();
  private final Jobs jobs = new Jobs(alice);
  private final StagedCache cache = new StagedCache(lab);
  private final StagedLaunches launches = new StagedLaunches(lab, "a");

  @BeforeEach
  void removeCaches() {
    cache.remove();
  }

  @AfterAll
  void cleanUpAndPrint() {
    cache.remove();
    launches.removeImages();
    LOG.info("faults of staging\n{}", launches.table());
  }

  @Test
  void usesTheSharedImageWhereItCannotBeSent() {
    String sbcast = "/usr/local/bin/sbcast";
    String fails = "printf '#!/bin/sh\\nexit 1\\n' >%1$s; chmod 755 %1$s".formatted(sbcast);
    NodeFault fault = new NodeFault(lab, List.of("c1"), fails, "rm -f " + sbcast);
    try (fault) {
      launches.check(
          "sbcast fails",
          BOTH,
          "a",
          both("shared"),
          "on c[1-2] " + SHARED + "the image could not be sent to the nodes");
    }
    LabCluster.COMPUTE_NODES.forEach(node -> assertThat(cache.files(node)).isEmpty());
  }

  @Test
  void usesTheSharedImageWhereNothingCanBeLocked() {
    String flock = "/usr/bin/flock";
    NodeFault fault =
        new NodeFault(lab, List.of("c2"), NodeFault.hide(flock), NodeFault.giveBack(flock));
    try (fault) {
      launches.check(
          "flock missing on c2",
          List.of("-N", "2", "-t", "1"),
          "a",
          Map.of("c1", "node", "c2", "shared"),
          "on c2 " + SHARED);
    }
  }

  @Test
  void goesOnWhereTheCacheIsRemovedWhileItWaits() {
    Login first = lab.as("alice", "c1");
    String holder =
        first
            .bash(
                """
                mkdir -m 700 "$1" && exec 9>>"$1/$2.lock" && flock 9
                sleep 600 >/dev/null 2>&1 &
                echo $!
                """,
                StagedCache.DIRECTORY,
                launches.digest("a"))
            .succeeded()
            .output()
            .strip();
    String image = StagedLaunches.path("a");
    String job = jobs.submit("-w", "c1", "--stage=node", "-o", "/dev/null", image, "--", "true");
    try {
      Jobs.await(
          "an agent that waits", () -> first.run("pgrep", "-u", "alice", "flock").exitCode() == 0);
      cache.remove();
      jobs.awaitEnd(job);
    } finally {
      launches.table().row("cache removed while an agent waits", "", "", launches.from(job));
      alice.run("scancel", job);
      first.run("kill", holder);
    }
    assertThat(jobs.field(job, "ExitCode")).isEqualTo("0:0");
  }

  @ParameterizedTest
  @CsvSource({
    "replaced by another image, cp \"$2\" \"$1\"",
    "other bytes in its middle, printf x | dd of=\"$1\" bs=1 seek=5000000 conv=notrunc"
  })
  void refusesAnImageThatChangedSinceItWasSubmitted(String what, String change) {
    launches.makeImage("changed");
    String image = StagedLaunches.path("changed");
    String output = StagedLaunches.DIRECTORY + "changed.out";
    String job =
        jobs.submit("-H", "-N", "2", "--stage=node", "-o", output, image, "--", "echo", "rank");
    alice.bash(change, image, lab.image("hello-openmpi")).succeeded();
    alice.run("scontrol", "release", job).succeeded();
    jobs.awaitEnd(job);
    List<String> lines = alice.run("cat", output).succeeded().lines();
    String exit = jobs.field(job, "ExitCode");
    launches.table().row(what, exit, String.join("<br>", lines), launches.from(job));
    assertThat(lines)
        .as(what)
        .hasSize(1)
        .allMatch(
            line ->
                line.startsWith(
                    SAYS + "refused before any rank started: on c[1-2] the image " + image))
        .allMatch(line -> line.endsWith("submit the job again"));
    assertThat(exit).isEqualTo("5:0");
    LabCluster.COMPUTE_NODES.forEach(
        node ->
            assertThat(lab.as("root", node).run("ls", "-A", StagedCache.DIRECTORY).lines())
                .as("the cache of %s", node)
                .isEmpty());
  }

  /** The cache is the user's own and closed to others, so only the size of a copy is looked at. */
  @Test
  void trustsTheBytesOfTheUsersOwnCacheButNotItsSize() {
    String digest = launches.digest("a");
    launches.check("first use", BOTH, "a", both("node"));
    String copy = StagedCache.DIRECTORY + "/" + digest + ".sif";
    Login owner = lab.as("alice", "c1");
    owner
        .bash("chmod u+w \"$1\"; printf x | dd of=\"$1\" bs=1 seek=5000000 conv=notrunc", copy)
        .succeeded();
    launches.check("other bytes in the copy on c1", BOTH, "a", both("node"));
    assertThat(cache.digest("c1", digest)).isNotEqualTo(digest);
    owner.run("truncate", "-s", "5000000", copy).succeeded();
    launches.check("the copy on c1 is shorter", BOTH, "a", both("node"));
    LabCluster.COMPUTE_NODES.forEach(node -> cache.holdsOnly(node, digest));
  }
}
