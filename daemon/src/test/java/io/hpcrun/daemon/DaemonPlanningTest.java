package io.hpcrun.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.plan.Advice;
import io.hpcrun.planning.PlanAnswer;
import io.hpcrun.planning.PlanRequest;
import io.hpcrun.planning.Planning;
import io.hpcrun.policy.Policy;
import io.hpcrun.slurm.SlurmClient;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.UserScript;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The command's side and the daemon's, over a real socket. */
class DaemonPlanningTest {
  private static final ClusterFacts CLUSTER = SampleLaunch.CLUSTER;

  @TempDir private Path directory;
  private final List<String> notices = new ArrayList<>();
  private Path socket;

  @BeforeEach
  void ownDirectory() throws IOException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    socket = directory.resolve("hpcrund.sock");
  }

  private Settings settings() {
    return new Settings(socket, directory.resolve("state"), null, null, null, null, null, null);
  }

  /**
   * On a busy machine a daemon that has just started is slow; only one that hangs is not waited
   * for.
   */
  private Planning planning() {
    return planning(Duration.ofSeconds(30));
  }

  private Planning planning(Duration limit) {
    return new Planning(
        new SlurmClient(),
        Map.of("HPCRUN_DAEMON", socket.toString(), "XDG_CACHE_HOME", directory.toString()),
        notices::add,
        () -> Policy.NONE,
        limit);
  }

  @Test
  void thePlanOfTheDaemonIsThatOfTheCommandByteForByte() {
    try (Service service = new Service(settings(), () -> CLUSTER)) {
      service.start();
      PlanAnswer here = PlanAnswer.to(SampleLaunch.request());
      PlanAnswer there = planning().plan(SampleLaunch.request());
      assertThat(notices).isEmpty();
      assertThat(there.script().orElseThrow()).isEqualTo(here.script().orElseThrow());
      assertThat(there.decisions()).isEqualTo(here.decisions());
      assertThat(there.warnings()).isEqualTo(here.warnings());
      assertThat(there.refusals()).isEqualTo(here.refusals());
    }
  }

  @Test
  void theDaemonJudgesByTheSitesRulesAndReadsThemAnew() throws IOException {
    Path site = directory.resolve("site.yaml");
    Path rules = directory.resolve("policy.yaml");
    Files.writeString(site, "contact: help@site\npolicy: " + rules + "\n");
    String rule =
        "rules:\n  - {id: images, reason: The site says so, require: {image: %s, image-source: %s}}\n";
    Files.writeString(rules, rule.formatted("/apps/*", "/given*"));
    SiteWatch watch = new SiteWatch(site);
    try (Service service =
        new Service(settings(), () -> CLUSTER, Set::of, watch::site, watch::policy)) {
      service.start();
      PlanAnswer refused = planning().plan(SampleLaunch.request());
      assertThat(refused).isEqualTo(PlanAnswer.to(SampleLaunch.request(), watch.policy()));
      assertThat(refused.refusals().getFirst().text())
          .isEqualTo(
              "policy images: The site says so (image is /images/héllo.sif, and must be /apps/*)");
      Files.writeString(rules, rule.formatted("'/images/*'", "'/given*'"));
      assertThat(planning().plan(SampleLaunch.request()).refusals()).isEmpty();
      Files.writeString(rules, "rules: [{id: nonsense}]\n");
      assertThat(planning().plan(SampleLaunch.request()).refusals()).isEmpty();
      assertThat(notices).isEmpty();
    }
  }

  @Test
  void theDaemonRefusesScriptsThatSlurmctldWouldRefuse() throws IOException {
    Path site = directory.resolve("site.yaml");
    Path policy = directory.resolve("policy.yaml");
    Files.writeString(site, "contact: help@site\npolicy: " + policy + "\n");
    String enforce = "enforce: {partitions: [%s]}\n";
    Files.writeString(policy, enforce.formatted("main"));
    SiteWatch watch = new SiteWatch(site);
    PlanRequest request =
        SampleLaunch.request(
            new UserScript(
                List.of(),
                List.of(ByteString.of("/bin/bash")),
                List.of(),
                ByteString.of(UserScript.HEAD_OF_SWEEP + "x.\nexec hpcrun exec -- app\n")));
    try (Service service =
        new Service(settings(), () -> CLUSTER, Set::of, watch::site, watch::policy)) {
      service.start();
      PlanAnswer refused = planning().plan(request);
      assertThat(refused).isEqualTo(PlanAnswer.to(request, watch.policy()));
      assertThat(refused.refusals())
          .extracting(Advice::remedy)
          .containsExactly("write 'as: jobs' in the sweep, or ask help@site");
      assertThat(planning().plan(SampleLaunch.request()).refusals()).isEmpty();
      Files.writeString(policy, enforce.formatted("others"));
      assertThat(planning().plan(request).refusals()).isEmpty();
      assertThat(notices).isEmpty();
    }
  }

  @Test
  void theClusterIsWhatSlurmToldTheDaemon() throws InterruptedException {
    try (Service service = new Service(settings(), () -> CLUSTER)) {
      service.start();
      service.awaitCluster();
      assertThat(planning().cluster()).isEqualTo(CLUSTER);
      assertThat(notices).isEmpty();
    }
  }

  @Test
  void theSocketIsGoneWhenTheDaemonHasStopped() {
    try (Service service = new Service(settings(), () -> CLUSTER)) {
      service.start();
      assertThat(socket).exists();
    }
    assertThat(socket).doesNotExist();
  }

  @Test
  void aSecondDaemonDoesNotTakeTheSocketOfTheFirst() {
    try (Service first = new Service(settings(), () -> CLUSTER);
        Service second = new Service(settings(), () -> CLUSTER)) {
      first.start();
      org.assertj.core.api.Assertions.assertThatThrownBy(second::start)
          .hasMessageContaining("another hpcrund listens at " + socket);
      planning().plan(SampleLaunch.request());
      assertThat(notices).isEmpty();
    }
  }

  @Test
  void theSocketOfADaemonThatWasKilledIsTakenOver() throws IOException {
    try (ServerSocketChannel killed = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      killed.bind(UnixDomainSocketAddress.of(socket));
    }
    try (Service service = new Service(settings(), () -> CLUSTER)) {
      service.start();
      planning().plan(SampleLaunch.request());
      assertThat(notices).isEmpty();
    }
  }

  @Test
  void aMissingSocketIsSaidOnceAndTheCommandPlansItself() {
    Planning planning = planning();
    byte[] script = planning.plan(SampleLaunch.request()).script().orElseThrow();
    planning.plan(SampleLaunch.request());
    assertThat(script).isEqualTo(PlanAnswer.to(SampleLaunch.request()).script().orElseThrow());
    assertThat(notices).hasSize(1).first().asString().contains("there is no such file");
  }

  @Test
  void aDirectoryThatOthersCanWriteToIsNotTrusted() throws IOException {
    try (Service service = new Service(settings(), () -> CLUSTER)) {
      service.start();
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
      planning().plan(SampleLaunch.request());
    }
    assertThat(notices).hasSize(1).first().asString().contains("others can write to");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "hello\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n{\"schema\":",
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}"
      })
  void anAnswerThatIsNoPlanIsSaidOnceAndTheCommandPlansItself(String answer) throws Exception {
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket));
      Thread other = Thread.ofPlatform().daemon().start(() -> answer(server, answer));
      PlanAnswer plan = planning().plan(SampleLaunch.request());
      assertThat(plan.script()).isPresent();
      assertThat(notices).hasSize(1);
      other.join();
    }
  }

  @Test
  void aDaemonThatHangsIsSaidOnceAndTheCommandPlansItself() throws IOException {
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket));
      PlanAnswer plan = planning(Duration.ofMillis(180)).plan(SampleLaunch.request());
      assertThat(plan.script()).isPresent();
      assertThat(notices).hasSize(1).first().asString().contains("did not answer within");
    }
  }

  private static void answer(ServerSocketChannel server, String answer) {
    try (SocketChannel channel = server.accept()) {
      channel.read(ByteBuffer.allocate(1 << 20));
      channel.write(ByteBuffer.wrap(answer.getBytes(StandardCharsets.US_ASCII)));
    } catch (IOException failed) {
      throw new java.io.UncheckedIOException(failed);
    }
  }
}
