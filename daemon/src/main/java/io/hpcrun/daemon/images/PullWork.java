package io.hpcrun.daemon.images;

import io.hpcrun.daemon.api.Caller;
import io.hpcrun.pull.ImageSource;
import io.hpcrun.pull.Progress;
import io.hpcrun.pull.Resolved;

/** What a pull does, apart from who waits for it. */
public interface PullWork {
  /**
   * What a source means now.
   *
   * @throws io.hpcrun.pull.PullFailure if it cannot be had
   */
  Resolved resolve(ImageSource source, String architecture);

  /**
   * Brings an image into the store; ends when its thread is interrupted.
   *
   * @param user who asked for it first
   * @throws io.hpcrun.pull.PullFailure if it cannot be had
   */
  StoredImage pull(Resolved wanted, Caller user, Progress progress);
}
