package io.hpcrun.planning;

import io.hpcrun.json.Json;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * The image store of the site's daemon. All of this throws {@link DaemonUnavailable} when it does
 * not answer, and {@link DaemonProblem} when it answers that it will not.
 */
public final class DaemonImages {
  /** A pull takes long; so nobody minds if an answer does. */
  private static final Duration LIMIT = Duration.ofSeconds(10);

  /**
   * A daemon that hangs costs the command a second. Not less, as plans do: a thousand commands that
   * ask for an image at once are to find it here, and not each fetch it.
   */
  private static final Duration SHORT = Duration.ofSeconds(1);

  private final Path socket;

  private DaemonImages(Path socket) {
    this.socket = socket;
  }

  /** The daemon's, if there is a daemon here; nothing is asked yet. */
  public static Optional<DaemonImages> of(Map<String, String> environment) {
    return DaemonSocket.of(environment).map(DaemonImages::new);
  }

  /** Asks for an image; who asks again joins the same pull. */
  public PullReport pull(String source, String architecture) {
    byte[] request =
        Json.write(
            json -> {
              json.writeStringProperty("source", source);
              json.writeStringProperty("architecture", architecture);
            });
    checkThatItAnswers();
    return report(connection -> connection.post("/v1/images", request));
  }

  /** How a pull goes. */
  public PullReport look(String id) {
    return report(connection -> connection.get("/v1/pulls/" + id));
  }

  /** Says that a job will use an image. */
  public void use(String sha256, long job) {
    new DaemonConnection(socket, SHORT)
        .post(
            "/v1/images/" + sha256 + "/jobs",
            ("{\"job\":" + job + "}").getBytes(StandardCharsets.US_ASCII));
  }

  /** The images, as the API's JSON. */
  public byte[] list() {
    checkThatItAnswers();
    return connection().get("/v1/images");
  }

  private void checkThatItAnswers() {
    new DaemonConnection(socket, SHORT).get("/v1/version");
  }

  private DaemonConnection connection() {
    return new DaemonConnection(socket, LIMIT);
  }

  private PullReport report(Function<DaemonConnection, byte[]> question) {
    DaemonConnection connection = connection();
    return PullReport.read(question.apply(connection)).orElseThrow(connection::answersOtherwise);
  }
}
