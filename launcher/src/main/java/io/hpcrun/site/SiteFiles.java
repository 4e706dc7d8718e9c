package io.hpcrun.site;

import io.hpcrun.failure.Failure;
import io.hpcrun.yaml.TrustedFile;
import io.hpcrun.yaml.YamlFile;
import io.hpcrun.yaml.YamlMap;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The site file and its drop-ins, put together: {@code site.yaml}, and beside it the files {@code
 * site.d/*.yaml} in the order of their names. Maps are merged key by key; what stands in a later
 * file takes the place of what an earlier one says.
 */
public final class SiteFiles {
  /** The variable that names another site file, or {@code none}. */
  public static final String VARIABLE = "HPCRUN_SITE";

  /** Where the site file is, unless the variable says otherwise. */
  public static final Path DEFAULT = Path.of("/etc/hpcrun/site.yaml");

  private SiteFiles() {}

  /**
   * The site file that counts here; empty if there is none.
   *
   * @throws Failure with exit code 2 if the variable names one that is not there, or it cannot be
   *     told whether there is one: a site's rules do not vanish without a word
   */
  public static Optional<Path> find(Map<String, String> environment) {
    return find(environment, DEFAULT);
  }

  /** The same where the site file is elsewhere. */
  static Optional<Path> find(Map<String, String> environment, Path byDefault) {
    String named = environment.getOrDefault(VARIABLE, "");
    if (named.equals("none")) {
      return Optional.empty();
    }
    if (named.isEmpty()) {
      return isThere(byDefault) ? Optional.of(byDefault) : Optional.empty();
    }
    if (!named.startsWith("/") || !isThere(Path.of(named))) {
      throw Failure.usage(
          VARIABLE + "=" + named + " is not the absolute path of a file",
          "write the site file's path from / on, or 'none'");
    }
    return Optional.of(Path.of(named));
  }

  /** A link that leads nowhere is there, too: reading it says so. */
  private static boolean isThere(Path file) {
    try {
      Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      return true;
    } catch (NoSuchFileException none) {
      return false;
    } catch (IOException hidden) {
      throw Failure.usage(
          file + " cannot be looked at: " + TrustedFile.cause(hidden),
          "everybody must be able to enter its directory and read it; its administrators mend that"
              + " (chmod a+rx "
              + file.getParent()
              + ")");
    }
  }

  /**
   * Reads the site file and its drop-ins.
   *
   * @throws Failure with exit code 2 that names file, line and column of what is wrong
   */
  public static YamlMap read(Path file) {
    YamlMap site = YamlFile.read(TrustedFile.of(file)).map();
    for (Path dropIn : dropIns(file)) {
      YamlMap more = YamlFile.read(TrustedFile.of(dropIn)).map();
      SiteShape.FILE.check(more);
      site = merged(site, more);
    }
    SiteShape.FILE.check(site);
    return site;
  }

  /** Where files beside a site file are; need not be there. */
  public static Path directory(Path file) {
    String name = file.getFileName().toString().replaceFirst("\\.ya?ml$", "");
    return file.resolveSibling(name + ".d");
  }

  /**
   * The files beside a site file, in the order in which they are read; those whose names begin with
   * a dot, such as an editor's locks, are none.
   *
   * @throws Failure with exit code 2 for a file {@code *.yml}, which would be left out
   */
  public static List<Path> dropIns(Path file) {
    Path directory = directory(file);
    List<Path> files = new ArrayList<>();
    if (Files.isDirectory(directory)) {
      try (DirectoryStream<Path> found =
          Files.newDirectoryStream(TrustedFile.of(directory), "[!.]*.{yaml,yml}")) {
        found.forEach(files::add);
      } catch (IOException unreadable) {
        throw Failure.usage(
            directory + " cannot be read: " + unreadable.getMessage(), "check its permissions");
      }
    }
    files.sort(null);
    files.forEach(SiteFiles::refuseOtherEnding);
    return files;
  }

  private static void refuseOtherEnding(Path file) {
    if (!file.toString().endsWith(".yaml")) {
      throw Failure.usage(
          file + " is not read: the files here end with .yaml", "rename it to .yaml, or remove it");
    }
  }

  private static YamlMap merged(YamlMap one, YamlMap other) {
    Map<String, YamlMap.Entry> entries = new LinkedHashMap<>(one.entries());
    other
        .entries()
        .forEach(
            (key, entry) -> {
              YamlMap.Entry before = entries.get(key);
              boolean both =
                  before != null
                      && before.value() instanceof YamlMap
                      && entry.value() instanceof YamlMap;
              entries.put(
                  key,
                  both
                      ? new YamlMap.Entry(
                          key, entry.place(), merged(before.value().map(), entry.value().map()))
                      : entry);
            });
    return new YamlMap(one.place(), entries);
  }
}
