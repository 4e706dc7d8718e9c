package io.hpcrun.manifest;

import io.hpcrun.failure.Failure;
import io.hpcrun.manifest.Manifest.Script;
import io.hpcrun.request.OwnOption;
import io.hpcrun.request.Requests.Scripted;
import io.hpcrun.request.Setting;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.SecretNames;
import io.hpcrun.spec.UserScript;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A launch from its manifest: the variables of then over those of now, and the secrets of now where
 * they are still the same.
 */
public final class Restoration {
  private static final String SECRET_REMEDY =
      "set it as it was then, in any variable of this shell (its value is not kept), or submit the"
          + " launch anew with its own words";

  private final Manifest manifest;
  private final Masking masking;
  private final Map<String, String> now;
  private final Map<String, String> secrets = new HashMap<>();
  private final List<String> missing = new ArrayList<>();

  /**
   * @param manifest the launch
   * @param masking of the directory that the manifest is in
   * @param now the user's variables, without those that the site sets
   */
  public Restoration(Manifest manifest, Masking masking, Map<String, String> now) {
    this.manifest = manifest;
    this.masking = masking;
    this.now = Map.copyOf(now);
    now.values().stream()
        .map(value -> ByteString.of(value).latin1())
        .forEach(latin1 -> secrets.put(masking.of(latin1), latin1));
  }

  /** The user's variables as they are to be. */
  public Map<String, String> variables() {
    Map<String, String> then = new HashMap<>(now);
    now.keySet().stream()
        .filter(KnownVariables::isKept)
        .filter(name -> !recorded().containsKey(name))
        .forEach(then::remove);
    recorded()
        .forEach(
            (name, value) -> {
              if (!Masking.isIn(value)) {
                then.put(
                    name, new String(ByteString.ofLatin1(value).bytes(), StandardCharsets.UTF_8));
              }
            });
    return then;
  }

  /**
   * The same, with hpcrun's own variables that the site set then, and those of now for the rest.
   */
  public Map<String, String> variablesWithSite(Map<String, String> environment) {
    Map<String, String> all = new HashMap<>(environment);
    all.keySet().removeIf(KnownVariables::isKept);
    all.putAll(manifest.surroundings().ofSite());
    all.putAll(variables());
    return all;
  }

  /** Which of these variables differ from those of now: what is to be set. */
  public Map<String, String> toSet() {
    Map<String, String> set = new TreeMap<>(variables());
    set.entrySet().removeIf(entry -> entry.getValue().equals(now.get(entry.getKey())));
    return set;
  }

  /** What is to be unset. */
  public Collection<String> toUnset() {
    Collection<String> unset = new TreeSet<>(now.keySet());
    unset.removeAll(variables().keySet());
    return unset;
  }

  private Map<String, String> recorded() {
    return manifest.surroundings().variables();
  }

  /**
   * The variables that look like secrets, or that the launch passes on by name, whose values are
   * not kept and not as they were, each with what is wrong. The former need not matter to the job.
   */
  public List<String> otherSecrets() {
    List<String> others = new ArrayList<>();
    new TreeMap<>(recorded())
        .forEach(
            (name, value) -> {
              boolean secret =
                  SecretNames.isVariable(name)
                      || Masking.isIn(value) && isPassedOn(name)
                      || KnownVariables.isKept(name) && Masking.isIn(value);
              if (secret && !now.containsKey(name)) {
                others.add(name + " is not set");
              } else if (secret && !isStill(name, value)) {
                others.add(name + (sameKey() ? " has another value" : " cannot be compared"));
              }
            });
    return others;
  }

  private boolean isPassedOn(String name) {
    return manifest.request().settings().stream()
        .anyMatch(
            setting ->
                setting.name().equals(OwnOption.ENV.option()) && setting.values().contains(name));
  }

  /** Whether digests of then can be compared with those of now. */
  public boolean sameKey() {
    return manifest.key().equals(masking.keyId());
  }

