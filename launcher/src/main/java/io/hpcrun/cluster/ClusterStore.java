package io.hpcrun.cluster;

import io.hpcrun.image.UserCache;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.LoggerFactory;

/**
 * What a cluster answered, remembered in the user's cache until slurmctld starts anew, and for an
 * hour at most: the login node's plug-ins can change without slurmctld.
 */
public final class ClusterStore {
  private static final String END = "end.";
  private static final Duration LIMIT = Duration.ofHours(1);

  /** What tells one cluster, and one start of its controller, from another. */
  private static final List<String> KEYS =
      List.of(
          "ClusterName",
          "SlurmctldHost[0]",
          "SLURM_VERSION",
          "PluginDir",
          "BOOT_TIME",
          "SLURM_CONF");

  private final UserCache cache;

  /** Remembers in the directory {@code clusters} of the user's cache. */
  public ClusterStore(UserCache cache) {
    this.cache = cache;
  }

  /**
   * The plug-ins of {@code srun --mpi=list}.
   *
   * @param config {@code scontrol show config}, parsed
   * @param ask asks Slurm
   */
  public List<String> mpiPlugins(Map<String, String> config, Supplier<List<String>> ask) {
    Path place = place(config);
    try {
      if (Files.exists(place)
          && Files.getLastModifiedTime(place).toInstant().isAfter(Instant.now().minus(LIMIT))) {
        List<String> known =
            cache
                .recall(place)
                .map(bytes -> new String(bytes, StandardCharsets.UTF_8).lines().toList())
                .orElse(List.of());
        // srun always names none; the last line says that nothing is cut off.
        if (known.contains(ClusterFacts.NONE)
            && known.getLast().equals(END)
            && known.stream().allMatch(name -> name.matches("[A-Za-z0-9_.]+"))) {
          return known.subList(0, known.size() - 1);
        }
      }
    } catch (IOException gone) {
      LoggerFactory.getLogger(ClusterStore.class).debug("{} cannot be read", place, gone);
    }
    return remember(config, ask.get());
  }

  /** Remembers the plug-ins that Slurm has just named, and returns them. */
  public List<String> remember(Map<String, String> config, List<String> plugins) {
    cache.remember(
        place(config), (String.join("\n", plugins) + "\n" + END).getBytes(StandardCharsets.UTF_8));
    return plugins;
  }

  private Path place(Map<String, String> config) {
    String key =
        KEYS.stream().map(name -> config.getOrDefault(name, "")).collect(Collectors.joining("\0"));
    return cache
        .directory()
        .resolve("clusters")
        .resolve(UUID.nameUUIDFromBytes(key.getBytes(StandardCharsets.UTF_8)) + ".plugins");
  }
}
