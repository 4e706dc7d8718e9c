package io.hpcrun.request;

import io.hpcrun.failure.Failure;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.EnvironmentChoice;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.SecretNames;
import io.hpcrun.spec.SlurmOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The options for the ranks' environment: {@code --env} and {@code --clean-env}; what {@code
 * --env-file} reads has become {@code --env} before. Values of secret-looking variables go to
 * {@link Secrets}, all others into the spec.
 */
final class EnvironmentOptions {
  private static final String ENV = OwnOption.ENV.option();

  /**
   * What the options say.
   *
   * @param set variables with values that may be seen
   * @param choice all else
   * @param secrets values that may not
   */
  record Chosen(List<EnvironmentVariable> set, EnvironmentChoice choice, Secrets secrets) {}

  private EnvironmentOptions() {}

  /**
   * Reads them.
   *
   * @throws Failure with exit code 2 for whatever is wrong by itself
   */
  static Chosen read(GetoptParser.Parsed parsed) {
    List<EnvironmentVariable> shown = new ArrayList<>();
    List<String> byName = new ArrayList<>();
    List<String> hidden = new ArrayList<>();
    Map<String, ByteString> secrets = new LinkedHashMap<>();
    Set<String> names = new HashSet<>();
    for (String word : values(parsed)) {
      String name = nameOf(word);
      if (!names.add(name)) {
        throw Failure.usage("--env sets " + name + " twice", "give it once");
      }
      if (word.indexOf('=') < 0) {
        byName.add(name);
        continue;
      }
      EnvironmentVariable variable =
          EnvironmentVariable.parse(ByteString.ofLatin1(word), "--" + ENV);
      if (SecretNames.isSecret(name, variable.value().latin1())) {
        check(variable);
        hidden.add(name);
        secrets.put(name, variable.value());
      } else {
        shown.add(variable);
      }
    }
    hidden.addAll(byName);
    return new Chosen(
        shown,
        new EnvironmentChoice(
            hidden, parsed.options().hasOption(OwnOption.CLEAN_ENV.option()), List.of()),
        new Secrets(secrets));
  }

  private static String nameOf(String word) {
    int equals = word.indexOf('=');
    return EnvironmentVariable.checkedName(
        equals < 0 ? word : word.substring(0, equals), "--" + ENV);
  }

  private static List<String> values(GetoptParser.Parsed parsed) {
    String[] values = parsed.options().getOptionValues(ENV);
    return values == null ? List.of() : List.of(values);
  }

  /** What the planner checks of values that it sees. */
  private static void check(EnvironmentVariable variable) {
    if (!variable.value().isUtf8()) {
      throw Failure.refused(
          "the value of --env "
              + variable.name()
              + " holds bytes that are not UTF-8, which Apptainer would change",
          "pass such bytes in a file, or encode them");
    }
    if (variable.value().length() > variable.room()) {
      throw Failure.refused(
          "the value of --env %s is too long: %d bytes of at most %d"
              .formatted(variable.name(), variable.value().length(), variable.room()),
          "pass it in a file");
    }
  }

  /**
   * Checks that what is passed on is there; a script may set it before its steps.
   *
   * @throws Failure with exit code 2 that names what is not
   */
  static void checkSet(LaunchSpec spec, Secrets secrets, Map<String, String> environment) {
    for (String name : spec.container().choice().byName()) {
      if (spec.kind() != LaunchSpec.Kind.SCRIPT
          && !secrets.holds(name)
          && !environment.containsKey(name)) {
        throw Failure.usage(
            "--env " + name + " passes on your " + name + ", and it is not set here",
            "set it before (export " + name + "=...), or write --env " + name + "=VALUE");
      }
    }
  }

  /**
   * Checks the {@code #HPCRUN} lines of a script: Slurm keeps the script.
   *
   * @throws Failure with exit code 2 when one gives a secret
   */
  static void checkLines(Path script, GetoptParser.Parsed own) {
    for (String word : values(own)) {
      int equals = word.indexOf('=');
      if (equals > 0
          && SecretNames.isSecret(word.substring(0, equals), word.substring(equals + 1))) {
        String name = word.substring(0, equals);
        throw Failure.usage(
            "an #HPCRUN line of %s gives the value of %s, which looks like a secret, and Slurm keeps"
                    .formatted(script, name)
                + " the script",
            "write '#HPCRUN --env=%s' there, and set %s before you submit".formatted(name, name));
      }
    }
  }

  /**
   * Checks that values that are in no script come to the job, and that none that is secret stands
   * in one.
   *
   * @throws Failure with exit code 2 when sbatch is told to leave the environment behind
   */
  static void checkExport(LaunchSpec spec, Secrets secrets, Map<String, String> environment) {
    Export export = Export.of(spec, environment);
    refuseSecrets(export);
    Export.ofRanks(spec).forEach(EnvironmentOptions::refuseSecrets);
    Optional<String> lost =
        spec.container().choice().byName().stream()
            .filter(name -> secrets.holds(name) ? !export.all() : !export.has(name))
            .findFirst();
    if (spec.kind() != LaunchSpec.Kind.STEP && lost.isPresent()) {
      throw Failure.usage(
          "%s keeps the value of %s from the job, and it must not stand in the script"
              .formatted(export.source(), lost.get()),
          export.source().startsWith("SBATCH_")
              ? "unset " + SlurmOption.EXPORT.variable() + ", or write --export=ALL"
              : "write --export=ALL, or put the secret into a file that the application reads");
    }
  }

  private static void refuseSecrets(Export export) {
    for (String name : export.secrets()) {
      throw Failure.usage(
          export.source()
              + " gives the value of "
              + name
              + ", which looks like a secret, and others can see it: Slurm keeps the script, and"
              + " processes show their words",
          "set " + name + " before, and write --env " + name);
    }
  }
}
