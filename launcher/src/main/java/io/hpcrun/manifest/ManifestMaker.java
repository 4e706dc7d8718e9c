package io.hpcrun.manifest;

import io.hpcrun.image.Image;
import io.hpcrun.manifest.Manifest.Outcome;
import io.hpcrun.manifest.Manifest.Request;
import io.hpcrun.manifest.Manifest.Script;
import io.hpcrun.manifest.Manifest.Submission;
import io.hpcrun.manifest.Manifest.Surroundings;
import io.hpcrun.plan.Advice;
import io.hpcrun.plan.Decision;
import io.hpcrun.plan.Knowledge;
import io.hpcrun.request.OwnOption;
import io.hpcrun.request.Requests.Requested;
import io.hpcrun.request.Setting;
import io.hpcrun.script.JobScript;
import io.hpcrun.script.Version;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.UserScript;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Makes the manifest of a launch that was planned. */
public final class ManifestMaker {
  /** What of a job script stands elsewhere in the manifest, and may hold secrets. */
  private static final List<String> LISTS =
      List.of("hpcrun_command=", "hpcrun_environment=", "hpcrun_arguments=");

  private static final String SCRIPT = "hpcrun_script=";
  private static final Path HOST = Path.of("/proc/sys/kernel/hostname");

  /** The part that most scripts of a command share. */
  private record Agent(String text, String digest) {}

  private static volatile Agent agent;

  private final Masking masking;
  private final Planned planned;
  private final Caller caller;

  /**
   * A launch that was planned.
   *
   * @param requested what was asked for
   * @param known image and cluster
   * @param digest SHA-256 of the image in hexadecimal, if it is known
   * @param decisions every choice
   * @param warnings what may fail
   * @param script the job script
   */
  public record Planned(
      Requested requested,
      Knowledge known,
      Optional<String> digest,
      List<Decision> decisions,
      List<Advice> warnings,
      byte[] script) {}

  /**
   * Who submits it.
   *
   * @param words what was typed, as Latin-1 views of its bytes
   * @param directory the working directory
   * @param environment the user's variables
   * @param ofSite hpcrun's own that the site sets for this user
   * @param replayOf the job that is run again
   */
  public record Caller(
      List<String> words,
      Path directory,
      Map<String, String> environment,
      Map<String, String> ofSite,
      Optional<String> replayOf) {}

  private ManifestMaker(Masking masking, Planned planned, Caller caller) {
    this.masking = masking;
    this.planned = planned;
    this.caller = caller;
  }

  /**
   * The manifest, without the number and the time of a job.
   *
   * @param masking takes the secrets out
   */
  public static Manifest make(Masking masking, Planned planned, Caller caller) {
    return new ManifestMaker(masking, planned, caller).make();
  }

  private Manifest make() {
    // First what tells the secrets, so that they are found elsewhere, too.
    Map<String, String> variables = variables(masking, caller.environment());
    List<Setting> settings = settings().stream().map(masking::setting).toList();
    List<String> command = words(planned.requested().spec().command());
    List<String> words = masking.words(caller.words());
    Request request =
        new Request(
            planned.requested().spec().kind(),
            settings,
            command,
            planned.requested().spec().script().map(this::script));
    return new Manifest(
        new Submission(
            "",
            Optional.empty(),
            Instant.EPOCH,
            host(),
            caller.directory(),
            words,
            caller.replayOf()),
        request,
        image(),
        new Surroundings(variables, ofSite()),
        outcome(request),
        masking.keyId());
  }

  /** What is kept of variables. */
  static Map<String, String> variables(Masking masking, Map<String, String> environment) {
    Map<String, String> kept = new TreeMap<>();
    environment.forEach(
        (name, value) -> {
          String latin1 = ByteString.of(value).latin1();
          if (KnownVariables.isRecorded(name)) {
            String masked = masking.variable(name, latin1);
            // Bytes that are not valid UTF-8 came as U+FFFD: such a value cannot be set again.
            boolean whole = KnownVariables.isKept(name) && value.indexOf('\ufffd') < 0;
            kept.put(name, whole ? masked : masking.of(latin1));
          }
        });
    return kept;
  }