  private boolean isStill(String name, String recorded) {
    return ManifestMaker.variables(masking, Map.of(name, now.get(name)))
        .getOrDefault(name, "")
        .equals(recorded);
  }

  /** The options of then. */
  public List<Setting> settings() {
    List<Setting> settings = new ArrayList<>();
    for (Setting setting : manifest.request().settings()) {
      settings.add(
          new Setting(
              setting.name(),
              setting.values().stream()
                  .map(value -> clear("--" + setting.name() + "=" + value, value))
                  .toList(),
              setting.origin()));
    }
    return settings;
  }

  /** The command of then. */
  public List<ByteString> command() {
    return clear("the command", manifest.request().command());
  }

  private List<ByteString> clear(String what, List<String> words) {
    List<ByteString> clear = new ArrayList<>();
    for (String word : words) {
      clear.add(ByteString.ofLatin1(clear("'" + word + "' of " + what, word)));
    }
    return clear;
  }

  /**
   * The script of then: the user's file, if that still holds the same; else what is kept of it.
   *
   * @throws Failure with exit code 3 when it held secrets that are not at hand
   */
  public Optional<Scripted> script() {
    return manifest.request().script().map(this::script);
  }

  private Scripted script(Script script) {
    List<ByteString> arguments = clear("the script", script.arguments());
    Optional<String> file = script.file().flatMap(Restoration::read);
    if (file.filter(text -> masking.isDigestOf(script.digest(), text)).isPresent()) {
      return Scripted.of(script.file().orElseThrow(), file.get(), arguments);
    }
    String text =
        Masking.unmask(script.text(), secrets).orElseThrow(() -> withoutSecrets(script, file));
    return new Scripted(
        script.file(),
        new UserScript(
            clear("the script", script.directives()),
            script.interpreter().stream().map(ByteString::ofLatin1).toList(),
            arguments,
            ByteString.ofLatin1(text)));
  }

  private Failure withoutSecrets(Script script, Optional<String> file) {
    String job = manifest.submission().job();
    return script
        .file()
        .map(
            path ->
                Failure.refused(
                    "the script %s of job %s %s, and held secrets, which are not kept"
                        .formatted(path, job, file.isPresent() ? "has changed since" : "is gone"),
                    "put back the script as it was, or submit the new one: hpcrun submit " + path))
        .orElseGet(
            () ->
                Failure.refused(
                    "the launches of job %s set secrets, which are not kept".formatted(job),
                    SECRET_REMEDY));
  }

  /** Whether the user's file still holds the script that was submitted; true for other launches. */
  public boolean isScriptUnchanged() {
    return manifest
        .request()
        .script()
        .filter(script -> script.file().isPresent())
        .map(
            script ->
                script
                    .file()
                    .flatMap(Restoration::read)
                    .filter(text -> masking.isDigestOf(script.digest(), text))
                    .isPresent())
        .orElse(true);
  }

  private static Optional<String> read(Path file) {
    try {
      return Optional.of(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1));
    } catch (IOException gone) {
      return Optional.empty();
    }
  }

  private String clear(String what, String word) {
    Optional<String> clear = Masking.unmask(word, secrets);
    if (clear.isEmpty()) {
      missing.add(ByteString.ofLatin1(Masking.shown(what)).toString());
    }
    return clear.orElse(word);
  }

  /**
   * Refuses to go on when a secret of options, command or arguments is not at hand: nothing can
   * take its place.
   *
   * @throws Failure with exit code 3
   */
  public void requireSecrets() {
    if (!missing.isEmpty()) {
      throw Failure.refused(
          "job %s cannot be run again without %s: %s"
              .formatted(
                  manifest.submission().job(),
                  missing.size() == 1 ? "its secret" : "its secrets",
                  String.join(", ", missing)),
          SECRET_REMEDY);
    }
  }
}
