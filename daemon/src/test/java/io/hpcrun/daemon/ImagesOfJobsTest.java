package io.hpcrun.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.daemon.images.JobClaims;
import io.hpcrun.daemon.store.LaunchStore;
import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import java.util.Properties;
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

  private ImagesOfJobs images(Map<Long, Long> queue) {
    return new ImagesOfJobs(claims, directory, launches, jobs -> queue);
  }

  private Path path(String digest) {
    return directory.resolve("sha256").resolve(digest + ".sif");
  }

  @Test
  void theImageOfAJobThatSlurmHasIsInUse() throws IOException {
    claims.add(new JobClaims.Claim(ONE, 1001, 12));
    claims.add(new JobClaims.Claim(ONE, 1001, 12));
    claims.add(new JobClaims.Claim(TWO, 1001, 13));
    assertThat(images(Map.of(12L, 1001L)).paths().orElseThrow()).containsExactly(path(ONE));
    assertThat(claims.all()).containsExactly(new JobClaims.Claim(ONE, 1001, 12));
  }

  @Test
  void nobodyKeepsAnImageByTheJobOfAnother() throws IOException {
    claims.add(new JobClaims.Claim(ONE, 1002, 12));
    assertThat(images(Map.of(12L, 1001L)).paths().orElseThrow()).isEmpty();
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
            });
    assertThat(images.paths()).isEmpty();
    assertThat(claims.all()).hasSize(1);
  }

  @Test
  void otherFilesAreNoClaims() throws IOException {
    Files.createFile(directory.resolve(".jobs/x.1.2"));
    assertThat(claims.all()).isEmpty();
    assertThat(images(Map.of()).paths().orElseThrow()).isEmpty();
  }
}
