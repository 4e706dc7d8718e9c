package io.hpcrun.difference;

import io.hpcrun.difference.Difference.Section;
import io.hpcrun.manifest.ImageLock;
import io.hpcrun.manifest.Manifest;
import io.hpcrun.manifest.Manifest.Outcome;
import io.hpcrun.manifest.Manifest.Script;
import io.hpcrun.manifest.Masking;
import io.hpcrun.plan.Advice;
import io.hpcrun.plan.Decision;
import io.hpcrun.request.OwnOption;
import io.hpcrun.request.Setting;
import io.hpcrun.spec.ByteString;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Finds what differs between two manifests. Values of secrets are never shown. */
final class ManifestComparison {
  private static final String ENV = OwnOption.ENV.option();
  private static final int SHOWN_DIGITS = 12;

  private final Manifest before;
  private final Manifest after;

  /** Digests with other keys say nothing of one another. */
  private final boolean sameKey;

  private final List<Difference> found = new ArrayList<>();

  ManifestComparison(Manifest before, Manifest after) {
    this.before = before;
    this.after = after;
    this.sameKey = before.key().equals(after.key());
  }

  /** The differences, in no order of their sections. */
  List<Difference> differences() {
    image(before.image(), after.image());
    command();
    options();
    environment();
    decisions();
    versions(before.outcome(), after.outcome());
    return found;
  }

  private void image(ImageLock one, ImageLock other) {
    if (!one.path().equals(other.path())) {
      add(Section.IMAGE, "path", one.path().toString(), other.path().toString(), "");
    }
    compare(Section.IMAGE, "named", text(one.given()), text(other.given()));
    switch (one.compare(other)) {
      case OTHER ->
          add(
              Section.IMAGE,
              "content",
              content(one),
              content(other),
              one.path().equals(other.path()) ? "the file at this path is another one" : "");
      case UNKNOWN -> compare(Section.IMAGE, "id", one.id().orElse(""), other.id().orElse(""));
      case SAME -> {
        // whenever the file was copied or touched, it is the same
      }
    }
  }

  private static String content(ImageLock image) {
    String digest =
        image
            .sha256()
            .map(sha256 -> "sha256:" + sha256.substring(0, SHOWN_DIGITS))
            .or(() -> image.id().map(id -> "id " + id))
            .or(() -> image.state().map(state -> "state " + state.substring(0, SHOWN_DIGITS)))
            .orElse("?");
    return "%s of %s".formatted(digest, Moment.shown(image.modified()));
  }

  private void command() {
    words("command", before.request().command(), after.request().command());
    Optional<Script> one = before.request().script();
    Optional<Script> other = after.request().script();
    if (one.isPresent() && other.isPresent()) {
      compare(Section.COMMAND, "script", named(one.get()), named(other.get()));
      script(lines(one.get()), lines(other.get()));
      words("arguments", one.get().arguments(), other.get().arguments());
    } else {
      compare(
          Section.COMMAND,
          "script",
          one.map(ManifestComparison::named).orElse(""),
          other.map(ManifestComparison::named).orElse(""));
    }
  }

  private static String named(Script script) {
    return script.file().map(Path::toString).orElse("of a job file");
  }

  private static List<String> lines(Script script) {
    return script.text().lines().map(ManifestComparison::text).toList();
  }

  /** Words are kept byte by byte. */
  private static String text(String latin1) {
    return ByteString.ofLatin1(latin1).toString();
  }

  /** Each word that differs if there are as many; else all of them. */
  private void words(String what, List<String> one, List<String> other) {
    if (one.size() != other.size()) {
      compare(Section.COMMAND, what, text(String.join(" ", one)), text(String.join(" ", other)));
      return;
    }
    int first = what.equals("command") ? 0 : 1;
    for (int i = 0; i < one.size(); i++) {
      String word = i + first == 0 ? "program" : "argument " + (i + first);
      compare(Section.COMMAND, word, text(one.get(i)), text(other.get(i)));
    }
  }

