package io.hpcrun.template;

import io.hpcrun.failure.Failure;
import io.hpcrun.yaml.Names;
import io.hpcrun.yaml.TrustedFile;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Where templates are looked for: the directories of {@code HPCRUN_TEMPLATES}, the user's own, and
 * the site's. Of two templates with one name, the one in the earlier directory is taken.
 */
public final class TemplatePath {
  /** The variable with more directories, separated by colons. */
  public static final String VARIABLE = "HPCRUN_TEMPLATES";

  private static final String SUFFIX = ".yaml";

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._+-]{0,63}");

  private final List<Path> directories;

  /**
   * A template.
   *
   * @param name what users call it
   * @param file where it is
   * @param shadowedBy the file that is taken in its place; empty if this one is
   */
  public record Entry(String name, Path file, Optional<Path> shadowedBy) {}

  /** Looks in these directories, in this order. */
  public TemplatePath(List<Path> directories) {
    this.directories = List.copyOf(directories);
  }

  /**
   * The search path of a user.
   *
   * @param environment the user's variables
   * @param site the site's directories
   * @throws Failure with exit code 2 for a variable that is wrong
   */
  public static TemplatePath of(Map<String, String> environment, List<Path> site) {
    Set<Path> directories = new LinkedHashSet<>();
    for (String directory : environment.getOrDefault(VARIABLE, "").split(":")) {
      if (!directory.isEmpty()) {
        directories.add(absolute(directory));
      }
    }
    String config = environment.getOrDefault("XDG_CONFIG_HOME", "");
    String home = environment.getOrDefault("HOME", "");
    if (config.startsWith("/")) {
      directories.add(Path.of(config, "hpcrun", "templates"));
    } else if (home.startsWith("/")) {
      directories.add(Path.of(home, ".config", "hpcrun", "templates"));
    }
    directories.addAll(site);
    return new TemplatePath(List.copyOf(directories));
  }

  private static Path absolute(String directory) {
    try {
      if (directory.startsWith("/")) {
        return Path.of(directory);
      }
    } catch (InvalidPathException notAPath) {
      // said below
    }
    throw Failure.usage(
        VARIABLE + ": '" + directory + "' is not an absolute path",
        "name directories from / on, separated by colons");
  }

  /** The directories, in the order in which they are looked at. */
  public List<Path> directories() {
    return directories;
  }

  /** Whether a word can be a template's name. */
  static boolean isName(String word) {
    return NAME.matcher(word).matches() && !word.endsWith(SUFFIX) && !word.endsWith(".yml");
  }

  /**
   * The file of a template.
   *
   * @param name its name
   * @param first a directory that is looked at before the others
   * @param without a file that is not meant: a template may extend another of its own name
   * @throws Failure with exit code 2 if everybody can write the file or its directory
   */
  Optional<Path> find(String name, Optional<Path> first, Optional<Path> without) {
    return Stream.concat(first.stream(), directories.stream())
        .map(directory -> directory.resolve(name + SUFFIX))
        .filter(Files::exists)
        .filter(file -> without.filter(other -> isSame(file, other)).isEmpty())
        .findFirst()
        .map(TemplatePath::trusted);
  }

  /** The same file, which nobody but its owners writes. */
  static Path trusted(Path file) {
    TrustedFile.of(file.toAbsolutePath().getParent());
    return TrustedFile.of(file);
  }

  private static boolean isSame(Path one, Path other) {
    try {
      return Files.isSameFile(one, other);
    } catch (IOException gone) {
      return false; // whoever reads it says why
    }
  }

  /** What to do about a name that no template has. */
  String remedy(String name) {
    List<String> names = entries().stream().map(Entry::name).distinct().toList();
    return names.isEmpty()
        ? "there are none; 'hpcrun help template' says where they are looked for"
        : Names.nearest(name, names)
            .map(nearest -> "write '" + nearest + "'")
            .orElse("'hpcrun template list' names them");
  }

  /** All templates, by their names; of each name, the one that is taken first. */
  public List<Entry> entries() {
    Map<String, List<Path>> files = new java.util.TreeMap<>();
    for (Path directory : directories) {
      for (Path file : files(directory)) {
        String name = file.getFileName().toString().replaceFirst("\\.yaml$", "");
        if (isName(name)) {
          files.computeIfAbsent(name, each -> new ArrayList<>()).add(file);
        }
      }
    }
    List<Entry> entries = new ArrayList<>();
    files.forEach(
        (name, all) -> {
          for (Path file : all) {
            entries.add(
                new Entry(
                    name,
                    file,
                    file.equals(all.getFirst()) ? Optional.empty() : Optional.of(all.getFirst())));
          }
        });
    return entries;
  }

  private static List<Path> files(Path directory) {
    List<Path> files = new ArrayList<>();
    if (Files.isDirectory(directory) && Files.isReadable(directory)) {
      try (DirectoryStream<Path> found = Files.newDirectoryStream(directory, "*" + SUFFIX)) {
        found.forEach(files::add);
      } catch (IOException unreadable) {
        throw Failure.usage(
            directory + " cannot be read: " + unreadable.getMessage(), "check its permissions");
      }
    }
    return files;
  }
}
