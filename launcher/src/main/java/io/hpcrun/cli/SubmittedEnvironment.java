package io.hpcrun.cli;

import io.hpcrun.plan.EnvironmentRules;
import io.hpcrun.request.Export;
import io.hpcrun.request.Secrets;
import io.hpcrun.spec.EnvironmentRule;
import io.hpcrun.spec.EnvironmentRule.Fate;
import io.hpcrun.spec.EnvironmentRule.Kind;
import io.hpcrun.spec.EnvironmentRule.Place;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.spec.SlurmSetting;
import io.hpcrun.spec.SlurmValue;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What of the caller's environment sbatch does not get: what would win over the script, and what
 * describes another job.
 *
 * @param withheld those variables that are set, each with the rule that says so
 * @param renamed values of such variables that go to the ranks all the same, because the user named
 *     them
 */
record SubmittedEnvironment(Map<String, EnvironmentRule> withheld, Map<String, String> renamed) {
  private static final String SBATCH_MAN = "sbatch(1), INPUT ENVIRONMENT VARIABLES";

  /**
   * Looks at the caller's variables.
   *
   * @param single whether it must be one job: an array that the environment asks for is left out
   */
  static SubmittedEnvironment of(LaunchSpec spec, boolean single, Map<String, String> environment) {
    EnvironmentRules rules = new EnvironmentRules(spec);
    Map<String, String> overriding = overriding(spec, single);
    Map<String, EnvironmentRule> withheld = new TreeMap<>();
    Map<String, String> renamed = new LinkedHashMap<>();
    for (String name : environment.keySet()) {
      EnvironmentRule rule =
          overriding.containsKey(name)
              ? new EnvironmentRule(
                  name, Kind.SLURM, Place.SUBMISSION, Fate.DROP, overriding.get(name), SBATCH_MAN)
              : rules.of(name, Place.SUBMISSION);
      if (rule.fate() == Fate.DROP) {
        withheld.put(name, rule);
        if (spec.container().choice().byName().contains(name)) {
          renamed.put(Secrets.PREFIX + name, environment.get(name));
        }
      }
    }
    return new SubmittedEnvironment(withheld, renamed);
  }

  /** Variables that win over the script's directives, with the reason. */
  private static Map<String, String> overriding(LaunchSpec spec, boolean single) {
    Map<String, String> overriding = new HashMap<>();
    for (SlurmSetting setting : spec.slurm()) {
      add(overriding, setting.option());
    }
    List<String> words = new ArrayList<>(spec.verbatim());
    spec.script()
        .ifPresent(
            script -> script.directives().forEach(line -> words.addAll(Export.directive(line))));
    for (int i = 0; i < words.size(); i++) {
      add(overriding, words.get(i));
      if (takesNext(words.get(i))) {
        i++;
      }
    }
    overriding.put("SBATCH_WAIT", "whether the command waits is not the environment's business");
    if (single) {
      overriding.put(
          SlurmOption.ARRAY.variable(), "hpcrun run follows one job, and it would make many");
    }
    overriding.remove("");
    return overriding;
  }

  /** Whether the word after an option is its value. */
  private static boolean takesNext(String word) {
    return Stream.of(SlurmOption.values())
        .filter(option -> word.equals("--" + option.option()) || word.equals("-" + option.letter()))
        .anyMatch(
            option ->
                option.value() != SlurmValue.NONE && option.value() != SlurmValue.OPTIONAL_WORD);
  }

  /** For a word of sbatch's: an option, whose name may be cut short, or something else. */
  private static void add(Map<String, String> overriding, String word) {
    if (word.startsWith("--") && word.length() > 2) {
      String name = word.substring(2).replaceFirst("=.*", "");
      boolean whole = Stream.of(SlurmOption.values()).anyMatch(o -> o.option().equals(name));
      Stream.of(SlurmOption.values())
          .filter(option -> whole ? option.option().equals(name) : option.option().startsWith(name))
          .forEach(option -> add(overriding, option));
      overriding.putIfAbsent(
          "SBATCH_" + name.toUpperCase(Locale.ROOT).replace('-', '_'), reason(name));
    } else if (word.startsWith("-") && !word.startsWith("--") && word.length() > 1) {
      Stream.of(SlurmOption.values())
          .filter(option -> option.letter() == word.charAt(1))
          .forEach(option -> add(overriding, option));
    }
  }

  private static void add(Map<String, String> overriding, SlurmOption option) {
    overriding.put(option.variable(), reason(option.option()));
  }

  private static String reason(String option) {
    return "the script says --" + option + ", and sbatch lets the variable win over it";
  }
}
