package io.hpcrun.planning;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.image.HostMpi;
import io.hpcrun.image.Image;
import io.hpcrun.image.ImageProfile;
import io.hpcrun.image.Program;
import io.hpcrun.json.Json;
import io.hpcrun.plan.Advice;
import io.hpcrun.plan.Decision;
import io.hpcrun.plan.Knowledge;
import io.hpcrun.script.Version;
import io.hpcrun.spec.BindMount;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.ContainerOptions;
import io.hpcrun.spec.EnvironmentChoice;
import io.hpcrun.spec.EnvironmentRule;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.FabricChoice;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.MpiChoice;
import io.hpcrun.spec.SlurmSetting;
import io.hpcrun.spec.Staging;
import io.hpcrun.spec.Surroundings;
import io.hpcrun.spec.UserScript;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import tools.jackson.core.JsonGenerator;

/**
 * A request as JSON: members are called as the components of the records, in snake case; what is
 * empty is left out. Words of the operating system are texts with one character (U+0000 to U+00FF)
 * for each byte. The command writes with this, which starts quicker than data binding; the daemon
 * reads with data binding, and a test holds them together.
 */
public final class PlanRequestJson {
  private final JsonGenerator json;

  private PlanRequestJson(JsonGenerator json) {
    this.json = json;
  }

  /** The request as JSON text in UTF-8. */
  public static byte[] write(PlanRequest request) {
    return Json.write(json -> new PlanRequestJson(json).request(request));
  }

  private void request(PlanRequest request) {
    json.writeStringProperty("hpcrun", Version.VERSION);
    object("spec", () -> spec(request.spec()));
    object("known", () -> known(request.known()));
    Json.string(json, "digest", request.digest());
    Json.string(json, "enter_program", request.enterProgram().map(Path::toString));
    objects("packing", request.packing(), this::decision);
  }

  private void spec(LaunchSpec spec) {
    text("image", spec.image().toString());
    text("kind", spec.kind().name());
    words("command", spec.command());
    spec.script().ifPresent(script -> object("script", () -> script(script)));
    objects("slurm", spec.slurm(), this::setting);
    Json.strings(json, "verbatim", spec.verbatim());
    Json.strings(json, "srun", spec.srun());
    object("container", () -> container(spec.container()));
    object("mpi", () -> mpi(spec.mpi()));
    object("fabric", () -> fabric(spec.fabric()));
    text("mode", spec.mode().name());
    object("staging", () -> staging(spec.staging()));
    text("records", spec.records().toString());
    Json.string(json, "spool", spec.spool().map(Path::toString));
  }

  private void script(UserScript script) {
    words("directives", script.directives());
    words("interpreter", script.interpreter());
    words("arguments", script.arguments());
    text("text", script.text().latin1());
  }

  private void setting(SlurmSetting setting) {
    text("option", setting.option().name());
    text("value", setting.value());
  }

  private void container(ContainerOptions container) {
    objects("binds", container.binds(), this::bind);
    objects("environment", container.environment(), this::variable);
    word("working_directory", container.workingDirectory());
    word("home", container.home());
    Json.strings(json, "no_mount", container.noMount());
    Json.strings(json, "flags", container.flags().stream().map(Enum::name).toList());
    object("choice", () -> environment(container.choice()));
  }

  private void environment(EnvironmentChoice choice) {
    Json.strings(json, "by_name", choice.byName());
    json.writeBooleanProperty("clean", choice.clean());
    objects("rules", choice.rules(), this::rule);
  }

  private void rule(EnvironmentRule rule) {
    text("pattern", rule.pattern());
    text("kind", rule.kind().name());
    text("place", rule.place().name());
    text("fate", rule.fate().name());
    text("reason", rule.reason());
    text("source", rule.source());
  }

  private void bind(BindMount bind) {
    text("source", bind.source().latin1());
    text("destination", bind.destination().latin1());
    json.writeBooleanProperty("read_only", bind.readOnly());
  }

  private void variable(EnvironmentVariable variable) {
    text("name", variable.name());
    text("value", variable.value().latin1());
  }

  private void mpi(MpiChoice mpi) {
    Json.string(json, "plugin", mpi.plugin());
    json.writeBooleanProperty("force", mpi.force());
    json.writeBooleanProperty("singletons", mpi.singletons());
    json.writeBooleanProperty("guard", mpi.guard());
    text("model", mpi.model().name());
    Json.strings(json, "hosts", mpi.hosts().stream().map(Path::toString).toList());
  }

  private void fabric(FabricChoice fabric) {
    text("kind", fabric.kind().name());
    json.writeBooleanProperty("required", fabric.required());
    json.writeNumberProperty("memlock", fabric.memlock());
  }

  private void staging(Staging staging) {
    text("from", staging.from().name());
    word("directory", staging.directory());
    json.writeNumberProperty("limit", staging.limit());
  }

