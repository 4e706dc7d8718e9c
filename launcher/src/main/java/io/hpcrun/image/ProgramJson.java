package io.hpcrun.image;

import io.hpcrun.json.Json;
import java.util.Map;
import java.util.Optional;

/** What was found out about a command, as it is remembered. */
final class ProgramJson {
  private static final String SCHEMA = "hpcrun.program/1";

  private ProgramJson() {}

  /**
   * A command, and what it was found out from.
   *
   * @param program the command
   * @param states files of this machine, and what they looked like then
   */
  record Remembered(Program program, Map<String, String> states) {}

  static byte[] write(Remembered remembered) {
    Program program = remembered.program();
    return Json.write(
        json -> {
          json.writeStringProperty("schema", SCHEMA);
          json.writeStringProperty("name", program.name());
          Json.string(json, "path", program.path());
          json.writeStringProperty("reach", program.reach().name());
          ProfileJson.mpi(json, "mpi", program.mpi().stream().toList());
          Json.strings(json, "missing", program.missing());
          json.writeObjectPropertyStart("states");
          remembered.states().forEach(json::writeStringProperty);
          json.writeEndObject();
        });
  }

  /** Reads what {@link #write} wrote; empty if it is something else. */
  static Optional<Remembered> read(byte[] text) {
    try {
      Map<String, Object> object = Json.read(text).orElse(Map.of());
      if (!SCHEMA.equals(object.get("schema"))) {
        return Optional.empty();
      }
      return Optional.of(
          new Remembered(
              new Program(
                  (String) object.get("name"),
                  Json.string(object, "path"),
                  Program.Reach.of((String) object.get("reach")),
                  ProfileJson.mpi(object, "mpi").stream().findFirst(),
                  Json.words(object, "missing")),
              Json.texts(object, "states")));
    } catch (ClassCastException | NullPointerException notOurs) {
      return Optional.empty();
    }
  }
}
