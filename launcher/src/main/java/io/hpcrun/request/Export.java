package io.hpcrun.request;

import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.SecretNames;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.spec.UserScript;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which variables of the caller's sbatch hands to the job (sbatch(1), {@code --export}): all, a
 * list, or none, where the job gets a new login's on its first node.
 *
 * @param source the option or variable that says so
 * @param items what it says, in pieces
 */
public record Export(String source, List<String> items) {
  private static final String OPTION = "--export";

  /**
   * As the launch's options say, else the variable that sbatch looks at. A step has its caller's.
   */
  public static Export of(LaunchSpec spec, Map<String, String> environment) {
    if (spec.kind() == LaunchSpec.Kind.STEP) {
      return new Export("", List.of("ALL"));
    }
    List<String> words = new ArrayList<>();
    spec.script()
        .ifPresent(script -> script.directives().forEach(line -> words.addAll(directive(line))));
    spec.slurm(SlurmOption.EXPORT).ifPresent(value -> words.add(OPTION + "=" + value));
    words.addAll(spec.verbatim());
    Optional<String> said = Optional.empty();
    for (int i = 0; i < words.size(); i++) {
      String word = words.get(i);
      if (word.startsWith(OPTION + "=")) {
        said = Optional.of(word.substring(OPTION.length() + 1));
      } else if (word.equals(OPTION) && i + 1 < words.size()) {
        said = Optional.of(words.get(i + 1));
      }
    }
    String variable = SlurmOption.EXPORT.variable();
    return said.map(value -> of(OPTION, value))
        .or(() -> Optional.ofNullable(environment.get(variable)).map(value -> of(variable, value)))
        .orElse(new Export("", List.of("ALL")));
  }

  private static Export of(String name, String value) {
    return new Export(name + "=" + masked(value), split(value));
  }

  /**
   * What words of srun's give its ranks by an export of its own ({@code --srun=--export=...}), one
   * for each; srun takes beginnings of the option's name, too.
   */
  static List<Export> ofRanks(LaunchSpec spec) {
    return spec.srun().stream()
        .filter(word -> word.startsWith("--ex") && word.indexOf('=') > 0)
        .filter(word -> OPTION.startsWith(word.substring(0, word.indexOf('='))))
        .map(word -> of("--srun=" + OPTION, word.substring(word.indexOf('=') + 1)))
        .toList();
  }

  /** A list for messages: the names, without the values. */
  static String masked(String value) {
    return value.replaceAll("=(?:'[^']*(?:'|$)|\"[^\"]*(?:\"|$)|[^,'\"])*+", "=...");
  }

  /** The words of an {@code #SBATCH} line. */
  public static List<String> directive(ByteString line) {
    return UserScript.words(
        line.latin1().substring("#SBATCH".length()), "the script's line " + line);
  }

  private static List<String> split(String value) {
    return Arrays.stream(value.split(",")).filter(item -> !item.isEmpty()).toList();
  }

  /** Whether all go. */
  public boolean all() {
    return items.contains("ALL");
  }

  /** Whether this one goes, with whatever value. */
  public boolean has(String name) {
    return all() || items.stream().anyMatch(item -> item.replaceFirst("=.*", "").equals(name));
  }

  /** Variables that get a value which is taken for a secret. */
  List<String> secrets() {
    return items.stream()
        .filter(item -> item.indexOf('=') > 0)
        .map(item -> item.split("=", 2))
        .filter(pair -> SecretNames.isSecret(pair[0], pair[1]))
        .map(pair -> pair[0])
        .toList();
  }
}