  private void script(List<String> one, List<String> other) {
    int same = 0;
    while (same < one.size() && same < other.size() && isSame(one.get(same), other.get(same))) {
      same++;
    }
    int atEnd = 0;
    while (atEnd < one.size() - same
        && atEnd < other.size() - same
        && isSame(one.get(one.size() - 1 - atEnd), other.get(other.size() - 1 - atEnd))) {
      atEnd++;
    }
    int gone = one.size() - same - atEnd;
    int come = other.size() - same - atEnd;
    if (gone > 0 || come > 0) {
      add(
          Section.COMMAND,
          "script, line " + (same + 1),
          gone > 0 ? one.get(same) : "",
          come > 0 ? other.get(same) : "",
          gone <= 1 && come <= 1 ? "" : "%d lines in the place of %d".formatted(come, gone));
    }
  }

  private void options() {
    Map<String, List<Setting>> one = byName(before);
    Map<String, List<Setting>> other = byName(after);
    Set<String> names = new TreeSet<>(one.keySet());
    names.addAll(other.keySet());
    for (String name : names) {
      List<Setting> first = one.getOrDefault(name, List.of());
      List<Setting> second = other.getOrDefault(name, List.of());
      if (name.equals(ENV)) {
        assignments(first, second);
      } else if (!isSame(value(first), value(second))) {
        add(Section.OPTIONS, "--" + name, said(first), said(second), "");
      }
    }
  }

  private static Map<String, List<Setting>> byName(Manifest manifest) {
    return manifest.request().settings().stream().collect(Collectors.groupingBy(Setting::name));
  }

  private static String value(List<Setting> settings) {
    return settings.stream().map(Setting::shown).collect(Collectors.joining(" "));
  }

  private static String said(List<Setting> settings) {
    return settings.stream()
        .map(each -> "%s [%s]".formatted(each.shown(), each.origin()))
        .collect(Collectors.joining(" "));
  }

  /** Variables of {@code --env}. */
  private void assignments(List<Setting> one, List<Setting> other) {
    maps(Section.OPTIONS, "--env ", assignments(one), assignments(other));
  }

  private static Map<String, String> assignments(List<Setting> settings) {
    Map<String, String> assignments = new TreeMap<>();
    settings.stream()
        .flatMap(setting -> setting.values().stream())
        .map(value -> value.split("=", 2))
        .forEach(
            pair -> assignments.put(text(pair[0]), pair.length > 1 ? text(pair[1]) : "passed on"));
    return assignments;
  }

  private void environment() {
    compare(
        Section.ENVIRONMENT,
        "working directory",
        before.submission().directory().toString(),
        after.submission().directory().toString());
    // Those whose values are kept are known to matter; they come first.
    Map<String, String> one = before.surroundings().variables();
    Map<String, String> other = after.surroundings().variables();
    maps(Section.ENVIRONMENT, "", part(one, other, false), part(other, one, false));
    maps(Section.ENVIRONMENT, "", part(one, other, true), part(other, one, true));
    maps(
        Section.ENVIRONMENT,
        "of the site: ",
        before.surroundings().ofSite(),
        after.surroundings().ofSite());
    compare(
        Section.ENVIRONMENT, "submitted on", before.submission().host(), after.submission().host());
  }

  private static Map<String, String> part(
      Map<String, String> variables, Map<String, String> others, boolean masked) {
    Map<String, String> part = new TreeMap<>();
    variables.forEach(
        (name, value) -> {
          String both = value + others.getOrDefault(name, value);
          if (Masking.isIn(both) == masked) {
            part.put(name, text(value));
          }
        });
    return part;
  }

  private void maps(
      Section section, String prefix, Map<String, String> one, Map<String, String> other) {
    Set<String> names = new TreeSet<>(one.keySet());
    names.addAll(other.keySet());
    for (String name : names) {
      String first = one.get(name);
      String second = other.get(name);
      if (first == null || second == null) {
        add(section, prefix + name, orUnset(first), orUnset(second), "");
      } else {
        compare(section, prefix + name, first, second);
      }
    }
  }

