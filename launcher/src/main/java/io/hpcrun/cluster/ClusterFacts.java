package io.hpcrun.cluster;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the cluster offers, from {@code scontrol show config} and {@code srun --mpi=list}.
 *
 * @param slurmVersion such as {@code 24.11.5}
 * @param mpiDefault slurm.conf's MpiDefault: a plug-in's name, or {@code none}
 * @param mpiPlugins the plug-ins of {@code srun --mpi=list}; empty when it was not asked
 * @param spoolDirectory slurmd's SlurmdSpoolDir, with {@code %n} and {@code %h} as they are; empty
 *     where Slurm does not say
 * @param clientDirectory where Slurm's pmix keeps its clients' files: mpi.conf's PMIxCliTmpDirBase,
 *     else slurm.conf's TmpFS
 * @param jobContainer slurm.conf's JobContainerType, such as {@code job_container/tmpfs}; empty if
 *     there is none
 * @param architecture Go's name of the login node's architecture, taken for the compute nodes' too
 * @param maxArraySize slurm.conf's MaxArraySize: indices of job arrays are below it; 0 if it is not
 *     known
 */
public record ClusterFacts(
    String slurmVersion,
    String mpiDefault,
    Optional<List<String>> mpiPlugins,
    String spoolDirectory,
    String clientDirectory,
    String jobContainer,
    String architecture,
    int maxArraySize) {

  /** Of a cluster whose limit of job arrays is not known. */
  public ClusterFacts(
      String slurmVersion,
      String mpiDefault,
      Optional<List<String>> mpiPlugins,
      String spoolDirectory,
      String clientDirectory,
      String jobContainer,
      String architecture) {
    this(
        slurmVersion,
        mpiDefault,
        mpiPlugins,
        spoolDirectory,
        clientDirectory,
        jobContainer,
        architecture,
        0);
  }

  /** slurm.conf's MpiDefault and a plug-in's name for no wiring at all. */
  public static final String NONE = "none";

  /**
   * The facts that a cluster's configuration holds.
   *
   * @param config {@code scontrol show config}, parsed
   * @param mpiPlugins the plug-ins of {@code srun --mpi=list}; empty when it was not asked
   * @param architecture Go's name of the login node's architecture
   */
  public static ClusterFacts of(
      Map<String, String> config, Optional<List<String>> mpiPlugins, String architecture) {
    return new ClusterFacts(
        config.getOrDefault("SLURM_VERSION", "unknown"),
        config.getOrDefault("MpiDefault", NONE),
        mpiPlugins,
        config.getOrDefault("SlurmdSpoolDir", ""),
        config.getOrDefault("PMIxCliTmpDirBase", config.getOrDefault("TmpFS", "/tmp")),
        config.getOrDefault("JobContainerType", config.getOrDefault("NamespaceType", "")),
        architecture,
        number(config.getOrDefault("MaxArraySize", "")));
  }

  private static int number(String text) {
    return text.matches("\\d{1,9}") ? Integer.parseInt(text) : 0;
  }

  /**
   * Parses {@code scontrol show config}: lines of {@code Key = value}. What is not set, written
   * {@code (null)} (MpiDefault of none in Slurm 26.05), is left out.
   */
  public static Map<String, String> parseConfig(String text) {
    Map<String, String> values = new HashMap<>();
    for (String line : text.split("\n")) {
      int equals = line.indexOf('=');
      String value = line.substring(equals + 1).trim();
      if (equals > 0 && !value.equals("(null)")) {
        values.put(line.substring(0, equals).trim(), value);
      }
    }
    return values;
  }

  /**
   * Parses {@code srun --mpi=list} (mpi_guide): one plug-in a line after a heading, and versions of
   * pmix behind "specific pmix plugin versions available:".
   */
  public static List<String> parseMpiList(String text) {
    return text.lines()
        .map(String::trim)
        .filter(line -> !line.isEmpty() && !line.startsWith("MPI plugin types"))
        .map(line -> line.replaceFirst("^specific pmix plugin versions available:\\s*", ""))
        .flatMap(line -> List.of(line.split("[,\\s]+")).stream())
        .filter(name -> name.matches("[A-Za-z0-9_]+"))
        .toList();
  }

  /** Go's name for Java's {@code os.arch}, as SIF files use it. */
  public static String goArchitecture(String osArch) {
    return switch (osArch) {
      case "x86_64" -> "amd64";
      case "aarch64" -> "arm64";
      default -> osArch;
    };
  }
}
