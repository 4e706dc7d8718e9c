package io.hpcrun.spec;

import io.hpcrun.failure.Failure;
import java.util.Set;

/**
 * A variable that the user sets for the application ({@code --env NAME=VALUE}).
 *
 * @param name a shell variable name: letters, digits and {@code _}, not beginning with a digit
 * @param value any bytes but NUL
 */
public record EnvironmentVariable(String name, ByteString value) {

  /**
   * Names that Apptainer does not let {@code --env} set (apptainer-userdocs,
   * environment_and_metadata.rst), with what to use instead.
   */
  private static final Set<String> NOT_SETTABLE = Set.of("HOME");

  /**
   * Parses {@code NAME=VALUE}.
   *
   * @throws Failure with exit code 2 when there is no {@code =} or the name is not a variable name
   */
  public static EnvironmentVariable parse(ByteString text) {
    String latin1 = text.latin1();
    int equals = latin1.indexOf('=');
    if (equals < 0) {
      throw Failure.usage(
          "--env " + text + " has no value", "write it as --env NAME=VALUE, one --env each");
    }
    String name = latin1.substring(0, equals);
    if (!name.matches("[A-Za-z_][A-Za-z0-9_]*")) {
      throw Failure.usage(
          "--env " + text + ": '" + ByteString.ofLatin1(name) + "' is not a variable name",
          "use letters, digits and _, not beginning with a digit");
    }
    if (NOT_SETTABLE.contains(name)) {
      throw Failure.usage(
          "--env cannot set " + name + ": Apptainer sets it itself", "use --home instead");
    }
    return new EnvironmentVariable(name, ByteString.ofLatin1(latin1.substring(equals + 1)));
  }
}