  private static String orUnset(String value) {
    if (value == null) {
      return "";
    }
    return value.isEmpty() ? "''" : value;
  }

  private void decisions() {
    Map<String, List<Decision>> one = grouped(before.outcome().decisions());
    Map<String, List<Decision>> other = grouped(after.outcome().decisions());
    Set<String> names = new LinkedHashSet<>(one.keySet());
    names.addAll(other.keySet());
    for (String name : names) {
      String first = joined(one.get(name), Decision::value);
      String second = joined(other.get(name), Decision::value);
      if (!isSame(first, second)) {
        String was = joined(one.get(name), Decision::reason);
        String now = joined(other.get(name), Decision::reason);
        String note = was.isEmpty() || was.equals(now) ? now : "was: " + was;
        add(Section.DECISIONS, name, first, second, appended(note, was, now));
      }
    }
    Set<String> warnings = warnings(before);
    Set<String> now = warnings(after);
    warnings.stream()
        .filter(text -> !now.contains(text))
        .forEach(text -> add(Section.DECISIONS, "warning", text, "", ""));
    now.stream()
        .filter(text -> !warnings.contains(text))
        .forEach(text -> add(Section.DECISIONS, "warning", "", text, ""));
  }

  private static String appended(String note, String was, String now) {
    return note.equals(now) || now.isEmpty() || now.equals(was) ? note : note + "; is: " + now;
  }

  private static Set<String> warnings(Manifest manifest) {
    return manifest.outcome().warnings().stream()
        .map(Advice::text)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Map<String, List<Decision>> grouped(List<Decision> decisions) {
    return decisions.stream()
        .collect(Collectors.groupingBy(Decision::what, LinkedHashMap::new, Collectors.toList()));
  }

  private static String joined(List<Decision> decisions, Function<Decision, String> part) {
    return decisions == null ? "" : decisions.stream().map(part).collect(Collectors.joining(", "));
  }

  private void versions(Outcome one, Outcome other) {
    compare(Section.VERSIONS, "hpcrun", one.hpcrun(), other.hpcrun());
    if (one.hpcrun().equals(other.hpcrun()) && !one.agent().equals(other.agent())) {
      add(
          Section.VERSIONS,
          "hpcrun's node agent",
          one.agent().substring(0, SHOWN_DIGITS),
          other.agent().substring(0, SHOWN_DIGITS),
          "");
    }
    compare(
        Section.VERSIONS, "Slurm", one.cluster().slurmVersion(), other.cluster().slurmVersion());
    compare(
        Section.VERSIONS,
        "Slurm's MpiDefault",
        one.cluster().mpiDefault(),
        other.cluster().mpiDefault());
    compare(
        Section.VERSIONS,
        "srun --mpi=list",
        one.cluster().mpiPlugins().map(each -> String.join(" ", each)).orElse(""),
        other.cluster().mpiPlugins().map(each -> String.join(" ", each)).orElse(""));
    compare(
        Section.VERSIONS,
        "Slurm's JobContainerType",
        one.cluster().jobContainer(),
        other.cluster().jobContainer());
    compare(
        Section.VERSIONS,
        "cluster",
        before.submission().cluster().orElse(""),
        after.submission().cluster().orElse(""));
  }

  private boolean isSame(String one, String other) {
    return one.equals(other) || !sameKey && (Masking.isIn(one) || Masking.isIn(other));
  }

  private void compare(Section section, String what, String one, String other) {
    if (!isSame(one, other)) {
      boolean masked = Masking.isIn(one) && Masking.isIn(other);
      add(section, what, one, other, masked ? "changed; its value is not kept" : "");
    }
  }

  private void add(Section section, String what, String one, String other, String note) {
    found.add(new Difference(section, what, Masking.shown(one), Masking.shown(other), note));
  }
}
