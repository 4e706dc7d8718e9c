package io.hpcrun.daemon;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.Optional;

/** Settings of a daemon that listens at a socket and at a free port of this machine. */
final class LoopbackSettings {
  private LoopbackSettings() {}

  /**
   * Socket and state are in a directory.
   *
   * @param spool where records are put
   */
  static Settings in(Path directory, Path spool) throws IOException {
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    return new Settings(
        directory.resolve("hpcrund.sock"),
        directory.resolve("state"),
        Optional.of(spool),
        null,
        null,
        null,
        null,
        Optional.of(
            new Settings.Tcp(
                "127.0.0.1:" + port, Optional.empty(), Optional.empty(), Optional.empty())));
  }
}
