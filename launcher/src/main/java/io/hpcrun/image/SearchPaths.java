package io.hpcrun.image;

import io.hpcrun.image.ContainerFiles.Found;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Where a container looks for programs and libraries, read without running anything of it. */
final class SearchPaths {
  /** The processor, as the names of library directories have it. */
  static final String MACHINE =
      switch (System.getProperty("os.arch")) {
        case "amd64" -> "x86_64";
        case "ppc64le" -> "powerpc64le";
        default -> System.getProperty("os.arch");
      };

  /** Apptainer's PATH for images that set none. */
  private static final String DEFAULT_PATH =
      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  private static final String ENVIRONMENT = "/.singularity.d/env/";
  private static final String LOADER_CONFIGURATION = "/etc/ld.so.conf";

  /** ld.so(8), and where Debian's and Alpine's loaders look as well. */
  static final List<String> DEFAULT_DIRECTORIES =
      Stream.of("lib/%s-linux-gnu", "usr/lib/%s-linux-gnu", "lib64", "usr/lib64", "lib", "usr/lib")
          .map(directory -> "/" + directory.formatted(MACHINE))
          .toList();

  private static final Pattern ASSIGNMENT =
      Pattern.compile("\\s*(?:export\\s+)?(PATH|LD_LIBRARY_PATH)=(.*?)\\s*;?\\s*");
  private static final Pattern OWN_VALUE =
      Pattern.compile("\\$\\{?(PATH|LD_LIBRARY_PATH)(?::?[-+][^}]*)?\\}?");

  private final Map<String, String> environment;
  private final List<String> system;

  private SearchPaths(Map<String, String> environment, List<String> system) {
    this.environment = environment;
    this.system = system;
  }

  /**
   * The search paths of a container.
   *
   * @param files its files, with those that {@link #counts} names
   * @param given PATH and LD_LIBRARY_PATH, where they are set for the container
   */
  static SearchPaths of(ContainerFiles files, Map<String, String> given) throws IOException {
    Map<String, String> environment = environment(files, given);
    List<String> system = new ArrayList<>(configured(files, LOADER_CONFIGURATION, new HashSet<>()));
    system.addAll(DEFAULT_DIRECTORIES);
    return new SearchPaths(environment, system);
  }

  /** Whether a file of an image says where something is looked for. */
  static boolean counts(String path) {
    return path.startsWith(ENVIRONMENT) || path.startsWith(LOADER_CONFIGURATION);
  }

  /** The directories of PATH. */
  List<String> programs() {
    return List.of(environment.get("PATH").split(":"));
  }

  /** LD_LIBRARY_PATH; empty if it is not set. */
  String libraryPath() {
    return environment.getOrDefault("LD_LIBRARY_PATH", "");
  }

  /** The directories of /etc/ld.so.conf, then those that the loader knows by itself. */
  List<String> system() {
    return system;
  }

  /** PATH and LD_LIBRARY_PATH as the image's environment scripts set them, in their order. */
  private static Map<String, String> environment(ContainerFiles files, Map<String, String> given)
      throws IOException {
    Map<String, String> values = new HashMap<>(Map.of("PATH", DEFAULT_PATH));
    List<Found> texts = new ArrayList<>(files.startingWith(ENVIRONMENT));
    files.fetch(
        Stream.concat(texts.stream(), files.startingWith(LOADER_CONFIGURATION).stream()).toList());
    for (Found text : texts) {
      for (String line : lines(files, text)) {
        Matcher matcher = ASSIGNMENT.matcher(line);
        if (matcher.matches()) {
          String value = value(matcher.group(2), values);
          if (!value.isEmpty()) { // else it comes from variables of the user's
            values.put(matcher.group(1), value);
          }
        }
      }
    }
    values.putAll(given);
    return values;
  }

  private static List<String> lines(ContainerFiles files, Found text) throws IOException {
    Optional<Path> file = files.file(text);
    return file.isPresent() && Files.size(file.get()) <= ImageFiles.LARGEST_TEXT
        ? Files.readAllLines(file.get(), StandardCharsets.ISO_8859_1)
        : List.of();
  }

  /** The literal parts of a shell word; what only a shell could know is left out. */
  private static String value(String word, Map<String, String> values) {
    String text =
        OWN_VALUE
            .matcher(word.replaceAll("[\"']", ""))
            .replaceAll(match -> Matcher.quoteReplacement(values.getOrDefault(match.group(1), "")));
    return String.join(
        ":",
        Stream.of(text.split(":"))
            .filter(part -> part.matches("/[^$`{}\\\\]*"))
            .distinct()
            .toList());
  }

  /** The directories of /etc/ld.so.conf and of the files that it includes. */
  private static List<String> configured(ContainerFiles files, String path, Set<String> seen)
      throws IOException {
    List<String> directories = new ArrayList<>();
    Optional<Found> text = files.find(path);
    if (text.isEmpty() || !seen.add(text.get().path())) {
      return directories;
    }
    for (String line : lines(files, text.get())) {
      String word = line.replaceFirst("#.*", "").strip();
      if (word.startsWith("include")) {
        String pattern = word.substring("include".length()).strip();
        String prefix = pattern.startsWith("/") ? pattern : "/etc/" + pattern;
        int star = prefix.indexOf('*');
        for (Found each : files.startingWith(star < 0 ? prefix : prefix.substring(0, star))) {
          directories.addAll(configured(files, each.path(), seen));
        }
      } else if (word.startsWith("/")) {
        directories.add(word);
      }
    }
    return directories;
  }
}
