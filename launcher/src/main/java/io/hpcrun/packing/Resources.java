package io.hpcrun.packing;

import io.hpcrun.failure.Failure;
import io.hpcrun.yaml.Names;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a job needs in all, wherever it is.
 *
 * @param cores physical cores; 0: not said
 * @param memory MiB; 0: not said
 * @param gpus GPUs; 0: none
 * @param gpuType their type, as Slurm calls it; empty: any
 */
public record Resources(long cores, long memory, long gpus, String gpuType) {
  private static final List<String> NAMES = List.of("cores", "memory", "gpus");
  private static final Pattern COUNT = Pattern.compile("[1-9][0-9]{0,7}");
  private static final Pattern MEMORY = Pattern.compile("([1-9][0-9]{0,8})([MGTP])");
  private static final Pattern GPUS =
      Pattern.compile("(?:([A-Za-z0-9][A-Za-z0-9._-]*):)?([1-9][0-9]{0,7})");

  /**
   * Reads {@code cores=1000,memory=10T,gpus=a100:16}, any of them.
   *
   * @throws Failure with exit code 2 for anything else
   */
  public static Resources parse(String text) {
    Map<String, String> given = new HashMap<>();
    for (String part : text.split(",", -1)) {
      String[] pair = part.split("=", 2);
      if (pair.length < 2 || !NAMES.contains(pair[0])) {
        throw wrong(
            "'%s' is none of %s".formatted(pair[0], String.join(", ", NAMES)),
            pair.length == 2
                ? Names.remedy(pair[0], NAMES)
                : "write such as cores=1000,memory=10T,gpus=16");
      }
      if (given.put(pair[0], pair[1]) != null) {
        throw wrong(pair[0] + " stands there twice", "give it once");
      }
    }
    Matcher gpus = matcher("gpus", GPUS, given, "a number, or a type and a number: 16 or a100:16");
    return new Resources(
        count(given),
        memory(given),
        gpus == null ? 0 : Long.parseLong(gpus.group(2)),
        gpus == null || gpus.group(1) == null ? "" : gpus.group(1));
  }

  private static long count(Map<String, String> given) {
    Matcher cores = matcher("cores", COUNT, given, "a whole number from 1 on");
    return cores == null ? 0 : Long.parseLong(cores.group());
  }

  private static long memory(Map<String, String> given) {
    Matcher memory = matcher("memory", MEMORY, given, "a size with its unit: 500M, 20G or 10T");
    if (memory == null) {
      return 0;
    }
    return Long.parseLong(memory.group(1)) << 10 * "MGTP".indexOf(memory.group(2));
  }

  /** Null if it is not given. */
  private static Matcher matcher(
      String name, Pattern pattern, Map<String, String> given, String description) {
    if (!given.containsKey(name)) {
      return null;
    }
    Matcher matcher = pattern.matcher(given.get(name));
    if (!matcher.matches()) {
      throw wrong(
          "%s '%s' is not %s".formatted(name, given.get(name), description), "give " + description);
    }
    return matcher;
  }

  private static Failure wrong(String found, String remedy) {
    return Failure.usage("--resources: " + found, remedy);
  }

  /** For people: {@code 1000 cores, 10T of memory, 16 GPUs}. */
  public String shown() {
    String type = gpuType.isEmpty() ? "" : " of type " + gpuType;
    return shown(cores, memory, gpus) + (gpus == 0 ? "" : type);
  }

  /** Amounts for people; what is zero is left out. */
  static String shown(long cores, long memory, long gpus) {
    List<String> parts = new ArrayList<>();
    if (cores > 0) {
      parts.add(count(cores, "core"));
    }
    if (memory > 0) {
      parts.add(memory(memory) + " of memory");
    }
    if (gpus > 0) {
      parts.add(count(gpus, "GPU"));
    }
    return String.join(", ", parts);
  }

  /** {@code 1 core}, {@code 2 cores}. */
  static String count(long number, String what) {
    return number + " " + what + (number == 1 ? "" : "s");
  }

  /** MiB for people. */
  static String memory(long memory) {
    if (memory % (1L << 20) == 0) {
      return (memory >> 20) + "T";
    }
    return memory % (1L << 10) == 0 || memory >= 10L << 10 ? (memory >> 10) + "G" : memory + "M";
  }
}