  private void known(Knowledge known) {
    object("image", () -> image(known.image()));
    known.profile().ifPresent(profile -> object("profile", () -> profile(profile)));
    known.gap().ifPresent(gap -> object("gap", () -> advice(gap)));
    object("program", () -> program(known.program()));
    known.host().ifPresent(host -> object("host", () -> host(host)));
    object("cluster", () -> cluster(known.cluster()));
    object("surroundings", () -> surroundings(known.surroundings()));
  }

  private void image(Image image) {
    text("path", image.path().toString());
    text("format", image.format().name());
    Json.string(json, "architecture", image.architecture());
    Json.string(json, "id", image.id());
    json.writeNumberProperty("size", image.size());
    Json.string(json, "header", image.header());
    text("file_system", image.fileSystem());
    image.built().ifPresent(built -> json.writeNumberProperty("built", built));
    json.writeBooleanProperty("signed", image.signed());
  }

  private void profile(ImageProfile profile) {
    Json.string(json, "architecture", profile.architecture());
    Json.string(json, "system", profile.system());
    profile.libc().ifPresent(libc -> object("libc", () -> library(libc)));
    objects("mpi", profile.mpi(), this::library);
    objects("pmi", profile.pmi(), this::library);
    objects("network", profile.network(), this::library);
    objects("gpu", profile.gpu(), this::library);
    Json.texts(json, "programs", profile.programs());
    Json.texts(json, "labels", profile.labels());
  }

  private void library(ImageProfile.Library library) {
    text("name", library.name());
    Json.string(json, "version", library.version());
    text("path", library.path());
    Json.strings(json, "parts", library.parts());
  }

  private void library(ImageProfile.Mpi mpi) {
    text("family", mpi.family().name());
    Json.string(json, "version", mpi.version());
    text("path", mpi.path());
    text("soname", mpi.soname());
    Json.strings(json, "speaks", mpi.speaks());
    text("state", mpi.state());
  }

  private void advice(Advice advice) {
    text("text", advice.text());
    text("remedy", advice.remedy());
    text("source", advice.source());
  }

  private void decision(Decision decision) {
    text("what", decision.what());
    text("value", decision.value());
    text("reason", decision.reason());
    text("source", decision.source());
  }

  private void program(Program program) {
    text("name", program.name());
    Json.string(json, "path", program.path());
    text("reach", program.reach().name());
    program.mpi().ifPresent(mpi -> object("mpi", () -> library(mpi)));
    Json.strings(json, "missing", program.missing());
  }

  private void host(HostMpi host) {
    text("library", host.library().toString());
    object("mpi", () -> library(host.mpi()));
    json.writeBooleanProperty("abi", host.abi());
    text("older", host.older());
    objects("mapped", host.mapped(), this::library);
    objects("libraries", host.libraries(), this::library);
    objects("binds", host.binds(), this::bind);
    text("library_path", host.libraryPath());
    objects("variables", host.variables(), this::variable);
    Json.strings(json, "missing", host.missing());
    Json.strings(json, "too_new", host.tooNew());
    Json.strings(json, "lacking", host.lacking());
    Json.strings(json, "unknown_functions", host.unknownFunctions());
    Json.strings(json, "left_out", host.leftOut());
  }

  private void cluster(ClusterFacts cluster) {
    text("slurm_version", cluster.slurmVersion());
    text("mpi_default", cluster.mpiDefault());
    cluster.mpiPlugins().ifPresent(plugins -> Json.strings(json, "mpi_plugins", plugins));
    text("spool_directory", cluster.spoolDirectory());
    text("client_directory", cluster.clientDirectory());
    text("job_container", cluster.jobContainer());
    text("architecture", cluster.architecture());
    json.writeNumberProperty("max_array_size", cluster.maxArraySize());
  }

  private void surroundings(Surroundings surroundings) {
    text("user", surroundings.user());
    Json.string(json, "source", surroundings.source());
    Json.strings(json, "modules", surroundings.modules());
    json.writeNumberProperty("at", surroundings.at());
    Json.texts(json, "variables", surroundings.variables());
  }

  private void text(String name, String value) {
    json.writeStringProperty(name, value);
  }

  private void word(String name, Optional<ByteString> value) {
    Json.string(json, name, value.map(ByteString::latin1));
  }

  private void words(String name, List<ByteString> values) {
    Json.strings(json, name, values.stream().map(ByteString::latin1).toList());
  }

  private void object(String name, Runnable members) {
    json.writeObjectPropertyStart(name);
    members.run();
    json.writeEndObject();
  }

  private <T> void objects(String name, List<T> values, Consumer<T> members) {
    Json.objects(
        json,
        name,
        values,
        value -> {
          members.accept(value);
        });
  }
}
