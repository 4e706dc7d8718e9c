package io.hpcrun.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The service as systemd starts it: with a socket as standard input. */
class SocketActivationTest {
  /** What systemd and bin/hpcrund do for a socket unit; every Debian has Perl. */
  private static final String SYSTEMD =
      """
      use Socket;
      my $path = shift;
      socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
      bind($s, sockaddr_un($path)) or die "bind: $!";
      listen($s, 64) or die "listen: $!";
      for my $turn (1 .. 3) {
        my $pid = fork;
        if (!$pid) {
          open(STDIN, '<&', $s) or die "dup: $!";
          exec @ARGV;
          die "exec: $!";
        }
        waitpid($pid, 0);
        print "ended $turn with ", $? >> 8, "\\n";
      }
      """;

  @TempDir private Path directory;

  private static final int CLIENTS = 8;

  /** Eight clients ask all the time; the daemon reads its settings anew, ends and starts anew. */
  @Test
  @Timeout(value = 180, unit = TimeUnit.SECONDS)
  void noRequestIsLostWhileTheDaemonIsReloadedAndStartedAnew()
      throws IOException, InterruptedException {
    Path socket = directory.resolve("s");
    Path notified = directory.resolve("notified");
    Process receiver = receiver(notified, 3 + 2 * 2 + 3);
    Path site = directory.resolve("site.yaml");
    Files.writeString(
        site,
        "daemon:\n  socket: %s\n  state: %s\n  limits: {requests-per-second: 100000}\n"
            .formatted(socket, directory.resolve("state")));
    ProcessBuilder starter =
        new ProcessBuilder(
            "perl",
            "-e",
            SYSTEMD,
            socket.toString(),
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            "io.hpcrun.daemon.Main",
            "--config=" + site);
    starter.environment().put("NOTIFY_SOCKET", notified.toString());
    Process systemd = starter.redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try (ExecutorService clients = Executors.newFixedThreadPool(CLIENTS)) {
      SocketHttp http = new SocketHttp(socket);
      while (!Files.exists(socket)) {
        Thread.sleep(20);
      }
      AtomicBoolean goesOn = new AtomicBoolean(true);
      // Asked at once: requests wait in the socket until the daemon is there.
      List<Future<Map<Integer, Integer>>> answers =
          IntStream.range(0, CLIENTS)
              .mapToObj(i -> clients.submit(() -> askAllTheTime(http, goesOn)))
              .toList();
      for (int turn = 0; turn < 2; turn++) {
        assertThat(http.get("/v1/version").json().path("api").asInt()).isEqualTo(1);
        signal(daemon(systemd), "HUP");
        Thread.sleep(500);
        end(daemon(systemd));
        assertThat(socket).exists();
      }
      assertThat(http.get("/v1/version").status()).isEqualTo(200);
      goesOn.set(false);
      Map<Integer, Integer> statuses = new TreeMap<>();
      for (Future<Map<Integer, Integer>> each : answers) {
        each.get().forEach((status, count) -> statuses.merge(status, count, Integer::sum));
      }
      System.out.println("requests while the daemon was started anew twice: " + statuses);
      assertThat(statuses).containsOnlyKeys(200);
      end(daemon(systemd));
      assertThat(systemd.waitFor()).isZero();
      assertThat(new String(systemd.getInputStream().readAllBytes()).lines())
          .filteredOn(line -> line.startsWith("ended"))
          .containsExactly("ended 1 with 0", "ended 2 with 0", "ended 3 with 0");
      String reload = "RELOADING=1\nMONOTONIC_USEC=\\d+;READY=1;";
      String life = "READY=1;(" + reload + ")?STOPPING=1;";
      assertThat(new String(receiver.getInputStream().readAllBytes())).matches("(" + life + "){3}");
    } catch (ExecutionException failed) {
      throw new AssertionError(failed.getCause());
    } finally {
      receiver.destroyForcibly();
      systemd.descendants().forEach(ProcessHandle::destroyForcibly);
      systemd.destroyForcibly();
    }
  }

