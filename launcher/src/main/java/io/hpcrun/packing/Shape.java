package io.hpcrun.packing;

import io.hpcrun.failure.Failure;
import java.util.ArrayList;
import java.util.List;

/**
 * How a job is cut into ranks.
 *
 * @param ranks how many; 0: one on each node
 * @param cores of each rank
 * @param reason why so
 */
record Shape(long ranks, long cores, String reason) {

  /**
   * The ways to cut, the best first.
   *
   * @throws Failure with exit code 2 for numbers that contradict each other
   */
  static List<Shape> of(Wish wish) {
    long cores = wish.resources().cores();
    long gpus = wish.resources().gpus();
    if (wish.ntasks().isPresent()) {
      return List.of(ofRanks(wish, wish.ntasks().getAsLong(), cores));
    }
    if (wish.cpusPerTask().isPresent()) {
      long each = wish.cpusPerTask().getAsLong();
      if (cores > 0) {
        return List.of(
            new Shape(above(cores, each), each, "a rank for each %d cores".formatted(each)));
      }
      return List.of(gpus > 0 ? new Shape(gpus, each, "a rank for each GPU") : onePerNode(each));
    }
    List<Shape> shapes = new ArrayList<>();
    if (gpus > 0) {
      shapes.add(new Shape(gpus, cores == 0 ? 1 : above(cores, gpus), "a rank for each GPU"));
    }
    if (cores > 0) {
      shapes.add(new Shape(cores, 1, "a rank for each core"));
    }
    return shapes.isEmpty() ? List.of(onePerNode(1)) : shapes;
  }

  private static Shape ofRanks(Wish wish, long ranks, long cores) {
    long each = wish.cpusPerTask().orElse(cores == 0 ? 1 : above(cores, ranks));
    if (cores > 0 && wish.cpusPerTask().isPresent() && ranks * each != cores) {
      throw Failure.usage(
          "%d cores are asked for (%s), and %d ranks of %d cores, which are %d"
              .formatted(cores, wish.source(), ranks, each, ranks * each),
          "leave out one of cores, ntasks and cpus-per-task");
    }
    return new Shape(ranks, each, "they are asked for");
  }

  private static Shape onePerNode(long cores) {
    return new Shape(0, cores, "a rank on each node");
  }

  /** Ranks on so many nodes. */
  long ranks(long nodes) {
    return ranks == 0 ? nodes : ranks;
  }

  /** How often an amount holds another, the last time perhaps not wholly. */
  static long above(long amount, long each) {
    return (amount + each - 1) / each;
  }
}