  private Map<String, String> ofSite() {
    Map<String, String> kept = new TreeMap<>(caller.ofSite());
    kept.keySet().removeIf(name -> !KnownVariables.isKept(name));
    return kept;
  }

  private ImageLock image() {
    Image image = planned.known().image();
    return ImageLock.of(masking.text(planned.requested().image()), image, planned.digest());
  }

  /** Without the variables that a script of hpcrun's sets by itself. */
  private List<Setting> settings() {
    Requested requested = planned.requested();
    if (requested.spec().script().isEmpty() || requested.script().isPresent()) {
      return requested.settings();
    }
    return requested.settings().stream()
        .map(
            setting ->
                setting.name().equals(OwnOption.ENV.option())
                    ? new Setting(
                        setting.name(),
                        setting.values().stream()
                            .filter(
                                value -> requested.spec().container().sets(value.split("=", 2)[0]))
                            .toList(),
                        setting.origin())
                    : setting)
        .filter(
            setting ->
                !setting.name().equals(OwnOption.ENV.option()) || !setting.values().isEmpty())
        .toList();
  }

  private Script script(UserScript script) {
    String text = script.text().latin1();
    String masked = masking.without(masking.text(text));
    return new Script(
        planned.requested().script(),
        words(script.directives()),
        script.interpreter().stream().map(ByteString::latin1).toList(),
        words(script.arguments()),
        masked,
        masking.digestOf(text, !masked.equals(text)));
  }

  private List<String> words(List<ByteString> words) {
    return masking.words(words.stream().map(ByteString::latin1).toList());
  }

  private Outcome outcome(Request request) {
    String script = new String(planned.script(), StandardCharsets.ISO_8859_1);
    int length = JobScript.headLength(script);
    String head = script.substring(0, length);
    String masked = masking.without(withoutWords(head));
    boolean secrets = !masking.without(head).equals(head) || holdsSecrets(request);
    return new Outcome(
        Version.VERSION,
        planned.known().cluster(),
        planned.decisions().stream()
            .map(
                each ->
                    new Decision(
                        each.what(),
                        masking.without(each.value()),
                        masking.without(each.reason()),
                        each.source()))
            .toList(),
        planned.warnings().stream()
            .map(
                each ->
                    new Advice(
                        masking.without(each.text()),
                        masking.without(each.remedy()),
                        each.source()))
            .toList(),
        masked,
        masking.digestOf(script, secrets),
        digestOfAgent(script.substring(length)));
  }

  private String digestOfAgent(String text) {
    Agent known = agent;
    if (known == null || !known.text().equals(text)) {
      known = new Agent(text, masking.digestOf(text, false));
      agent = known;
    }
    return known.digest();
  }

  private boolean holdsSecrets(Request request) {
    return Stream.concat(
                request.settings().stream().flatMap(setting -> setting.values().stream()),
                request.command().stream())
            .anyMatch(Masking::isIn)
        || request
            .script()
            .filter(
                script ->
                    Masking.isIn(script.text())
                        || script.arguments().stream().anyMatch(Masking::isIn)
                        || script.directives().stream().anyMatch(Masking::isIn))
            .isPresent();
  }

  /** The head of a job script without the lists of words. */
  private static String withoutWords(String head) {
    StringBuilder kept = new StringBuilder();
    boolean inList = false;
    for (String line : head.split("\n", -1)) {
      if (line.startsWith(SCRIPT)) {
        return kept.append(SCRIPT).append("...\n").toString(); // the last before the agent
      }
      inList = inList && line.startsWith("  ");
      if (!inList) {
        Optional<String> list = LISTS.stream().filter(line::startsWith).findFirst();
        kept.append(list.map(name -> name + "(...)").orElse(line)).append('\n');
        inList = list.isPresent();
      }
    }
    return kept.toString().stripTrailing() + "\n";
  }

  private static String host() {
    try {
      return Files.readString(HOST).strip();
    } catch (IOException noProc) {
      return "";
    }
  }
}
