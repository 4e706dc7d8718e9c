package io.hpcrun.image;

import io.hpcrun.image.ImageProfile.Family;
import io.hpcrun.image.ImageProfile.Library;
import io.hpcrun.image.ImageProfile.Mpi;
import io.hpcrun.json.Json;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JsonGenerator;

/** A profile as JSON, schema {@code hpcrun.profile/1} (docs/inspect.md). */
public final class ProfileJson {
  private static final String SCHEMA = "hpcrun.profile/1";

  private ProfileJson() {}

  /** The profile as JSON text in UTF-8, on one line. */
  public static byte[] write(ImageProfile profile) {
    return Json.write(
        json -> {
          json.writeStringProperty("schema", SCHEMA);
          Json.string(json, "architecture", profile.architecture());
          Json.string(json, "system", profile.system());
          libraries(json, "libc", profile.libc().stream().toList());
          mpi(json, "mpi", profile.mpi());
          libraries(json, "pmi", profile.pmi());
          libraries(json, "network", profile.network());
          libraries(json, "gpu", profile.gpu());
          Json.texts(json, "programs", profile.programs());
          Json.texts(json, "labels", profile.labels());
        });
  }

  static void mpi(JsonGenerator json, String name, List<Mpi> libraries) {
    Json.objects(
        json,
        name,
        libraries,
        mpi -> {
          json.writeStringProperty("family", mpi.family().label());
          Json.string(json, "version", mpi.version());
          json.writeStringProperty("path", mpi.path());
          json.writeStringProperty("soname", mpi.soname());
          Json.strings(json, "speaks", mpi.speaks());
          json.writeStringProperty("state", mpi.state());
        });
  }

  private static void libraries(JsonGenerator json, String name, List<Library> libraries) {
    Json.objects(
        json,
        name,
        libraries,
        library -> {
          json.writeStringProperty("name", library.name());
          Json.string(json, "version", library.version());
          json.writeStringProperty("path", library.path());
          Json.strings(json, "parts", library.parts());
        });
  }

  /**
   * Reads what {@link #write} wrote; empty if it is something else, such as a file that was cut off
   * or that another version wrote.
   */
  static Optional<ImageProfile> read(byte[] text) {
    try {
      Map<String, Object> profile = Json.read(text).orElse(Map.of());
      if (!SCHEMA.equals(profile.get("schema"))) {
        return Optional.empty();
      }
      return Optional.of(
          new ImageProfile(
              Json.string(profile, "architecture"),
              Json.string(profile, "system"),
              libraries(profile, "libc").stream().findFirst(),
              mpi(profile, "mpi"),
              libraries(profile, "pmi"),
              libraries(profile, "network"),
              libraries(profile, "gpu"),
              Json.texts(profile, "programs"),
              Json.texts(profile, "labels")));
    } catch (ClassCastException | NullPointerException notOurs) {
      return Optional.empty();
    }
  }

  static List<Mpi> mpi(Map<String, Object> object, String name) {
    return Json.objects(object, name).stream()
        .map(
            each ->
                new Mpi(
                    Family.of((String) each.get("family")),
                    Json.string(each, "version"),
                    (String) each.get("path"),
                    (String) each.get("soname"),
                    Json.words(each, "speaks"),
                    Json.string(each, "state").orElse("")))
        .toList();
  }

  private static List<Library> libraries(Map<String, Object> object, String name) {
    return Json.objects(object, name).stream()
        .map(
            each ->
                new Library(
                    (String) each.get("name"),
                    Json.string(each, "version"),
                    (String) each.get("path"),
                    Json.words(each, "parts")))
        .toList();
  }
}
