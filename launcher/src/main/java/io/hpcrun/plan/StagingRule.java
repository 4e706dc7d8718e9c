package io.hpcrun.plan;

import io.hpcrun.failure.Failure;
import io.hpcrun.image.Image;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.spec.Staging;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whether the nodes should read the image from copies of their own. A copy costs one transfer of
 * the whole image to each node, in a tree; reading it where it is costs the file server the pages
 * that every node touches. One server (NFS) is soon the bottleneck; a parallel file system later.
 */
public final class StagingRule {
  private static final Pattern NODES = Pattern.compile("(\\d+)([kKmM]?).*");

  /**
   * From this many nodes on a copy is made, by file system type (statfs and /proc/mounts names).
   */
  private static final Map<String, Integer> NODES_FROM =
      Map.ofEntries(
          Map.entry("nfs", 8),
          Map.entry("nfs4", 8),
          Map.entry("cifs", 8),
          Map.entry("smb3", 8),
          Map.entry("9p", 8),
          Map.entry("fuse.sshfs", 8),
          Map.entry("afs", 8),
          Map.entry("lustre", 64),
          Map.entry("gpfs", 64),
          Map.entry("beegfs", 64),
          Map.entry("ceph", 64),
          Map.entry("panfs", 64),
          Map.entry("wekafs", 64),
          Map.entry("pvfs2", 64),
          Map.entry("fuse.glusterfs", 64));

  private static final Pattern DIRECTIVE =
      Pattern.compile("#SBATCH(?:.*\\s)?(?:-N\\s*|--nodes[=\\s]\\s*)(\\d+[kKmM]?)(?:[-\\s].*)?");

  private final LaunchSpec spec;
  private final Image image;

  StagingRule(LaunchSpec spec, Image image) {
    this.spec = spec;
    this.image = image;
  }

  /** Whether {@link Planner#plan} will stage the image, so that its digest is needed. */
  public static boolean stages(LaunchSpec spec, Image image) {
    return new StagingRule(spec, image).decide(new java.util.ArrayList<>());
  }

  /** Decides, and adds the decision. */
  boolean decide(List<Decision> decisions) {
    return switch (spec.staging().from()) {
      case SHARED -> add(decisions, false, "you asked for it", "option --stage");
      case NODE -> {
        if (image.format() == Image.Format.SANDBOX) {
          throw Failure.refused(
              "--stage=node: the image " + image.path() + " is a directory, which is not copied",
              "build a SIF file from it: apptainer build image.sif " + image.path());
        }
        if (image.size() > spec.staging().limit()) {
          throw Failure.refused(
              "--stage=node: the image has %d MiB and the nodes' caches may hold %d MiB"
                  .formatted(image.size() >> 20, spec.staging().limit() >> 20),
              "give a larger --stage-limit, or --stage=shared");
        }
        yield add(decisions, true, "you asked for it", "option --stage");
      }
      case AUTO -> automatic(decisions);
    };
  }

  private boolean automatic(List<Decision> decisions) {
    Integer from = NODES_FROM.get(image.fileSystem());
    long nodes = nodes();
    if (image.format() == Image.Format.SANDBOX) {
      return add(decisions, false, "a directory is not copied", "rule");
    }
    String situation =
        "%d MiB on %s, %d or more nodes"
            .formatted(Math.max(1, image.size() >> 20), image.fileSystem(), nodes);
    if (from == null) {
      return add(decisions, false, situation + ": not a file system that needs it", "rule");
    }
    if (image.size() > spec.staging().limit()) {
      return add(decisions, false, situation + ": larger than the nodes' cache", "rule");
    }
    if (nodes < from) {
      return add(
          decisions, false, situation + ": a copy pays from %d nodes on".formatted(from), "rule");
    }
    return add(
        decisions,
        true,
        situation + ": sent to each node once, so that they do not all read it there",
        "rule");
  }

  private static boolean add(
      List<Decision> decisions, boolean staged, String reason, String source) {
    decisions.add(
        new Decision(
            "stage", (staged ? Staging.From.NODE : Staging.From.SHARED).label(), reason, source));
    return staged;
  }

  /** The least number of nodes that was asked for: 4, 2-8 and 1k are values of --nodes. */
  private long nodes() {
    Matcher nodes =
        NODES.matcher(spec.slurm(SlurmOption.NODES).or(this::nodesOfScript).orElse("1"));
    if (!nodes.matches()) {
      return 1;
    }
    long count = Long.parseLong(nodes.group(1));
    return switch (nodes.group(2)) {
      case "k", "K" -> count * 1024;
      case "m", "M" -> count * 1048576;
      default -> count;
    };
  }

  private Optional<String> nodesOfScript() {
    return spec.script().stream()
        .flatMap(script -> script.directives().stream())
        .map(line -> DIRECTIVE.matcher(line.latin1()))
        .filter(Matcher::matches)
        .map(line -> line.group(1))
        .reduce((first, last) -> last);
  }
}
