package io.hpcrun.daemon;

import static io.hpcrun.timing.RankLine.ABSENT;
import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.daemon.images.JobClaims;
import io.hpcrun.daemon.store.Arrival;
import io.hpcrun.daemon.store.LaunchKey;
import io.hpcrun.daemon.store.LaunchState;
import io.hpcrun.daemon.store.LaunchStore;
import io.hpcrun.failure.Failure;
import io.hpcrun.timing.LaunchTimes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImagesOfJobsTest {
  private static final String ONE = "1".repeat(64);
  private static final String TWO = "2".repeat(64);

  @TempDir private Path directory;
  private JobClaims claims;
  private LaunchStore launches;
  private Optional<String> cluster = Optional.of("lab");

  @BeforeEach
  void open() {
    claims = new JobClaims(directory);
    launches =
        LaunchStore.open(
            "jdbc:sqlite:" + directory.resolve("launches.db"), new Properties(), Clock.systemUTC());
  }

  @AfterEach
  void close() {
    launches.close();
  }

  /** All images that are in use, whoever uses them. */
  private static Set<Path> used(ImagesOfJobs images) {
    return images.byUser().orElseThrow().values().stream()
        .flatMap(Set::stream)
        .collect(Collectors.toSet());
  }

  private ImagesOfJobs images(Map<Long, Long> queue) {
    return new ImagesOfJobs(claims, directory, launches, jobs -> queue, () -> cluster);
  }

  private Path path(String digest) {
    return directory.resolve("sha256").resolve(digest + ".sif");
  }

  @Test
  void theImageOfAJobThatSlurmHasIsInUse() throws IOException {
    claims.add(new JobClaims.Claim(ONE, 1001, 12));
    claims.add(new JobClaims.Claim(ONE, 1001, 12));
    claims.add(new JobClaims.Claim(TWO, 1001, 13));
    assertThat(used(images(Map.of(12L, 1001L)))).containsExactly(path(ONE));
    assertThat(claims.all()).containsExactly(new JobClaims.Claim(ONE, 1001, 12));
  }

  @Test
  void imagesAreToldByTheirUsersTheOldestJobFirst() throws IOException {
    claims.add(new JobClaims.Claim(ONE, 1001, 13));
    claims.add(new JobClaims.Claim(TWO, 1001, 12));
    claims.add(new JobClaims.Claim(TWO, 1002, 14));
    Map<Long, Set<Path>> users =
        images(Map.of(12L, 1001L, 13L, 1001L, 14L, 1002L)).byUser().orElseThrow();
    assertThat(users.get(1001L)).containsExactly(path(TWO), path(ONE));
    assertThat(users.get(1002L)).containsExactly(path(TWO));
  }

  @Test
  void nobodyKeepsAnImageByTheJobOfAnother() throws IOException {
    claims.add(new JobClaims.Claim(ONE, 1002, 12));
    assertThat(used(images(Map.of(12L, 1001L)))).isEmpty();
    assertThat(claims.all()).isEmpty();
  }

  @Test
  void whileSlurmDoesNotAnswerNothingIsTold() throws IOException {
    claims.add(new JobClaims.Claim(ONE, 1001, 12));
    ImagesOfJobs images =
        new ImagesOfJobs(
            claims,
            directory,
            launches,
            jobs -> {
              throw Failure.slurm("Slurm did not answer", "wait");
            },
            () -> cluster);
    assertThat(images.byUser()).isEmpty();
    assertThat(claims.all()).hasSize(1);
  }

  /** A launch that says it runs, of which nothing else is known. */
  private void running(String name, String onCluster, String image) {
    launches.store(
        List.of(
            new Arrival.OfLaunch(
                new LaunchKey(onCluster, 1001, name, 5),
                Optional.of("mia"),
                LaunchState.RUNNING,
                ABSENT,
                ABSENT,
                ABSENT,
                "",
                image,
                "",
                "",
                "",
                "",
                ABSENT,
                new LaunchTimes("", ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT),
                "{}")));
  }

  @Test
  void aRecordOfAnotherClusterKeepsNoImage() throws IOException {
    Files.createDirectory(directory.resolve("sha256"));
    Files.createFile(path(ONE));
    Files.createFile(path(TWO));
    running("1.0.0", "lab", path(ONE).toString());
    running("2.0.0", "elsewhere", path(TWO).toString());
    assertThat(used(images(Map.of()))).containsExactly(path(ONE));
    cluster = Optional.empty(); // nobody knows yet which of the two is this one
    assertThat(used(images(Map.of()))).containsExactlyInAnyOrder(path(ONE), path(TWO));
  }

  @Test
  void onlyImagesThatAreThereAreHeldInMemory() throws IOException {
    Files.createDirectory(directory.resolve("sha256"));
    running("1.0.0", "lab", path(ONE).toString());
    running("2.0.0", "lab", "/home/mia/own.sif");
    running("3.0.0", "lab", "no path \0");
    assertThat(used(images(Map.of()))).isEmpty();
  }

  @Test
  void aLaunchThatSlurmSaysIsOverKeepsNoImage() throws IOException {
    Files.createDirectory(directory.resolve("sha256"));
    Files.createFile(path(ONE));
    running("1.0.0", "lab", path(ONE).toString());
    long id = launches.open("lab", 10).getFirst().id();
    launches.noteSlurmState(id, "RUNNING");
    assertThat(used(images(Map.of()))).containsExactly(path(ONE));
    launches.noteSlurmState(id, "NODE_FAIL");
    assertThat(used(images(Map.of()))).isEmpty();
  }

  @Test
  void otherFilesAreNoClaims() throws IOException {
    Files.createFile(directory.resolve(".jobs/x.1.2"));
    assertThat(claims.all()).isEmpty();
    assertThat(used(images(Map.of()))).isEmpty();
  }

  @Test
  void claimsOfJobsThatAreOverAreForgottenThoughNobodyNeedsRoom() throws Exception {
    claims.add(new JobClaims.Claim(ONE, 1001, 12));
    claims.add(new JobClaims.Claim(TWO, 1001, 13));
    AtomicInteger asked = new AtomicInteger();
    ImagesOfJobs images =
        new ImagesOfJobs(
            claims,
            directory,
            launches,
            jobs -> {
              if (asked.incrementAndGet() == 1) {
                throw Failure.slurm("Slurm did not answer", "wait");
              }
              return asked.get() == 2 ? throwDefect() : Map.of(12L, 1001L);
            },
            () -> cluster);
    ClaimWatch watch = ClaimWatch.start(images::byUser, Duration.ofMillis(10));
    try (watch) {
      for (int i = 0; i < 1000 && claims.all().size() > 1; i++) {
        Thread.sleep(10);
      }
    }
    assertThat(claims.all()).containsExactly(new JobClaims.Claim(ONE, 1001, 12));
  }

  private static Map<Long, Long> throwDefect() {
    throw new IllegalStateException("defect");
  }

  @Test
  void slurmIsNotAskedAboutNoClaims() {
    new ImagesOfJobs(
            claims,
            directory,
            launches,
            jobs -> {
              throw new AssertionError("asked");
            },
            () -> cluster)
        .byUser();
  }
}
