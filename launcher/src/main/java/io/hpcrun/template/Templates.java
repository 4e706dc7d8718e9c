package io.hpcrun.template;

import io.hpcrun.failure.Failure;
import io.hpcrun.jobfile.JobFile;
import io.hpcrun.request.Origin;
import io.hpcrun.yaml.Place;
import io.hpcrun.yaml.TrustedFile;
import io.hpcrun.yaml.YamlFile;
import io.hpcrun.yaml.YamlMap;
import io.hpcrun.yaml.YamlValue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads job files and templates with what they extend. */
public final class Templates {
  /** Files that one may extend, one through the other. */
  static final int MOST = 10;

  private final TemplatePath path;
  private final Path workingDirectory;

  /**
   * @param path where templates are looked for
   * @param workingDirectory where relative paths begin
   */
  public Templates(TemplatePath path, Path workingDirectory) {
    this.path = path;
    this.workingDirectory = workingDirectory;
  }

  /**
   * A file of the chain: the one that says {@code extends} before the one that it names.
   *
   * @param byName whether it was found by its name
   * @param trusted whether it is a template that was found by its name, or one that such a template
   *     extends: nobody but their owners writes those
   */
  private record Link(Path file, boolean byName, boolean trusted, YamlMap text) {}

  /** Whether a template has this name. */
  public boolean has(String name) {
    return TemplatePath.isName(name)
        && path.find(name, Optional.empty(), Optional.empty()).isPresent();
  }

  /**
   * A job file.
   *
   * @param file its path
   * @throws Failure with exit code 2 that names file, line and column of what is wrong
   */
  public JobFile jobFile(String file) {
    return read(resolve(workingDirectory, file), false, Origin.Kind.JOB_FILE);
  }

  /**
   * A template.
   *
   * @param word its name, or its path: with a slash, or with .yaml at its end
   * @throws Failure with exit code 2 for a name that no template has, or what is wrong in it
   */
  public JobFile template(String word) {
    return isPath(word)
        ? read(resolve(workingDirectory, word), false, Origin.Kind.TEMPLATE)
        : read(
            named(word)
                .orElseThrow(
                    () ->
                        Failure.usage(
                            "there is no template '%s'".formatted(shown(word)), path.remedy(word))),
            true,
            Origin.Kind.TEMPLATE);
  }

  /** A template of the search path, also one that another shadows. */
  public JobFile template(TemplatePath.Entry entry) {
    return read(TemplatePath.trusted(entry.file()), true, Origin.Kind.TEMPLATE);
  }

  /** What to do about a name that no template has. */
  public String remedy(String name) {
    return path.remedy(name);
  }

  private Optional<Path> named(String name) {
    return TemplatePath.isName(name)
        ? path.find(name, Optional.empty(), Optional.empty())
        : Optional.empty();
  }

  private JobFile read(Path file, boolean byName, Origin.Kind kind) {
    List<Link> chain = new ArrayList<>();
    chain.add(new Link(file, byName, byName, YamlFile.read(file).map()));
    Optional<Link> next = extended(chain.getLast());
    while (next.isPresent()) {
      refuseRing(chain, next.get());
      chain.add(next.get());
      next = extended(next.get());
    }
    List<JobFile.Part> parts = new ArrayList<>();
    for (Link link : chain.reversed()) {
      parts.add(
          new JobFile.Part(link == chain.getFirst() ? kind : Origin.Kind.TEMPLATE, link.text()));
    }
    return new JobFile(parts);
  }

  private Optional<Link> extended(Link from) {
    return from.text()
        .find("extends")
        .map(
            value -> {
              Path file = file(from, value);
              boolean byName = !isPath(value.text());
              boolean trusted = byName || from.trusted();
              return new Link(
                  file,
                  byName,
                  trusted,
                  YamlFile.read(trusted ? TrustedFile.of(file) : file).map());
            });
  }

  /** A template that was found by its name has those beside it at hand. */
  private Path file(Link from, YamlValue value) {
    String word = value.text();
    Path directory = from.file().toAbsolutePath().getParent();
    if (isPath(word)) {
      Path file = resolve(directory, word);
      if (!Files.exists(file)) {
        throw value.place().wrong("there is no file " + file, "check the path");
      }
      return file;
    }
    if (!TemplatePath.isName(word)) {
      throw value.mustBe("the name of a template, or a path,");
    }
    boolean own = from.file().getFileName().toString().equals(word + ".yaml");
    return path.find(
            word,
            from.byName() ? Optional.of(directory) : Optional.empty(),
            Optional.of(from.file()))
        .orElseThrow(
            () ->
                value
                    .place()
                    .wrong(
                        "there is no %stemplate '%s'".formatted(own ? "other " : "", word),
                        own ? "leave 'extends' out" : path.remedy(word)));
  }

  private static void refuseRing(List<Link> chain, Link next) {
    Place place = chain.getLast().text().get("extends", "").place();
    for (Link link : chain) {
      if (isSame(link.file(), next.file())) {
        List<String> ring = new ArrayList<>();
        chain
            .subList(chain.indexOf(link), chain.size())
            .forEach(each -> ring.add(each.file().getFileName().toString()));
        ring.add(next.file().getFileName().toString());
        throw place.wrong(
            "files extend each other in a ring: " + String.join(" -> ", ring),
            "leave 'extends' out in one of them");
      }
    }
    if (chain.size() > MOST) {
      throw place.wrong(
          "this is the %dth file that another one extends".formatted(chain.size()),
          "write what is needed into fewer files, " + MOST + " at most");
    }
  }

  private static boolean isSame(Path one, Path other) {
    try {
      return Files.isSameFile(one, other);
    } catch (IOException gone) {
      throw Failure.usage(one + " cannot be read: " + gone.getMessage(), "check its permissions");
    }
  }

  private static boolean isPath(String word) {
    return word.contains("/") || word.endsWith(".yaml") || word.endsWith(".yml");
  }

  private static Path resolve(Path directory, String word) {
    try {
      return directory.resolve(word);
    } catch (InvalidPathException notAPath) {
      throw Failure.usage("there is no file '%s'".formatted(shown(word)), "check the name");
    }
  }

  private static String shown(String word) {
    String line = word.replaceAll("\\p{Cntrl}", "?");
    return line.length() > 60 ? line.substring(0, 60) + "..." : line;
  }
}
