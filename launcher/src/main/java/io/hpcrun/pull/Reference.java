package io.hpcrun.pull;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of an image in an OCI registry, such as {@code registry:5000/group/app:1.2}, with the
 * grammar and the defaults of docker's names (distribution/reference, reference.go).
 *
 * @param registry host and port
 * @param repository path in the registry
 * @param tag the tag; {@code latest} where none is given
 * @param digest {@code sha256:...}, if it is part of the name; it wins over the tag
 */
public record Reference(String registry, String repository, String tag, Optional<String> digest) {
  /** What names without a registry mean, and the host that serves it. */
  private static final String HUB = "docker.io";

  private static final String HUB_HOST = "registry-1." + HUB;

  private static final String LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
  private static final Pattern REGISTRY =
      Pattern.compile(
          "(?:%1$s(?:\\.%1$s)*|\\[[0-9a-fA-F:]{2,39}\\])(?::[0-9]{1,5})?".formatted(LABEL));
  private static final String PART = "[a-z0-9]+(?:(?:\\.|_|__|-{1,8})[a-z0-9]+)*";
  private static final Pattern PATH = Pattern.compile("%1$s(?:/%1$s)*".formatted(PART));
  private static final Pattern NAME =
      Pattern.compile(
          "(?<name>[^@]+?)(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
              + "(?:@(?<digest>sha256:[0-9a-f]{64}))?");

  private static final int LONGEST = 255;

  /** Reads a name; empty if it is none. */
  static Optional<Reference> parse(String text) {
    Matcher whole = NAME.matcher(text);
    if (!whole.matches() || text.length() > 2 * LONGEST) {
      return Optional.empty();
    }
    String name = whole.group("name");
    int slash = name.indexOf('/');
    String first = slash < 0 ? "" : name.substring(0, slash);
    boolean named = first.contains(".") || first.contains(":") || first.equals("localhost");
    String registry = named ? first : HUB;
    String repository = named ? name.substring(slash + 1) : name;
    if (registry.equals(HUB) && !repository.contains("/")) {
      repository = "library/" + repository;
    }
    return REGISTRY.matcher(registry).matches()
            && PATH.matcher(repository).matches()
            && repository.length() <= LONGEST
        ? Optional.of(
            new Reference(
                registry,
                repository,
                whole.group("tag") == null ? "latest" : whole.group("tag"),
                Optional.ofNullable(whole.group("digest"))))
        : Optional.empty();
  }

  /** The host and port that serve the registry. */
  String host() {
    return registry.equals(HUB) ? HUB_HOST : registry;
  }

  /** The name with its digest in place of tag and digest. */
  String pinned(String manifest) {
    return registry + "/" + repository + "@" + manifest;
  }

  /** What asks the registry for it: the digest or the tag. */
  String wanted() {
    return digest.orElse(tag);
  }

  @Override
  public String toString() {
    return registry + "/" + repository + digest.map(pin -> "@" + pin).orElse(":" + tag);
  }
}
