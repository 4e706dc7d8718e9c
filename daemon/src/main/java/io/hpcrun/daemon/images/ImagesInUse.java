package io.hpcrun.daemon.images;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Tells which images must stay where they are. */
@FunctionalInterface
public interface ImagesInUse {
  /**
   * The images of queued and running jobs by the numbers of the jobs' users, those first that have
   * been there longest; empty if that cannot be told now, so that none may be removed. Asked before
   * anything is removed, and may take a while.
   */
  Optional<Map<Long, Set<Path>>> byUser();
}
