package io.hpcrun.request;

import io.hpcrun.failure.Failure;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.EnvironmentVariable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Files of {@code --env-file}: lines {@code NAME=VALUE}, of which the value is all up to the end of
 * the line, as it stands there. They are read once, when the launch is asked for, and are {@code
 * --env} from then on.
 */
final class EnvironmentFile {
  /** Larger files are no lists of variables: the kernel takes about 2 MiB for all of them. */
  private static final int LARGEST = 1 << 20;

  private static final String OPTION = "--" + OwnOption.ENV_FILE.option();

  private EnvironmentFile() {}

  /**
   * The settings with the variables of the files in the files' place; what is said later wins.
   *
   * @throws Failure with exit code 2 that names file and line of what is wrong
   */
  static List<Setting> read(List<Setting> settings, Path workingDirectory) {
    List<Setting> all = new ArrayList<>();
    for (Setting setting : joined(settings)) {
      boolean file = isFile(setting);
      Setting given = file ? variables(setting, workingDirectory) : setting;
      // Of those that were no files the earlier ones are gone, or stand beside this one.
      all.replaceAll(
          earlier -> file || isOfFile(earlier) ? Layers.without(earlier, given) : earlier);
      all.add(given);
    }
    all.removeIf(
        setting -> setting.name().equals(OwnOption.ENV.option()) && setting.values().isEmpty());
    return all;
  }

  private static boolean isFile(Setting setting) {
    return setting.name().equals(OwnOption.ENV_FILE.option());
  }

  private static boolean isOfFile(Setting setting) {
    return setting.name().equals(OwnOption.ENV.option())
        && setting.origin().where().startsWith(OPTION);
  }

  /** Several files that were given at one place are one setting. */
  private static List<Setting> joined(List<Setting> settings) {
    List<Setting> joined = new ArrayList<>();
    for (Setting setting : settings) {
      Setting last = joined.isEmpty() ? setting : joined.getLast();
      if (last != setting
          && isFile(setting)
          && isFile(last)
          && setting.origin().equals(last.origin())) {
        joined.removeLast();
        joined.add(
            new Setting(
                setting.name(),
                Stream.concat(last.values().stream(), setting.values().stream()).toList(),
                setting.origin()));
      } else {
        joined.add(setting);
      }
    }
    return joined;
  }

  private static Setting variables(Setting files, Path workingDirectory) {
    Map<String, String> lines = new LinkedHashMap<>();
    Map<String, String> places = new LinkedHashMap<>();
    for (String file : files.values()) {
      read(ByteString.ofLatin1(file).toString(), workingDirectory, lines, places);
    }
    return new Setting(
        OwnOption.ENV.option(),
        List.copyOf(lines.values()),
        new Origin(
            files.origin().kind(),
            OPTION + " " + ByteString.ofLatin1(String.join(" ", files.values()))));
  }

  private static void read(
      String file, Path workingDirectory, Map<String, String> lines, Map<String, String> places) {
    String[] text = text(file, workingDirectory).split("\n", -1);
    for (int i = 0; i < text.length; i++) {
      String line = text[i];
      String where = "%s %s, line %d".formatted(OPTION, file, i + 1);
      if (line.indexOf('\r') >= 0 || line.indexOf('\0') >= 0) {
        throw Failure.usage(
            where + " holds a " + (line.indexOf('\0') >= 0 ? "NUL" : "carriage return"),
            "write a Unix text file (dos2unix)");
      }
      if (line.isBlank() || line.startsWith("#")) {
        continue;
      }
      if (line.indexOf('=') < 0 || line.startsWith("export ")) {
        throw Failure.usage(
            where + " is not NAME=VALUE",
            "write one variable in each line, or # for a comment; the file is read, not run by a"
                + " shell");
      }
      String name = EnvironmentVariable.parse(ByteString.ofLatin1(line), where).name();
      String before = places.put(name, where);
      if (before != null) {
        throw Failure.usage(
            "%s sets %s again, as %s did".formatted(where, name, before.replace(OPTION + " ", "")),
            "give it once");
      }
      lines.put(name, line);
    }
  }

  private static String text(String file, Path workingDirectory) {
    Path path;
    try {
      path = workingDirectory.resolve(file);
    } catch (InvalidPathException notEncodable) {
      throw Failure.usage(
          OPTION + " " + file + " cannot be used: " + notEncodable.getReason(), "rename the file");
    }
    // A pipe of the shell's, as in --env-file <(PROGRAM), is as good.
    try (InputStream in = Files.newInputStream(path)) {
      byte[] text = in.readNBytes(LARGEST + 1);
      if (text.length > LARGEST) {
        throw Failure.usage(
            OPTION + " " + path + " is larger than 1 MiB", "give a list of variables");
      }
      return new String(text, StandardCharsets.ISO_8859_1);
    } catch (NoSuchFileException missing) {
      throw Failure.usage(OPTION + " " + path + " is not there", "check the name");
    } catch (AccessDeniedException denied) {
      throw Failure.usage(
          OPTION + " " + path + " cannot be read: permission denied", "check its permissions");
    } catch (IOException unreadable) {
      throw Failure.usage(
          OPTION + " " + path + " cannot be read: " + unreadable.getMessage(),
          "give a text file of lines NAME=VALUE");
    }
  }
}
