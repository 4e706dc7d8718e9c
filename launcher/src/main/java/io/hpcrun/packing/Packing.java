package io.hpcrun.packing;

import io.hpcrun.cluster.Partition;
import io.hpcrun.failure.Failure;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.yaml.Names;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Chooses partition, nodes and ranks for what a job needs in all, from the nodes that there are,
 * whether jobs are on them or not. The partition is the one that is said; else the site's or
 * Slurm's default, if the job can start there; else the one where the fewest cores are left idle.
 * In it the fewest nodes are taken, and all of them get the same share.
 */
public final class Packing {
  private final Wish wish;
  private final List<Partition> partitions;

  /** Why it cannot start in partitions. */
  private final Map<String, List<String>> reasons = new LinkedHashMap<>();

  /**
   * A value for one of sbatch's options.
   *
   * @param option the option
   * @param value its value
   * @param reason why, for people
   */
  public record Choice(SlurmOption option, String value, String reason) {}

  private Packing(Wish wish, List<Partition> partitions) {
    this.wish = wish;
    this.partitions = partitions;
  }

  /**
   * Chooses; the same input gives the same choices.
   *
   * @param partitions those that there are
   * @throws Failure with exit code 3 if it could never start; 2 for a partition that does not exist
   *     and for numbers that contradict each other
   */
  public static List<Choice> pack(Wish wish, List<Partition> partitions) {
    return new Packing(wish, partitions).pack();
  }

  private List<Choice> pack() {
    List<Partition> candidates = candidates();
    for (Shape shape : Shape.of(wish)) {
      reasons.clear();
      List<Fit> fits = new ArrayList<>();
      for (Partition partition : candidates) {
        Room.Verdict verdict = new Room(wish, partition, shape).verdict();
        verdict
            .fit()
            .ifPresentOrElse(
                fits::add,
                () ->
                    reasons
                        .computeIfAbsent(verdict.reason(), reason -> new ArrayList<>())
                        .add(partition.name()));
      }
      Optional<Fit> best =
          fits.stream()
              .min(
                  Comparator.comparing(Fit::waits)
                      .thenComparing(fit -> !isPreferred(fit.partition()))
                      .thenComparing(fit -> fit.wastesGpus(wish))
                      .thenComparing(Fit::idleCores)
                      .thenComparing(Fit::nodes)
                      .thenComparing(fit -> fit.partition().name()));
      if (best.isPresent()) {
        return choices(best.get(), fits.size());
      }
    }
    throw never();
  }

  private List<Partition> candidates() {
    List<String> names = partitions.stream().map(Partition::name).toList();
    wish.partitions().stream()
        .filter(name -> !names.contains(name))
        .findFirst()
        .ifPresent(
            name -> {
              throw Failure.usage(
                  "there is no partition '%s' here, or none that you see".formatted(name),
                  Names.remedy(name, names)
                      + "; in one that Slurm hides from you, say how many nodes you want");
            });
    return partitions.stream()
        .filter(each -> wish.partitions().isEmpty() || wish.partitions().contains(each.name()))
        .toList();
  }

  private boolean isPreferred(Partition partition) {
    return wish.preferred().map(partition.name()::equals).orElse(partition.isDefault());
  }

  private List<Choice> choices(Fit fit, int fits) {
    List<Choice> choices = new ArrayList<>();
    Resources all = wish.resources();
    long ranks = fit.shape().ranks(fit.nodes());
    if (wish.partitions().size() != 1) {
      add(choices, SlurmOption.PARTITION, fit.partition().name(), partition(fit, fits));
    }
    add(choices, SlurmOption.NODES, fit.nodes(), nodes(fit));
    if (wish.ntasks().isEmpty()) {
      add(choices, SlurmOption.NTASKS, ranks, fit.shape().reason());
    }
    add(
        choices,
        SlurmOption.NTASKS_PER_NODE,
        Shape.above(ranks, fit.nodes()),
        "%s on %s%s"
            .formatted(
                Resources.count(ranks, "rank"),
                Resources.count(fit.nodes(), "node"),
                ranks % fit.nodes() == 0 ? "" : "; some nodes have fewer"));
    if (wish.cpusPerTask().isEmpty() && fit.shape().cores() > 1) {
      add(
          choices,
          SlurmOption.CPUS_PER_TASK,
          fit.shape().cores(),
          "%s for %s"
              .formatted(Resources.count(all.cores(), "core"), Resources.count(ranks, "rank")));
    }
    if (!wish.threads() && fit.least().cpusOfCore() > 1) {
      add(
          choices,
          SlurmOption.THREADS_PER_CORE,
          1,
          "cores are meant, and what Slurm counts there are threads, %d of each core"
              .formatted(fit.least().cpusOfCore()));
    }
    if (all.memory() > 0) {
      add(
          choices,
          SlurmOption.MEM,
          Shape.above(all.memory(), fit.nodes()) + "M",
          "%s on %s"
              .formatted(Resources.memory(all.memory()), Resources.count(fit.nodes(), "node")));
    }
    if (all.gpus() > 0) {
      long each = Shape.above(all.gpus(), fit.nodes());
      long idle = each * fit.nodes() - all.gpus();
      add(
          choices,
          SlurmOption.GPUS_PER_NODE,
          (all.gpuType().isEmpty() ? "" : all.gpuType() + ":") + each,
          "%s on %s%s"
              .formatted(
                  Resources.count(all.gpus(), "GPU"),
                  Resources.count(fit.nodes(), "node"),
                  idle == 0 ? "" : "; %d more than asked for".formatted(idle)));
    }
    return choices;
  }

  private String partition(Fit fit, int fits) {
    String reason;
    if (isPreferred(fit.partition())) {
      reason = wish.preferred().isPresent() ? "the site's choice" : "Slurm's default";
    } else {
      reason =
          fits == 1
              ? "the only one where it can start"
              : "of those where it can start, it leaves least idle";
    }
    return reasons.isEmpty() || isPreferred(fit.partition())
        ? reason
        : reason + "; not " + others();
  }

  private String nodes(Fit fit) {
    String reason =
        "%s: %s of %s"
            .formatted(
                wish.resources().shown(),
                Resources.count(fit.nodes(), "node"),
                Room.has(fit.partition(), fit.least(), wish));
    if (wish.resources().cores() > 0 && fit.idleCores() > 0) {
      reason += ", %s idle".formatted(Resources.count(fit.idleCores(), "core"));
    }
    return fit.waits() ? reason + "; too few are in service now, so it waits for others" : reason;
  }

  private String others() {
    return reasons.entrySet().stream()
        .map(entry -> String.join(", ", entry.getValue()) + ": " + entry.getKey())
        .collect(Collectors.joining("; "));
  }

  private static void add(List<Choice> choices, SlurmOption option, Object value, String reason) {
    choices.add(new Choice(option, value.toString(), reason));
  }

  private Failure never() {
    List<String> ranks = new ArrayList<>();
    wish.ntasks().ifPresent(number -> ranks.add(Resources.count(number, "rank")));
    wish.cpusPerTask().ifPresent(number -> ranks.add(Resources.count(number, "core") + " each"));
    return Failure.refused(
        "%s%s can never start here (%s): %s"
            .formatted(
                wish.resources().shown(),
                ranks.isEmpty() ? "" : " in " + String.join(" of ", ranks),
                wish.source(),
                partitions.isEmpty() ? "there are no partitions" : others()),
        "ask for what a partition has; 'hpcrun cluster' shows them");
  }
}
