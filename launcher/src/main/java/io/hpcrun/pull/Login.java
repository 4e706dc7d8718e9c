package io.hpcrun.pull;

import io.hpcrun.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/**
 * The logins that a user has told Apptainer ({@code apptainer registry login}, or the variables
 * {@code APPTAINER_DOCKER_USERNAME} and {@code _PASSWORD}, which Apptainer takes for whatever
 * registry is pulled from). Only the command has one, in the user's own process. They go to the
 * registry that the user named, and to the token server that this registry itself names; not to
 * where a registry sends to.
 */
public final class Login {
  /** Nobody's: the daemon's. */
  public static final Login NONE = new Login(Map.of(), Map.of());

  private final Map<String, String> environment;
  private final Map<String, Object> registries;

  private Login(Map<String, String> environment, Map<String, Object> registries) {
    this.environment = environment;
    this.registries = registries;
  }

  /**
   * The user's with these variables; what cannot be read counts as none. Apptainer 1.0 to 1.3 keep
   * logins in a file of their own, 1.4 in Docker's.
   */
  public static Login of(Map<String, String> environment) {
    String home = environment.getOrDefault("HOME", "/");
    Map<String, Object> registries = new HashMap<>();
    Stream.of(
            environment.getOrDefault("DOCKER_CONFIG", home + "/.docker") + "/config.json",
            environment.getOrDefault("APPTAINER_CONFIGDIR", home + "/.apptainer")
                + "/docker-config.json")
        .map(Path::of)
        .filter(Files::isReadable)
        .forEach(file -> read(file, registries));
    return new Login(environment, registries);
  }

  private static void read(Path file, Map<String, Object> registries) {
    try {
      if (Json.read(Files.readAllBytes(file)).orElse(Map.of()).get("auths")
          instanceof Map<?, ?> known) {
        known.forEach((host, login) -> registries.put((String) host, login));
      }
    } catch (IOException unreadable) {
      LoggerFactory.getLogger(Login.class).debug("{}", file, unreadable);
    }
  }

  /** What HTTP's Basic authentication sends to this host (RFC 7617); empty if there is no login. */
  Optional<String> basic(String host) {
    String user = environment.getOrDefault("APPTAINER_DOCKER_USERNAME", "");
    String password = environment.getOrDefault("APPTAINER_DOCKER_PASSWORD", "");
    if (!user.isEmpty() && !password.isEmpty()) {
      return Optional.of(encoded(user + ":" + password));
    }
    return Stream.of(host, "https://" + host, "https://index." + host + "/v1/")
        .map(registries::get)
        .map(login -> login instanceof Map<?, ?> known ? known.get("auth") : null)
        .filter(auth -> auth instanceof String text && !text.isEmpty())
        .map(String.class::cast)
        .findFirst();
  }

  private static String encoded(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }
}
