package io.hpcrun.plan;

import io.hpcrun.policy.Fact;
import io.hpcrun.policy.Facts;
import io.hpcrun.policy.Value;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.spec.Surroundings;
import io.hpcrun.spec.UserScript;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a launch asks Slurm for: by options, by options that are passed on unread, by a script's
 * directives, by variables. Numbers are what the request says, where it says several the largest,
 * as facts.lua has them.
 */
final class JobFacts {
  private static final String LONG = "--";
  private static final Pattern DIRECTIVE = Pattern.compile("(?s)#SBATCH\\s+(.*)");
  private static final Pattern COUNT = Pattern.compile("(?:[^:]*:)?([0-9]{1,9})([kKmMgG]?)");
  private static final Pattern MEMORY =
      Pattern.compile("([0-9]{1,12})(?:\\.[0-9]+)?([KMGTkmgt]?)[Bb]?");
  private static final Pattern CLOCK =
      Pattern.compile("(?:([0-9]+)-)?([0-9]+)(?::([0-9]+))?(?::([0-9]+))?");

  private final LaunchSpec spec;
  private final Surroundings surroundings;
  private final Map<SlurmOption, String> options = new EnumMap<>(SlurmOption.class);

  JobFacts(LaunchSpec spec, Surroundings surroundings) {
    this.spec = spec;
    this.surroundings = surroundings;
    if (spec.kind() != LaunchSpec.Kind.STEP) {
      for (SlurmOption option : SlurmOption.values()) {
        surroundings.variable(option.variable()).ifPresent(value -> options.put(option, value));
      }
    }
    spec.script().ifPresent(this::directives);
    spec.slurm().forEach(setting -> options.put(setting.option(), setting.value()));
    words(spec.verbatim());
  }

  private void directives(UserScript script) {
    for (ByteString line : script.directives()) {
      Matcher directive = DIRECTIVE.matcher(line.latin1());
      if (directive.matches()) {
        words(
            UserScript.words(directive.group(1), "the script's line " + line).stream()
                .map(word -> ByteString.ofLatin1(word).toString())
                .toList());
      }
    }
  }

  /**
   * {@code --name=value}, {@code --name value}, {@code -xvalue}, {@code -x value}; a name may be
   * cut short.
   */
  private void words(List<String> words) {
    for (int i = 0; i < words.size(); i++) {
      String word = words.get(i);
      String next = i + 1 < words.size() ? words.get(i + 1) : "";
      String typed = word.split("=", 2)[0];
      boolean whole =
          Stream.of(SlurmOption.values()).anyMatch(each -> typed.equals(LONG + each.option()));
      for (SlurmOption option : SlurmOption.values()) {
        String name = LONG + option.option();
        boolean named =
            whole ? typed.equals(name) : typed.length() > LONG.length() && name.startsWith(typed);
        String letter = "-" + option.letter();
        if (named && word.length() > typed.length()) {
          options.put(option, word.substring(typed.length() + 1));
        } else if (named || word.equals(letter)) {
          options.put(option, next);
        } else if (option.letter() != '\0' && word.startsWith(letter) && !word.startsWith(LONG)) {
          options.put(option, word.substring(letter.length()));
        }
      }
    }
  }

  void tell(Facts facts) {
    facts.with(Fact.PARTITION, texts(SlurmOption.PARTITION, "SLURM_JOB_PARTITION"));
    facts.with(Fact.ACCOUNT, texts(SlurmOption.ACCOUNT, "SLURM_JOB_ACCOUNT"));
    facts.with(Fact.QOS, texts(SlurmOption.QOS, "SLURM_JOB_QOS"));
    OptionalLong given = count(SlurmOption.NTASKS, "SLURM_NTASKS");
    long nodes = Math.max(nodes().orElse(Math.max(1, given.orElse(1))), listed().orElse(0));
    long perNode = count(SlurmOption.NTASKS_PER_NODE, "").orElse(1);
    long tasks = given.orElse(nodes * perNode);
    facts.with(Fact.NODES, Value.of(nodes));
    facts.with(Fact.TASKS, Value.of(tasks));
    facts.with(
        Fact.TIME,
        Optional.ofNullable(options.get(SlurmOption.TIME))
            .flatMap(JobFacts::seconds)
            .map(JobFacts::wholeMinutes)
            .map(Value::of)
            .orElse(Value.unknown("no limit is asked for; give --time")));
    long perTask = gpus(options.get(SlurmOption.GPUS_PER_TASK));
    long gpus =
        Math.max(
            Math.max(
                gpus(options.get(SlurmOption.GPUS)),
                nodes
                    * Math.max(
                        gpus(options.get(SlurmOption.GPUS_PER_NODE)),
                        gres(options.get(SlurmOption.GRES)))),
            perTask * tasks);
    facts.with(Fact.GPUS_PER_TASK, Value.of(perTask));
    facts.with(Fact.GPUS, Value.of(gpus));
    facts.with(Fact.MEMORY, memory(given.orElse(Math.max(nodes, perNode)), gpus));
    if (listed().isEmpty()) {
      for (Fact fact : List.of(Fact.NODES, Fact.TASKS, Fact.GPUS, Fact.MEMORY)) {
        facts.with(
            fact,
            Value.unknown(
                "the list of nodes has brackets or is in a file; name fewer nodes, each by itself"));
      }
    }
  }

