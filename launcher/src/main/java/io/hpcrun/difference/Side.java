package io.hpcrun.difference;

import io.hpcrun.failure.Failure;
import io.hpcrun.manifest.Manifest;
import io.hpcrun.manifest.ManifestFiles;
import io.hpcrun.timing.LaunchTiming;
import io.hpcrun.timing.RecordDirectory;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * All that is known of one of two launches.
 *
 * @param name as the user named it
 * @param manifest what it was made from; empty for those of older versions, and others' scripts
 * @param launches what the nodes recorded, of a script each of its launches; none if the job has
 *     not started
 */
public record Side(String name, Optional<Manifest> manifest, List<Launch> launches) {
  private static final Pattern NAME = Pattern.compile("(\\d{1,18}(?:_\\d{1,9})?)(\\.\\d+\\.\\d+)?");
  private static final Pattern ID = Pattern.compile("(\\d+(?:_\\d+)?)\\.(\\d+)\\.(\\d+)");

  /** Copies the list. */
  public Side {
    launches = List.copyOf(launches);
  }

  /**
   * A launch as the nodes recorded it.
   *
   * @param id job, restart and number in the job
   * @param timing what its records say
   * @param nodes what they say of each node
   */
  public record Launch(String id, LaunchTiming timing, Map<String, Map<String, String>> nodes) {}

  /** What is planned and not submitted yet. */
  public static Side of(String name, Manifest manifest) {
    return new Side(name, Optional.of(manifest), List.of());
  }

  /**
   * Reads what is known.
   *
   * @param name a job {@code 12}, an array's element {@code 12_3}, or one launch {@code 12.0.1}
   * @throws Failure with exit code 2 when nothing is known of it
   */
  public static Side read(String name, RecordDirectory records) {
    Matcher matcher = NAME.matcher(name);
    if (!matcher.matches()) {
      throw Failure.usage(
          "'" + name + "' is not a job id",
          "give a number such as 12, 12_3 for an array's element, or 12.0.1 for a script's launch");
    }
    String job = matcher.group(1);
    List<RecordDirectory.Launch> found = records.launches(job);
    Map<String, List<RecordDirectory.Launch>> elements =
        found.stream().collect(Collectors.groupingBy(launch -> part(launch, 1)));
    if (elements.size() > 1) {
      throw Failure.usage(
          job + " is an array of " + elements.size() + " elements",
          "name one of them, such as "
              + elements.keySet().stream().min(Comparator.naturalOrder()).orElseThrow());
    }
    if (matcher.group(2) != null) {
      found = found.stream().filter(launch -> launch.id().equals(name)).toList();
    } else {
      // A job that was put back into the queue began anew: what counts is its last run.
      int last = found.stream().mapToInt(launch -> number(launch, 2)).max().orElse(0);
      found = found.stream().filter(launch -> number(launch, 2) == last).toList();
    }
    List<Launch> launches =
        found.stream()
            .sorted(Comparator.comparingInt(launch -> number(launch, 3)))
            .map(Side::launch)
            .toList();
    Optional<Manifest> manifest =
        new ManifestFiles(records).read(job).filter(each -> isOf(each, launches));
    if (launches.isEmpty() && (manifest.isEmpty() || matcher.group(2) != null)) {
      throw Failure.usage(
          "nothing is known of " + name + " in " + records.path(),
          "give a job of 'hpcrun run' or 'hpcrun submit'");
    }
    return new Side(name, manifest, launches);
  }

  private static Launch launch(RecordDirectory.Launch launch) {
    return new Launch(
        launch.id(), LaunchTiming.read(launch, Map::of), NodeFacts.of(launch.nodeFiles()));
  }

  /** Job numbers come again when a cluster is set up anew. */
  private static boolean isOf(Manifest manifest, List<Launch> launches) {
    return launches.stream()
        .map(launch -> launch.timing().texts().getOrDefault("image", ""))
        .allMatch(image -> image.isEmpty() || image.equals(manifest.image().path().toString()));
  }

  private static int number(RecordDirectory.Launch launch, int part) {
    return Integer.parseInt(part(launch, part));
  }

  private static String part(RecordDirectory.Launch launch, int part) {
    Matcher matcher = ID.matcher(launch.id());
    return matcher.matches() ? matcher.group(part) : "0";
  }
}
