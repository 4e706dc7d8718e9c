package io.hpcrun.daemon;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.databind.DatabindException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.exc.UnrecognizedPropertyException;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** Reads the site file, and says of each mistake where it is and what to write. */
public final class SettingsFile {
  private static final long LARGEST = 1 << 20;

  private static final YAMLMapper YAML =
      YAMLMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .addModule(new io.hpcrun.daemon.api.Words())
          .build();

  private SettingsFile() {}

  /** The file as a whole; issue by issue it gets more sections. */
  private record Site(Settings daemon) {}

  /**
   * Reads the settings.
   *
   * @throws Failure with exit code 2, which names file, line and column
   */
  public static Settings read(Path file) {
    try {
      if (Files.size(file) > LARGEST) {
        throw Failure.usage(file + " is larger than 1 MiB", "give the site file (--config)");
      }
      Site site = YAML.readValue(Files.readAllBytes(file), Site.class);
      Settings settings =
          site == null || site.daemon() == null ? Settings.defaults() : site.daemon();
      problems(settings).stream()
          .findFirst()
          .ifPresent(
              problem -> {
                throw Failure.usage(file + ": " + problem, "correct it there");
              });
      return settings;
    } catch (UnrecognizedPropertyException unknown) {
      throw Failure.usage(
          place(file, unknown) + ": there is no setting '" + unknown.getPropertyName() + "'",
          "use one of: "
              + unknown.getKnownPropertyIds().stream()
                  .map(Object::toString)
                  .sorted()
                  .collect(Collectors.joining(", ")));
    } catch (DatabindException wrong) {
      throw Failure.usage(
          place(file, wrong) + ": " + path(wrong) + firstLine(wrong),
          "see docs/daemon.md for what may stand there");
    } catch (JacksonException noYaml) {
      throw Failure.usage(place(file, noYaml) + ": " + firstLine(noYaml), "write it as YAML");
    } catch (NoSuchFileException missing) {
      throw Failure.usage("there is no " + file, "write it, or name another one (--config)");
    } catch (AccessDeniedException denied) {
      throw Failure.usage(
          file + " cannot be read: permission denied", "let hpcrund's user read it");
    } catch (IOException unreadable) {
      throw Failure.usage(file + " cannot be read: " + unreadable.getMessage(), "check the file");
    }
  }

  /** What is wrong with values that are of the right type. */
  private static List<String> problems(Settings settings) {
    List<String> problems = new ArrayList<>();
    absolute(problems, "daemon.socket", Optional.of(settings.socket()));
    absolute(problems, "daemon.state", Optional.of(settings.state()));
    absolute(problems, "daemon.spool", settings.spool());
    // sockaddr_un holds 107 bytes and the end (unix(7)).
    if (settings.socket().toString().getBytes(java.nio.charset.StandardCharsets.UTF_8).length
        > 107) {
      problems.add("daemon.socket is longer than the 107 bytes that a Unix socket's path may have");
    }
    settings
        .store()
        .url()
        .filter(url -> !url.startsWith("jdbc:postgresql:"))
        .ifPresent(url -> problems.add("daemon.store.url is not a database 'jdbc:postgresql:...'"));
    atLeast(problems, "daemon.store.keep_days", 1, settings.store().keepDays());
    atLeast(problems, "daemon.store.keep_bytes", 10_000_000, settings.store().keepBytes());
    atLeast(
        problems, "daemon.limits.requests_per_second", 1, settings.limits().requestsPerSecond());
    atLeast(problems, "daemon.limits.request_bytes", 65_536, settings.limits().requestBytes());
    atLeast(problems, "daemon.limits.request_seconds", 1, settings.limits().requestSeconds());
    atLeast(problems, "daemon.limits.requests_at_once", 1, settings.limits().requestsAtOnce());
    atLeast(
        problems,
        "daemon.limits.requests_at_once_per_user",
        1,
        settings.limits().requestsAtOncePerUser());
    images(problems, settings.images());
    settings.tcp().ifPresent(tcp -> tcp(problems, tcp));
    return problems;
  }

  private static void tcp(List<String> problems, Settings.Tcp tcp) {
    if (tcp.port() < 0 || tcp.host().isEmpty()) {
      problems.add("daemon.tcp.listen: '" + tcp.listen() + "' is not HOST:PORT");
    } else if (tcp.certificate().isEmpty() && !tcp.host().matches("localhost|127\\..*|::1")) {
      problems.add(
          "daemon.tcp.listen: "
              + tcp.host()
              + " is not a loopback address, and without daemon.tcp.certificate tokens would be read"
              + " on the way");
    }
    if (tcp.certificate().isPresent() != tcp.key().isPresent()) {
      problems.add("daemon.tcp: certificate and key go together");
    }
    absolute(problems, "daemon.tcp.certificate", tcp.certificate());
    absolute(problems, "daemon.tcp.key", tcp.key());
    tcp.url()
        .filter(url -> !url.matches("https?://[^/?#]+/([^?#]*/)?"))
        .ifPresent(
            url -> problems.add("daemon.tcp.url: '" + url + "' is not https://HOST/ or the like"));
  }

  private static void images(List<String> problems, Settings.Images images) {
    absolute(problems, "daemon.images.directory", images.directory());
    absolute(problems, "daemon.images.keys", images.keys());
    atLeast(problems, "daemon.images.quota_bytes", 1_000_000, images.quotaBytes());
    atLeast(problems, "daemon.images.workers", 1, images.workers());
    atLeast(problems, "daemon.images.pull_seconds", 10, images.pullSeconds());
    atLeast(problems, "daemon.images.pulls_per_user", 1, images.pullsPerUser());
    // docker://registry.site would also allow docker://registry.site.elsewhere/.
    images.sources().stream()
        .filter(
            each -> !each.matches("((docker|oras|library|https)://|/).*") || !each.endsWith("/"))
        .forEach(
            each ->
                problems.add(
                    "daemon.images.sources: '"
                        + each
                        + "' is not the beginning of a source that ends with a slash"));
    images.insecureRegistries().stream()
        .filter(each -> !each.matches("[A-Za-z0-9.-]+(:[0-9]{1,5})?"))
        .forEach(
            each ->
                problems.add(
                    "daemon.images.insecure_registries: '" + each + "' is not HOST or HOST:PORT"));
  }

  private static void absolute(List<String> problems, String name, Optional<Path> path) {
    path.filter(each -> !each.isAbsolute())
        .ifPresent(each -> problems.add(name + ": '" + each + "' is not an absolute path"));
  }

  private static void atLeast(List<String> problems, String name, long least, Number value) {
    if (value.longValue() < least) {
      problems.add(name + " is " + value + " and must be " + least + " at least");
    }
  }

  private static String place(Path file, JacksonException wrong) {
    TokenStreamLocation where = wrong.getLocation();
    return where == null || where.getLineNr() < 1
        ? file.toString()
        : file + ", line " + where.getLineNr() + ", column " + where.getColumnNr();
  }

  private static String path(DatabindException wrong) {
    String path =
        wrong.getPath().stream()
            .map(each -> each.getPropertyName() == null ? "-" : each.getPropertyName())
            .collect(Collectors.joining("."));
    return path.isEmpty() ? "" : path + ": ";
  }

  private static String firstLine(JacksonException wrong) {
    return wrong.getOriginalMessage().lines().findFirst().orElse("it is not valid");
  }
}
