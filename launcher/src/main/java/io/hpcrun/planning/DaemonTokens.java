package io.hpcrun.planning;

import io.hpcrun.json.Json;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** Asks the site's daemon for a token, with which a browser may ask as this user. */
public final class DaemonTokens {
  private static final Duration LIMIT = Duration.ofSeconds(10);

  private DaemonTokens() {}

  /**
   * The dashboard's address with a new token; empty where there is no daemon.
   *
   * @throws DaemonUnavailable when it does not answer
   * @throws DaemonProblem when it gives none, such as where it listens at its socket only
   */
  public static Optional<String> page(Map<String, String> environment) {
    return DaemonSocket.of(environment).map(DaemonTokens::ask);
  }

  private static String ask(Path socket) {
    DaemonConnection connection = new DaemonConnection(socket, LIMIT);
    return Json.read(connection.post("/v1/tokens", new byte[0]))
        .flatMap(answer -> Json.string(answer, "url"))
        .orElseThrow(connection::answersOtherwise);
  }
}
