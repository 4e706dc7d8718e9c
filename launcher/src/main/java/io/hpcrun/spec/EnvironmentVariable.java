package io.hpcrun.spec;

import io.hpcrun.failure.Failure;
import java.util.Set;
import java.util.regex.Pattern;

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

  private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

  /** Linux, include/uapi/linux/binfmts.h: MAX_ARG_STRLEN, with the NUL behind it. */
  private static final int LONGEST = 128 << 10;

  /** How many bytes its value may have on its way to the ranks. */
  public int room() {
    return LONGEST - "HPCRUN_ENV_=".length() - name.length() - 1;
  }

  /**
   * Parses {@code NAME=VALUE}; the value is in no message, since it may be secret.
   *
   * @param where it stands, for messages
   * @throws Failure with exit code 2 when there is no {@code =} or the name is not a variable name
   */
  public static EnvironmentVariable parse(ByteString text, String where) {
    String latin1 = text.latin1();
    int equals = latin1.indexOf('=');
    if (equals < 0) {
      throw Failure.usage(where + ": there is no =", "write it as NAME=VALUE");
    }
    return new EnvironmentVariable(
        checkedName(latin1.substring(0, equals), where),
        ByteString.ofLatin1(latin1.substring(equals + 1)));
  }

  /**
   * Checks the name of a variable that is to be set.
   *
   * @param name one character (0 to 255) for each byte
   * @param where it stands, for messages
   * @throws Failure with exit code 2 when it is none, or one that cannot be set
   */
  public static String checkedName(String name, String where) {
    if (!NAME.matcher(name).matches()) {
      throw Failure.usage(
          where + ": '" + ByteString.ofLatin1(name) + "' is not a variable name",
          "use letters, digits and _, not beginning with a digit");
    }
    if (NOT_SETTABLE.contains(name)) {
      throw Failure.usage(
          where + " cannot set " + name + ": Apptainer sets it itself", "use --home instead");
    }
    return name;
  }
}
