package io.hpcrun.pull;

import io.hpcrun.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import org.slf4j.LoggerFactory;

/**
 * The logins that a user has told Apptainer ({@code apptainer registry login}, or the variables
 * {@code APPTAINER_DOCKER_USERNAME} and {@code _PASSWORD}). Only the command has one, in the user's
 * own process; they are sent to their registry and nowhere else.
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

  /** The user's with these variables; what cannot be read counts as none. */
  public static Login of(Map<String, String> environment) {
    String directory =
        environment.getOrDefault(
            "APPTAINER_CONFIGDIR", environment.getOrDefault("HOME", "/") + "/.apptainer");
    Path file = Path.of(directory, "docker-config.json");
    try {
      Object logins =
          Files.isReadable(file)
              ? Json.read(Files.readAllBytes(file)).orElse(Map.of()).get("auths")
              : null;
      Map<String, Object> registries = new java.util.HashMap<>();
      if (logins instanceof Map<?, ?> known) {
        known.forEach((host, login) -> registries.put((String) host, login));
      }
      return new Login(environment, registries);
    } catch (IOException unreadable) {
      LoggerFactory.getLogger(Login.class).debug("{}", file, unreadable);
      return new Login(environment, Map.of());
    }
  }

  /** What HTTP's Basic authentication sends to this host (RFC 7617); empty if there is no login. */
  Optional<String> basic(String host) {
    String user = environment.getOrDefault("APPTAINER_DOCKER_USERNAME", "");
    String password = environment.getOrDefault("APPTAINER_DOCKER_PASSWORD", "");
    if (!user.isEmpty() && !password.isEmpty()) {
      return Optional.of(encoded(user + ":" + password));
    }
    return registries.get(host) instanceof Map<?, ?> login
            && login.get("auth") instanceof String auth
            && !auth.isEmpty()
        ? Optional.of(auth)
        : Optional.empty();
  }

  private static String encoded(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }
}