  /** Nodes that {@code --nodelist} names; empty if the names are not all written out. */
  private OptionalLong listed() {
    String names = options.getOrDefault(SlurmOption.NODELIST, "");
    if (names.contains("[") || names.contains("/")) {
      return OptionalLong.empty();
    }
    return OptionalLong.of(names.isEmpty() ? 0 : names.split(",", -1).length);
  }

  private Value texts(SlurmOption option, String ofJob) {
    String value = options.get(option);
    if (value == null && spec.kind() == LaunchSpec.Kind.STEP) {
      value = surroundings.variable(ofJob).orElse(null);
    }
    return value == null
        ? Value.unknown("it is not said; give --" + option.option())
        : Value.of(option == SlurmOption.PARTITION ? List.of(value.split(",")) : List.of(value));
  }

  private OptionalLong count(SlurmOption option, String ofJob) {
    String value = options.get(option);
    if (value == null && spec.kind() == LaunchSpec.Kind.STEP) {
      value = surroundings.variable(ofJob).orElse(null);
    }
    return value != null && value.matches("[0-9]{1,9}")
        ? OptionalLong.of(Long.parseLong(value))
        : OptionalLong.empty();
  }

  /** The larger number of {@code 2-4}. */
  private OptionalLong nodes() {
    String value = options.get(SlurmOption.NODES);
    if (value == null) {
      return spec.kind() == LaunchSpec.Kind.STEP
          ? count(SlurmOption.NODES, "SLURM_JOB_NUM_NODES")
          : OptionalLong.empty();
    }
    Matcher most = COUNT.matcher(value.substring(value.indexOf('-') + 1));
    return most.matches() ? OptionalLong.of(scaled(most, 1000)) : OptionalLong.empty();
  }

  private static long scaled(Matcher number, long thousand) {
    long value = Long.parseLong(number.group(1));
    return switch (number.group(2)) {
      case "k", "K" -> value * thousand;
      case "m", "M" -> value * thousand * thousand;
      case "g", "G" -> value * thousand * thousand * thousand;
      default -> value;
    };
  }

  /** {@code 2}, {@code h100:2}, {@code h100:1,a100:1}. */
  private static long gpus(String text) {
    long sum = 0;
    for (String each : text == null ? List.<String>of() : List.of(text.split(","))) {
      Matcher count = COUNT.matcher(each);
      sum += count.matches() ? scaled(count, 1024) : 1;
    }
    return sum;
  }

  /** The GPUs among {@code gpu:h100:2,shard:4}. */
  private static long gres(String text) {
    List<String> ours = new ArrayList<>();
    for (String each : text == null ? new String[0] : text.split(",")) {
      String name = each.replaceFirst("^gres[:/]", "").replace('=', ':');
      if (name.equals("gpu")) {
        ours.add("1");
      } else if (name.startsWith("gpu:")) {
        ours.add(name.substring("gpu:".length()));
      }
    }
    return ours.isEmpty() ? 0 : gpus(String.join(",", ours));
  }

  /** Of a node, where all tasks may be on one. */
  private Value memory(long tasks, long gpus) {
    OptionalLong each = bytes(SlurmOption.MEM);
    if (each.isPresent()) {
      return Value.of(each.getAsLong());
    }
    each = bytes(SlurmOption.MEM_PER_CPU);
    if (each.isPresent()) {
      long cpus = count(SlurmOption.CPUS_PER_TASK, "").orElse(1);
      return Value.of(each.getAsLong() * cpus * tasks);
    }
    each = bytes(SlurmOption.MEM_PER_GPU);
    return each.isPresent()
        ? Value.of(each.getAsLong() * gpus)
        : Value.unknown("no size is asked for; give --mem");
  }

  private OptionalLong bytes(SlurmOption option) {
    Matcher size = MEMORY.matcher(options.getOrDefault(option, ""));
    if (!size.matches() || Long.parseLong(size.group(1)) == 0) {
      return OptionalLong.empty();
    }
    int shift =
        switch (size.group(2)) {
          case "K", "k" -> 10;
          case "G", "g" -> 30;
          case "T", "t" -> 40;
          default -> 20;
        };
    return OptionalLong.of(Long.parseLong(size.group(1)) << shift);
  }

  /** Slurm counts minutes that have begun. */
  private static long wholeMinutes(long seconds) {
    return seconds == Value.UNLIMITED ? seconds : (seconds + 59) / 60 * 60;
  }

  /**
   * Slurm's forms: minutes, minutes:seconds, hours:minutes:seconds, days-hours[:minutes[:seconds]].
   */
  private static Optional<Long> seconds(String text) {
    if (text.matches("(?i)infinite|unlimited")) {
      return Optional.of(Value.UNLIMITED);
    }
    Matcher clock = CLOCK.matcher(text);
    if (!clock.matches() || text.length() > 30) {
      return Optional.empty();
    }
    long first = Long.parseLong(clock.group(2));
    long second = clock.group(3) == null ? 0 : Long.parseLong(clock.group(3));
    long third = clock.group(4) == null ? 0 : Long.parseLong(clock.group(4));
    if (clock.group(1) != null) {
      return Optional.of(
          ((Long.parseLong(clock.group(1)) * 24 + first) * 60 + second) * 60 + third);
    }
    return Optional.of(
        clock.group(4) != null ? (first * 60 + second) * 60 + third : first * 60 + second);
  }
}
