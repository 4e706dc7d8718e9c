package io.hpcrun.it;

import static io.hpcrun.it.StagedLaunches.DIRECTORY;
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

/** Caches of staged images that are full or not the user's own: the shared image serves. */
class StagingLimitsIT {
  private static final Logger LOG = LoggerFactory.getLogger(StagingLimitsIT.class);
  private static final String NOT_OWN = "/hpcrun-cache.1001 is not a directory of uid 1001's own";

  /** Two of the images fit, not three. */
  private static final List<String> LIMITED = List.of("-w", "c1", "--stage-limit=20M");

  private static final Map<String, String> STAGED = Map.of("c1", "node");
  private static final Map<String, String> ONLY_ON_FIRST = Map.of("c1", "node", "c2", "shared");
  private static final List<String> BOTH = List.of("-N", "2");
  private static final List<String> SCRATCH = List.of("-N", "2", "--stage-dir=/scratch");

  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);
  private final Login alice = lab.alice();
  private final Jobs jobs = new Jobs(alice);
  private final StagedCache cache = new StagedCache(lab);
  private final StagedLaunches launches = new StagedLaunches(lab, "a", "b", "c");

  @BeforeEach
  void removeCaches() {
    cache.remove();
  }

  @AfterAll
  void cleanUpAndPrint() {
    cache.remove();
    launches.removeImages();
    LOG.info("limits of staging\n{}", launches.table());
  }

  private void use(String image, String... stagedThen) {
    String[] names = launches.staged(stagedThen).toArray(String[]::new);
    String what = image + " used, then there are " + String.join(" and ", stagedThen);
    launches.check(what, LIMITED, image, STAGED);
    assertThat(cache.files("c1")).as(what).containsExactlyInAnyOrder(names);
    // The cache knows the last use to the second.
    alice.run("sleep", "1").succeeded();
  }

  /** A job that uses an image until {@link #release}. */
  private String hold(String image) {
    String started = DIRECTORY + "started-" + image;
    alice.run("rm", "-f", started, DIRECTORY + "end").succeeded();
    String job =
        jobs.submit(
            "-w",
            "c1",
            "--stage=node",
            "--stage-limit=20M",
            "-o",
            "/dev/null",
            StagedLaunches.path(image),
            "--",
            "sh",
            "-c",
            "echo >\"$0\"; while [ ! -e \"$1\" ]; do sleep 0.2; done; exec cat /bin/busybox",
            started,
            DIRECTORY + "end");
    jobs.awaitFile(started);
    return job;
  }

  private void release(String... held) {
    alice.run("touch", DIRECTORY + "end").succeeded();
    for (String job : held) {
      jobs.awaitEnd(job);
      assertThat(jobs.field(job, "ExitCode")).isEqualTo("0:0");
      assertThat(launches.from(job)).isEqualTo(STAGED);
    }
  }

  @Test
  void removesTheImageThatWasNotUsedForLongest() {
    use("a", "a");
    use("b", "a", "b");
    use("a", "a", "b");
    use("c", "a", "c");
  }

  @Test
  void keepsAnImageInUse() {
    String first = hold("a");
    use("c", "a", "c");
    use("b", "a", "b");
    String second = hold("b");
    launches.check(
        "a and b in use, c",
        LIMITED,
        "c",
        Map.of("c1", "shared"),
        "on c1 " + SHARED + "there is no room in " + StagedCache.DIRECTORY + " for 9 MiB");
    assertThat(cache.files("c1")).containsExactlyInAnyOrderElementsOf(launches.staged("a", "b"));
    release(first, second);
  }

  @Test
  void usesTheSharedImageWhereTheFileSystemIsTooSmall() {
    String make = "install -d -m 1777 /scratch\n";
    String mount = make + "mount -t tmpfs -o size=32m,mode=1777 tmpfs /scratch";
    String end = NodeFault.unmount("/scratch") + "rm -rf /scratch";
    String room = SHARED + "there is no room in /scratch/hpcrun-cache.1001 for 9 MiB (32 MiB free";
    NodeFault large = new NodeFault(lab, List.of("c1"), make, end);
    NodeFault small = new NodeFault(lab, List.of("c2"), mount, end);
    try (large;
        small) {
      launches.check("no room on c2", SCRATCH, "a", ONLY_ON_FIRST, "on c2 " + room);
    }
    NodeFault both = new NodeFault(lab, LabCluster.COMPUTE_NODES, mount, end);
    try (both) {
      launches.check("no room on both", SCRATCH, "a", both("shared"), "on c[1-2] " + room);
    }
  }

  @Test
  void usesTheSharedImageWhereThereIsNoDirectory() {
    String text = "on c[1-2] " + SHARED + "/scratch" + NOT_OWN;
    launches.check("no such directory", SCRATCH, "a", both("shared"), text);
  }

  @ParameterizedTest
  @CsvSource({
    "the cache is bob's, install -d -o bob -m 777 $1",
    "the cache is a link, ln -s /home/alice $1",
    "the cache is a file, install -o alice -m 600 /dev/null $1"
  })
  void usesTheSharedImageWhereTheCacheIsNotTheUsersOwn(String what, String script) {
    lab.as("root", "c2").bash(script, StagedCache.DIRECTORY).succeeded();
    launches.check(
        what + ", on c2", BOTH, "a", ONLY_ON_FIRST, "on c2 " + SHARED + "/tmp" + NOT_OWN);
  }

  @Test
  void usesTheSharedImageWhereTheCacheIsOpenToOthers() {
    lab.as("alice", "c2").run("mkdir", "-m", "755", StagedCache.DIRECTORY).succeeded();
    String text = " is open to other users; take their permissions away";
    launches.check(
        "the cache is open to others, on c2",
        BOTH,
        "a",
        ONLY_ON_FIRST,
        "on c2 " + SHARED + StagedCache.DIRECTORY + text);
  }
}
