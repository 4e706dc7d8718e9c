package io.hpcrun.manifest;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.image.Image;
import io.hpcrun.json.Json;
import io.hpcrun.manifest.Manifest.Outcome;
import io.hpcrun.manifest.Manifest.Request;
import io.hpcrun.manifest.Manifest.Script;
import io.hpcrun.manifest.Manifest.Submission;
import io.hpcrun.manifest.Manifest.Surroundings;
import io.hpcrun.plan.ReasonsJson;
import io.hpcrun.request.Origin;
import io.hpcrun.request.Setting;
import io.hpcrun.spec.LaunchSpec.Kind;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import tools.jackson.core.JsonEncoding;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.util.DefaultPrettyPrinter;

/** A manifest as JSON (docs/replay.md). */
final class ManifestJson {
  static final String SCHEMA = "hpcrun.manifest/1";

  private static final long SECOND = 1_000_000_000L;

  private final JsonGenerator json;

  private ManifestJson(JsonGenerator json) {
    this.json = json;
  }

  static byte[] write(Manifest manifest) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(1 << 14);
    ObjectWriteContext lines =
        new ObjectWriteContext.Base() {
          @Override
          public DefaultPrettyPrinter getPrettyPrinter() {
            return new DefaultPrettyPrinter();
          }
        };
    try (JsonGenerator json = Json.FACTORY.createGenerator(lines, bytes, JsonEncoding.UTF8)) {
      new ManifestJson(json).manifest(manifest);
      json.writeRaw('\n');
    }
    return bytes.toByteArray();
  }

  private void manifest(Manifest manifest) {
    json.writeStartObject();
    text("schema", SCHEMA);
    submission(manifest.submission());
    image(manifest.image());
    request(manifest.request());
    Outcome outcome = manifest.outcome();
    text("hpcrun", outcome.hpcrun());
    cluster(outcome.cluster());
    ReasonsJson.decisions(json, "decisions", outcome.decisions());
    ReasonsJson.advice(json, "warnings", outcome.warnings());
    json.writeObjectPropertyStart("job_script");
    text("sha256", outcome.script());
    text("agent_sha256", outcome.agent());
    text("head", outcome.head());
    json.writeEndObject();
    Json.texts(json, "environment", new TreeMap<>(manifest.surroundings().variables()));
    Json.texts(json, "environment_of_site", new TreeMap<>(manifest.surroundings().ofSite()));
    text("key", manifest.key());
    json.writeEndObject();
  }

  private void submission(Submission submission) {
    text("job", submission.job());
    Json.string(json, "cluster", submission.cluster());
    time("submitted_ns", submission.time());
    text("host", submission.host());
    text("directory", submission.directory().toString());
    Json.strings(json, "words", submission.words());
    Json.string(json, "replay_of", submission.replayOf());
  }

  private void image(ImageLock image) {
    json.writeObjectPropertyStart("image");
    text("given", image.given());
    text("path", image.path().toString());
    text("format", image.format().name());
    Json.string(json, "sha256", image.sha256());
    Json.string(json, "id", image.id());
    Json.string(json, "state", image.state());
    json.writeNumberProperty("size", image.size());
    time("modified_ns", image.modified());
    json.writeEndObject();
  }

  private void request(Request request) {
    text("kind", request.kind().name());
    Json.objects(
        json,
        "settings",
        request.settings(),
        setting -> {
          text("name", setting.name());
          Json.strings(json, "values", setting.values());
          text("said_by", setting.origin().kind().name());
          text("where", setting.origin().where());
        });
    Json.strings(json, "command", request.command());
    request
        .script()
        .ifPresent(
            script -> {
              json.writeObjectPropertyStart("script");
              Json.string(json, "file", script.file().map(Path::toString));
              Json.strings(json, "directives", script.directives());
              Json.strings(json, "interpreter", script.interpreter());
              Json.strings(json, "arguments", script.arguments());
              text("sha256", script.digest());
              text("text", script.text());
              json.writeEndObject();
            });
  }

  private void cluster(ClusterFacts cluster) {
    json.writeObjectPropertyStart("cluster_facts");
    text("slurm", cluster.slurmVersion());
    text("mpi_default", cluster.mpiDefault());
    cluster.mpiPlugins().ifPresent(plugins -> Json.strings(json, "mpi_plugins", plugins));
    text("spool_directory", cluster.spoolDirectory());
    text("client_directory", cluster.clientDirectory());
    text("job_container", cluster.jobContainer());
    text("architecture", cluster.architecture());
    json.writeEndObject();
  }

  private void text(String name, String value) {
    json.writeStringProperty(name, value);
  }

  private void time(String name, Instant time) {
    json.writeNumberProperty(name, time.getEpochSecond() * SECOND + time.getNano());
  }

  private static Instant time(Map<String, Object> object, String name) {
    long nanoseconds = Long.parseLong((String) object.get(name));
    return Instant.ofEpochSecond(nanoseconds / SECOND, nanoseconds % SECOND);
  }

  /** Empty if it is something else. */
  static Optional<Manifest> read(byte[] text) {
    try {
      Map<String, Object> all = Json.read(text).orElse(Map.of());
      if (!SCHEMA.equals(all.get("schema"))) {
        return Optional.empty();
      }
      return Optional.of(
          new Manifest(
              new Submission(
                  (String) all.get("job"),
                  Json.string(all, "cluster"),
                  time(all, "submitted_ns"),
                  (String) all.get("host"),
                  Path.of((String) all.get("directory")),
                  Json.words(all, "words"),
                  Json.string(all, "replay_of")),
              new Request(
                  Kind.valueOf((String) all.get("kind")),
                  Json.objects(all, "settings").stream().map(ManifestJson::setting).toList(),
                  Json.words(all, "command"),
                  all.containsKey("script")
                      ? Optional.of(script(object(all, "script")))
                      : Optional.empty()),
              image(object(all, "image")),
              new Surroundings(
                  Json.texts(all, "environment"), Json.texts(all, "environment_of_site")),
              outcome(all),
              (String) all.get("key")));
    } catch (ClassCastException
        | NullPointerException
        | IllegalArgumentException
        | DateTimeException notOurs) {
      return Optional.empty();
    }
  }

  @SuppressWarnings("unchecked") // only Json makes maps
  private static Map<String, Object> object(Map<String, Object> all, String name) {
    return (Map<String, Object>) all.get(name);
  }

  private static Setting setting(Map<String, Object> setting) {
    return new Setting(
        (String) setting.get("name"),
        Json.words(setting, "values"),
        new Origin(
            Origin.Kind.valueOf((String) setting.get("said_by")), (String) setting.get("where")));
  }

  private static Script script(Map<String, Object> script) {
    return new Script(
        Json.string(script, "file").map(Path::of),
        Json.words(script, "directives"),
        Json.words(script, "interpreter"),
        Json.words(script, "arguments"),
        (String) script.get("text"),
        (String) script.get("sha256"));
  }

  private static ImageLock image(Map<String, Object> image) {
    return new ImageLock(
        (String) image.get("given"),
        Path.of((String) image.get("path")),
        Image.Format.valueOf((String) image.get("format")),
        Json.string(image, "sha256"),
        Json.string(image, "id"),
        Json.string(image, "state"),
        Long.parseLong((String) image.get("size")),
        time(image, "modified_ns"));
  }

  private static Outcome outcome(Map<String, Object> all) {
    Map<String, Object> cluster = object(all, "cluster_facts");
    Map<String, Object> script = object(all, "job_script");
    return new Outcome(
        (String) all.get("hpcrun"),
        new ClusterFacts(
            (String) cluster.get("slurm"),
            (String) cluster.get("mpi_default"),
            Optional.ofNullable(cluster.get("mpi_plugins"))
                .map(plugins -> Json.words(cluster, "mpi_plugins")),
            (String) cluster.get("spool_directory"),
            (String) cluster.get("client_directory"),
            (String) cluster.get("job_container"),
            (String) cluster.get("architecture")),
        ReasonsJson.decisions(all, "decisions"),
        ReasonsJson.advice(all, "warnings"),
        (String) script.get("head"),
        (String) script.get("sha256"),
        (String) script.get("agent_sha256"));
  }
}
