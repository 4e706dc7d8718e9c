package io.hpcrun.daemon.images;

import io.hpcrun.pull.ImageSource;
import io.hpcrun.pull.Progress;
import io.hpcrun.pull.Resolved;
import java.util.function.LongConsumer;

/**
 * Has images make way on the disk while a pull brings bytes: as much should be free as has come so
 * far, and where layers have to be unpacked more. So a pull costs others no more than it really
 * brings; what is only announced counts for nothing.
 */
final class WayMaker implements Progress {
  /** Layers are packed; the files that Apptainer unpacks, and those it makes, are beside them. */
  private static final int ROOM_FOR_LAYERS = 4;

  private static final long STEP = 16 << 20;

  private final int factor;
  private final LongConsumer makeWay;
  private final Progress next;
  private long looked;

  /**
   * Looks at one pull.
   *
   * @param makeWay has so many bytes freed, as far as that is possible
   * @param next hears the progress too
   */
  WayMaker(Resolved wanted, LongConsumer makeWay, Progress next) {
    this.factor = wanted.source() instanceof ImageSource.Docker ? ROOM_FOR_LAYERS : 1;
    this.makeWay = makeWay;
    this.next = next;
  }

  @Override
  public void at(Stage stage, long done) {
    if (stage == Stage.PULLING && done - looked >= STEP) {
      looked = done;
      makeWay.accept(done * factor);
    }
    next.at(stage, done);
  }
}
