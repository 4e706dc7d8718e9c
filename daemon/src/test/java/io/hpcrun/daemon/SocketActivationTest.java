package io.hpcrun.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The service as systemd starts it: with a socket as standard input. */
class SocketActivationTest {
  /** What systemd does for a socket unit with StandardInput=socket; every Debian has Perl. */
  private static final String SYSTEMD =
      """
      use Socket;
      my $path = shift;
      socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
      bind($s, sockaddr_un($path)) or die "bind: $!";
      listen($s, 16) or die "listen: $!";
      for my $turn (1 .. 2) {
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

  @Test
  @Timeout(value = 120, unit = TimeUnit.SECONDS)
  void theSocketStaysWhileTheDaemonIsStartedAnew() throws IOException, InterruptedException {
    Path socket = directory.resolve("s");
    Path site = directory.resolve("site.yaml");
    Files.writeString(
        site, "daemon:\n  socket: %s\n  state: %s\n".formatted(socket, directory.resolve("state")));
    Process systemd =
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
                "--config=" + site)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      SocketHttp http = new SocketHttp(socket);
      while (!Files.exists(socket)) {
        Thread.sleep(20);
      }
      for (int turn = 0; turn < 2; turn++) {
        // Asked at once: the request waits in the socket until the daemon is there.
        assertThat(http.get("/v1/version").json().path("api").asInt()).isEqualTo(1);
        ProcessHandle daemon = systemd.children().findFirst().orElseThrow();
        daemon.destroy();
        daemon.onExit().join();
        assertThat(socket).exists();
      }
      assertThat(systemd.waitFor()).isZero();
      assertThat(new String(systemd.getInputStream().readAllBytes()).lines())
          .filteredOn(line -> line.startsWith("ended"))
          .containsExactly("ended 1 with 0", "ended 2 with 0");
    } finally {
      systemd.descendants().forEach(ProcessHandle::destroyForcibly);
      systemd.destroyForcibly();
    }
  }

  /** Prints the datagrams that come to a socket. */
  private static final String NOTIFIED =
      """
      use Socket;
      socket(my $s, PF_UNIX, SOCK_DGRAM, 0) or die "socket: $!";
      bind($s, sockaddr_un(shift)) or die "bind: $!";
      $| = 1;
      for (1 .. 3) {
        recv($s, my $state, 4096, 0);
        print "$state;";
      }
      """;

  @Test
  @Timeout(value = 60, unit = TimeUnit.SECONDS)
  void systemdIsToldHowTheServiceGoes() throws IOException, InterruptedException {
    Path socket = directory.resolve("notify");
    Process receiver =
        new ProcessBuilder("perl", "-e", NOTIFIED, socket.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      while (!Files.exists(socket)) {
        Thread.sleep(20);
      }
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

  @Test
  void withoutSystemdNobodyIsTold() {
    new SystemdNotify(null).ready();
    new SystemdNotify(directory.resolve("nobody").toString()).ready();
    assertThat(directory).isEmptyDirectory();
  }
}