  /** systemd.exec(5), sd_listen_fds(3): descriptor 3, for the process that LISTEN_PID names. */
  @Test
  void systemdsSocketBecomesStandardInput() throws IOException, InterruptedException {
    Path java = Files.createDirectories(directory.resolve("runtime/bin")).resolve("java");
    Files.writeString(java, "#!/bin/sh\nreadlink /proc/$$/fd/0 /proc/$$/fd/3; env\n");
    assertThat(java.toFile().setExecutable(true)).isTrue();
    Path script =
        Files.copy(
            Path.of("../distribution/src/main/dist/bin/hpcrund"),
            Files.createDirectory(directory.resolve("bin")).resolve("hpcrund"));
    String start = "exec 3</proc/self/status; LISTEN_FDS=1 LISTEN_PID=%s exec bash -p \"$0\"";
    assertThat(printed(start.formatted("$$"), script))
        .first()
        .asString()
        .matches("/proc/\\d+/status");
    assertThat(printed(start.formatted("1"), script)).first().isEqualTo("/dev/null");
  }

  private static List<String> printed(String start, Path script)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder("bash", "-c", start, script.toString())
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    List<String> lines = new String(process.getInputStream().readAllBytes()).lines().toList();
    assertThat(process.waitFor()).isZero();
    assertThat(lines).noneMatch(line -> line.startsWith("LISTEN_"));
    return lines;
  }

  private static ProcessHandle daemon(Process systemd) {
    return systemd.children().findFirst().orElseThrow();
  }

  private static void end(ProcessHandle daemon) {
    daemon.destroy();
    daemon.onExit().join();
  }

  /** How many answers of which status came. */
  private static Map<Integer, Integer> askAllTheTime(SocketHttp http, AtomicBoolean goesOn)
      throws IOException {
    Map<Integer, Integer> statuses = new TreeMap<>();
    while (goesOn.get()) {
      SocketHttp.Answer answer = http.get("/v1/version");
      statuses.merge(answer.status(), 1, Integer::sum);
    }
    return statuses;
  }

  private static void signal(ProcessHandle process, String name)
      throws IOException, InterruptedException {
    assertThat(new ProcessBuilder("kill", "-s", name, "" + process.pid()).start().waitFor())
        .isZero();
  }

  /** Prints the datagrams that come to a socket. */
  private static final String NOTIFIED =
      """
      use Socket;
      socket(my $s, PF_UNIX, SOCK_DGRAM, 0) or die "socket: $!";
      bind($s, sockaddr_un(shift)) or die "bind: $!";
      $| = 1;
      for (1 .. shift) {
        recv($s, my $state, 4096, 0);
        print "$state;";
      }
      """;

  @Test
  @Timeout(value = 60, unit = TimeUnit.SECONDS)
  void systemdIsToldHowTheServiceGoes() throws IOException, InterruptedException {
    Path socket = directory.resolve("notify");
    Process receiver = receiver(socket, 3);
    try {
      SystemdNotify systemd = new SystemdNotify(socket.toString());
      systemd.ready();
      systemd.reloading();
      systemd.stopping();
      assertThat(new String(receiver.getInputStream().readAllBytes()))
          .matches("READY=1;RELOADING=1\nMONOTONIC_USEC=\\d+;STOPPING=1;");
    } finally {
      receiver.destroyForcibly();
    }
  }

  private static Process receiver(Path socket, int datagrams)
      throws IOException, InterruptedException {
    Process receiver =
        new ProcessBuilder("perl", "-e", NOTIFIED, socket.toString(), "" + datagrams)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    while (!Files.exists(socket)) {
      Thread.sleep(20);
    }
    return receiver;
  }

  @Test
  void withoutSystemdNobodyIsTold() {
    new SystemdNotify(null).ready();
    new SystemdNotify(directory.resolve("nobody").toString()).ready();
    assertThat(directory).isEmptyDirectory();
  }
}
