package io.hpcrun.daemon;

import io.hpcrun.failure.Failure;
import io.hpcrun.site.Site;
import io.hpcrun.yaml.Shape;
import io.hpcrun.yaml.YamlMap;
import io.hpcrun.yaml.YamlValue;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** The daemon's settings in the site file and its drop-ins. */
public final class SettingsFile {
  private SettingsFile() {}

  /**
   * Reads the settings, and checks the whole site file.
   *
   * @throws Failure with exit code 2, which names file, line and column
   */
  public static Settings read(Path file) {
    return of(site(file));
  }

  /** The site file, which a daemon must have. */
  static Site site(Path file) {
    if (!Files.exists(file)) {
      throw Failure.usage("there is no " + file, "write it, or name another one (--config)");
    }
    return Site.of(file, "");
  }

  /** The settings of a site. */
  static Settings of(Site read) {
    YamlMap site = read.text();
    Optional<Path> spool =
        site.find("records").map(YamlValue::map).flatMap(records -> path(records, "spool"));
    YamlMap daemon =
        site.find("daemon").map(YamlValue::map).orElse(new YamlMap(site.place(), Map.of()));
    return settings(daemon, spool);
  }

  private static Settings settings(YamlMap daemon, Optional<Path> spool) {
    return new Settings(
        path(daemon, "socket").orElse(null),
        path(daemon, "state").orElse(null),
        path(daemon, "spool").or(() -> spool),
        section(daemon, "store", SettingsFile::store),
        texts(daemon, "operators"),
        section(daemon, "limits", SettingsFile::limits),
        section(daemon, "images", SettingsFile::images),
        daemon.find("tcp").map(YamlValue::map).map(SettingsFile::tcp));
  }

  private static Settings.Store store(YamlMap store) {
    return new Settings.Store(text(store, "url"), days(store, "keep"), bytes(store, "size"));
  }

  private static Settings.Limits limits(YamlMap limits) {
    return new Settings.Limits(
        number(limits, "requests-per-second"),
        bytes(limits, "request-size"),
        seconds(limits, "request-time"),
        number(limits, "requests-at-once"),
        number(limits, "requests-at-once-per-user"));
  }

  private static Settings.Images images(YamlMap section) {
    Settings.Images images =
        new Settings.Images(
            path(section, "directory"),
            bytes(section, "quota"),
            bytes(section, "largest"),
            number(section, "workers"),
            seconds(section, "pull-time"),
            number(section, "pulls-per-user"),
            texts(section, "sources"),
            texts(section, "insecure-registries"),
            path(section, "keys"));
    if (images.largestBytes() > images.quotaBytes()) {
      throw section.place().wrong("'largest' is more than 'quota'", "make it half of it at most");
    }
    return images;
  }

  /** What one key says depends on another's value. */
  private static Settings.Tcp tcp(YamlMap section) {
    Settings.Tcp tcp =
        new Settings.Tcp(
            section.get("listen", "address and port").text(),
            path(section, "certificate"),
            path(section, "key"),
            text(section, "url"));
    YamlValue listen = section.get("listen", "");
    if (tcp.port() < 0 || tcp.host().isEmpty()) {
      throw listen.mustBe("HOST:PORT");
    }
    if (tcp.certificate().isEmpty() && !tcp.host().matches("localhost|127\\..*|::1")) {
      throw listen
          .place()
          .wrong(
              tcp.host()
                  + " is not a loopback address, and without a certificate tokens would be read on"
                  + " the way",
              "write 'certificate:' and 'key:' beside it");
    }
    if (tcp.certificate().isPresent() != tcp.key().isPresent()) {
      throw section.place().wrong("certificate and key go together", "write both");
    }
    return tcp;
  }

  private static <T> T section(YamlMap map, String key, Function<YamlMap, T> reader) {
    return map.find(key).map(YamlValue::map).map(reader).orElse(null);
  }

  private static Optional<String> text(YamlMap map, String key) {
    return map.find(key).map(YamlValue::text);
  }

  private static Optional<Path> path(YamlMap map, String key) {
    return text(map, key).map(Path::of);
  }

  private static List<String> texts(YamlMap map, String key) {
    return map.find(key)
        .map(value -> value.list().stream().map(YamlValue::text).toList())
        .orElse(null);
  }

  private static Integer number(YamlMap map, String key) {
    return map.find(key).map(value -> (int) value.integer(0, Integer.MAX_VALUE)).orElse(null);
  }

  private static Long bytes(YamlMap map, String key) {
    return map.find(key).map(Shape.Size::bytes).orElse(null);
  }

  private static Integer seconds(YamlMap map, String key) {
    return map.find(key)
        .map(value -> whole(value, Shape.Time.duration(value).toSeconds(), "a second"))
        .orElse(null);
  }

  private static Integer days(YamlMap map, String key) {
    return map.find(key)
        .map(value -> whole(value, Shape.Time.duration(value).toDays(), "a day"))
        .orElse(null);
  }

  private static int whole(YamlValue value, long number, String unit) {
    if (number < 1) {
      throw value.place().wrong("'" + value.text() + "' is less than " + unit, "give more");
    }
    return (int) Math.min(number, Integer.MAX_VALUE);
  }
}
