package io.hpcrun.daemon.images;

import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * Which images are kept for whom: those of a user's jobs, and those that the user was handed out
 * just now, as long as they have no more than a share together. What comes first counts first; the
 * first image of a user is kept however large it is. Not thread-safe.
 */
final class UserShares {
  private final long share;
  private final Map<Long, Map<Path, Instant>> handedOut = new HashMap<>();
  private Map<Long, Set<Path>> ofJobs = Map.of();

  /**
   * Nobody has anything.
   *
   * @param share bytes that the images of one user may have
   */
  UserShares(long share) {
    this.share = share;
  }

  /** What jobs use now, by the users' numbers, in the order in which it counts. */
  void useByJobs(Map<Long, Set<Path>> images) {
    ofJobs = images;
  }

  /** Notes that a user was handed out an image, which is kept until then. */
  void handOut(long uid, Path image, Instant until) {
    handedOut.computeIfAbsent(uid, first -> new LinkedHashMap<>()).put(image, until);
  }

  /** Forgets that a user was handed out an image. */
  void takeBack(long uid, Path image) {
    handedOut.getOrDefault(uid, new HashMap<>()).remove(image);
  }

  /**
   * All that is kept.
   *
   * @param rooms the bytes of the images that there are
   */
  Set<Path> kept(Map<Path, Long> rooms, Instant now) {
    handedOut.values().forEach(each -> each.values().removeIf(until -> until.isBefore(now)));
    handedOut.values().removeIf(Map::isEmpty);
    Set<Long> users = new HashSet<>(ofJobs.keySet());
    users.addAll(handedOut.keySet());
    Set<Path> kept = new HashSet<>();
    users.forEach(uid -> kept.addAll(keptFor(uid, rooms, now)));
    return kept;
  }

  /** What is kept for a user. */
  Set<Path> keptFor(long uid, Map<Path, Long> rooms, Instant now) {
    Set<Path> wanted = new LinkedHashSet<>(ofJobs.getOrDefault(uid, Set.of()));
    handedOut
        .getOrDefault(uid, Map.of())
        .forEach(
            (image, until) -> {
              if (!until.isBefore(now)) {
                wanted.add(image);
              }
            });
    wanted.retainAll(rooms.keySet());
    Set<Path> kept = new HashSet<>();
    long bytes = 0;
    for (Path image : wanted) {
      long more = rooms.get(image);
      if (kept.isEmpty() || bytes + more <= share) {
        kept.add(image);
        bytes += more;
      }
    }
    return kept;
  }
}
