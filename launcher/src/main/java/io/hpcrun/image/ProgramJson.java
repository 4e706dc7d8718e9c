package io.hpcrun.image;

import java.io.ByteArrayOutputStream;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonEncoding;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;

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
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json =
        ProfileJson.FACTORY.createGenerator(ObjectWriteContext.empty(), bytes, JsonEncoding.UTF8)) {
      json.writeStartObject();
      json.writeStringProperty("schema", SCHEMA);
      json.writeStringProperty("name", program.name());
      ProfileJson.string(json, "path", program.path());
      json.writeStringProperty("reach", program.reach().name());
      ProfileJson.mpi(json, "mpi", program.mpi().stream().toList());
      ProfileJson.strings(json, "missing", program.missing());
      json.writeObjectPropertyStart("states");
      remembered.states().forEach(json::writeStringProperty);
      json.writeEndObject();
      json.writeEndObject();
    }
    return bytes.toByteArray();
  }

  /** Reads what {@link #write} wrote; empty if it is something else. */
  static Optional<Remembered> read(byte[] text) {
    try (JsonParser json = ProfileJson.FACTORY.createParser(ObjectReadContext.empty(), text)) {
      json.nextToken();
      Map<String, Object> object = ProfileJson.object(json);
      if (!SCHEMA.equals(object.get("schema"))) {
        return Optional.empty();
      }
      return Optional.of(
          new Remembered(
              new Program(
                  (String) object.get("name"),
                  ProfileJson.string(object, "path"),
                  Program.Reach.of((String) object.get("reach")),
                  ProfileJson.mpi(object, "mpi").stream().findFirst(),
                  ProfileJson.words(object, "missing")),
              ProfileJson.texts(object, "states")));
    } catch (JacksonException | ClassCastException | NullPointerException notOurs) {
      return Optional.empty();
    }
  }
}
