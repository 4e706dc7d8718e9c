package io.hpcrun.daemon.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.hpcrun.daemon.api.Call;
import io.hpcrun.daemon.api.Caller;
import io.hpcrun.daemon.api.Endpoint;
import io.hpcrun.daemon.api.ImageEndpoints;
import io.hpcrun.daemon.api.Problem;
import io.hpcrun.failure.Failure;
import io.hpcrun.pull.ImageSource;
import io.hpcrun.pull.Resolved;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What users may keep for jobs. */
class ImageClaimTest {
  private static final Caller BOB = new Caller(1002, "bob", false);
  private static final Caller ALICE = new Caller(1001, "alice", false);

  @TempDir private Path directory;
  private ImageStore store;
  private JobClaims claims;
  private Function<Collection<Long>, Map<Long, Long>> queue = jobs -> Map.of(21L, BOB.uid());

  @BeforeEach
  void open() throws IOException {
    store = new ImageStore(directory, 1000 << 10, () -> Optional.of(Map.of()), Clock.systemUTC());
    claims = new JobClaims(directory);
    for (String each : new String[] {"a", "b"}) {
      Path file = Files.write(store.newWork().resolve("image.sif"), new byte[300 << 10]);
      store.add(
          file,
          each.repeat(64),
          new Resolved(
              ImageSource.parse("docker://r:1/app:" + each),
              "amd64",
              Optional.of("sha256:" + each),
              0,
              Optional.empty()),
          ALICE);
    }
  }

  @AfterEach
  void close() {
    store.close();
  }

  private void claim(String digest, long job) throws IOException {
    Endpoint endpoint =
        new ImageEndpoints(
                Optional.empty(),
                Optional.of(store),
                Optional.of(claims),
                jobs -> queue.apply(jobs))
            .endpoints().stream()
                .filter(each -> each.path().equals("/v1/images/{sha256}/jobs"))
                .findFirst()
                .orElseThrow();
    endpoint
        .action()
        .answer(
            new Call(
                BOB,
                Map.of("sha256", digest),
                Map.of(),
                new ByteArrayInputStream(
                    ("{\"job\":" + job + "}").getBytes(StandardCharsets.UTF_8))));
  }

  private int refused(String digest, long job) {
    return catchThrowableOfType(Problem.Unanswerable.class, () -> claim(digest, job))
        .problem()
        .status();
  }

  @Test
  void anImageIsKeptForAJobOfOnesOwnThatIsNotOver() throws IOException {
    claim("a".repeat(64), 21);
    assertThat(claims.all()).containsExactly(new JobClaims.Claim("a".repeat(64), BOB.uid(), 21));
    assertThat(refused("a".repeat(64), 22)).as("no job that Slurm has").isEqualTo(409);
    queue = jobs -> Map.of(21L, ALICE.uid());
    assertThat(refused("a".repeat(64), 21)).as("the job of another").isEqualTo(409);
    assertThat(claims.all()).hasSize(1);
  }

  @Test
  void oneJobKeepsNoMoreThanTheShareOfItsUser() throws IOException {
    claim("a".repeat(64), 21);
    assertThat(refused("b".repeat(64), 21)).isEqualTo(507);
    assertThat(claims.all()).hasSize(1);
  }

  @Test
  void whileSlurmDoesNotAnswerAClaimCountsUntilItIsLookedAt() throws IOException {
    queue =
        jobs -> {
          throw Failure.slurm("Slurm did not answer", "wait");
        };
    claim("a".repeat(64), 21);
    assertThat(claims.all()).hasSize(1);
  }
}
