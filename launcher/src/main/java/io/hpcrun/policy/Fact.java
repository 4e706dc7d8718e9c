package io.hpcrun.policy;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a rule can look at. The documentation's table is made from this, and a test compares them.
 */
public enum Fact {
  /** The image's path. */
  IMAGE(Type.TEXT, Of.CONTAINER, "path of the image's file or directory"),
  /** {@code sif} or {@code sandbox}. */
  IMAGE_FORMAT(Type.TEXT, Of.CONTAINER, "`sif` or `sandbox`"),
  /** The image as the user named it. */
  IMAGE_SOURCE(Type.TEXT, Of.REQUEST, "the image as it was named: `docker://...`, or a path"),
  /** The tag of a reference. */
  IMAGE_TAG(
      Type.TEXT,
      Of.REQUEST,
      "tag of a reference; `latest` if it has neither tag nor digest; none for a file"),
  /** Whether the source names one content only. */
  IMAGE_PINNED(
      Type.TRUTH,
      Of.REQUEST,
      "whether a digest says which image it is: `...@sha256:`, or a store's"),
  /** Whether a SIF file holds a signature. */
  IMAGE_SIGNED(
      Type.TRUTH,
      Of.REQUEST,
      "whether the SIF file holds a signature; hpcrund's `images.keys` says whose is good"),
  /** Time since the image was built. */
  IMAGE_AGE(Type.SECONDS, Of.REQUEST, "time since the SIF file was made"),
  /** A label; written {@code image-label.NAME}. */
  IMAGE_LABEL(Type.TEXT, Of.REQUEST, "the image's label NAME"),
  /** MPI libraries of the image. */
  IMAGE_MPI(Type.TEXTS, Of.REQUEST, "MPI libraries in it, such as `Open MPI 5.0.7`"),
  /** Other libraries of the image. */
  IMAGE_LIBRARIES(
      Type.TEXTS,
      Of.REQUEST,
      "other libraries in it, as `hpcrun inspect` names them: `nccl`, `ucx`"),
  /** The command's first word. */
  COMMAND(Type.TEXT, Of.CONTAINER, "first word of the command; none for a user's script"),
  /** {@code job}, {@code step}, {@code script} or {@code interactive}. */
  KIND(
      Type.TEXT,
      Of.JOB,
      "`job`, `step` (in an allocation), `script` (a user's), `interactive` (srun, salloc)"),
  /** Partitions. */
  PARTITION(Type.TEXTS, Of.JOB, "partitions that are asked for; slurmctld also knows the default"),
  /** Account. */
  ACCOUNT(Type.TEXT, Of.JOB, "account; slurmctld also knows the default"),
  /** Quality of service. */
  QOS(Type.TEXT, Of.JOB, "quality of service"),
  /** Who launches. */
  USER(Type.TEXT, Of.JOB, "login name"),
  /** Nodes. */
  NODES(
      Type.COUNT,
      Of.JOB,
      "nodes: the most of `--nodes`, or one for each rank; or all of `--nodelist`"),
  /** Ranks. */
  TASKS(Type.COUNT, Of.JOB, "ranks: `--ntasks`, or `--ntasks-per-node` on all nodes"),
  /** Time limit. */
  TIME(Type.SECONDS, Of.JOB, "time limit; slurmctld also knows the partition's default"),
  /** GPUs. */
  GPUS(Type.COUNT, Of.JOB, "GPUs in all"),
  /** GPUs per rank. */
  GPUS_PER_TASK(Type.COUNT, Of.JOB, "`--gpus-per-task`; 0 without it"),
  /** Memory of a node. */
  MEMORY(
      Type.BYTES,
      Of.JOB,
      "memory of a node: `--mem`, or what the CPUs of all ranks or the GPUs get"),
  /** What of the node the container sees. */
  BIND(
      Type.TEXTS,
      Of.CONTAINER,
      "paths of the node that are bound, also by `--home` and APPTAINER_BIND"),
  /** Binds that can be written. */
  BIND_WRITABLE(Type.TEXTS, Of.CONTAINER, "those of them that are not read-only"),
  /** Where binds are. */
  BIND_DESTINATION(Type.TEXTS, Of.CONTAINER, "where they are in the container"),
  /** Variables by {@code --env}. */
  ENV(Type.TEXTS, Of.CONTAINER, "names of the variables of `--env`"),
  /** Whether the home directory is shown. */
  HOME(Type.TRUTH, Of.CONTAINER, "whether the user's home directory is in the container"),
  /** Options of the container. */
  FLAGS(
      Type.TEXTS,
      Of.CONTAINER,
      "the container's options without value: `contain`, `nv`, ...; also by variables"),
  /** The site's modules. */
  MODULES(Type.TEXTS, Of.REQUEST, "the site's modules that are asked for (`--module`)"),
  /** How ranks come in. */
  MODE(Type.TEXT, Of.CONTAINER, "`auto`, `join`, `exec`, `sharens`"),
  /** What wires ranks. */
  MPI(Type.TEXT, Of.CONTAINER, "`none`, or the plug-in of `srun --mpi`");

  /** The forms of facts. */
  public enum Type {
    /** One text, or none. */
    TEXT,
    /** Any number of texts. */
    TEXTS,
    /** A number. */
    COUNT,
    /** A length of time. */
    SECONDS,
    /** A size. */
    BYTES,
    /** Yes or no. */
    TRUTH
  }

  /** What facts are about, and with it who knows them. */
  public enum Of {
    /** The job: known wherever a launch is judged. */
    JOB,
    /** How the container is made: known from a job script, so that slurmctld knows it, too. */
    CONTAINER,
    /** What the image is and how it was asked for: known to hpcrun and hpcrund only. */
    REQUEST
  }

  private final Type type;
  private final Of of;
  private final String meaning;

  Fact(Type type, Of of, String meaning) {
    this.type = type;
    this.of = of;
    this.meaning = meaning;
  }

  /** The name in policy files and messages. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Its form. */
  public Type type() {
    return type;
  }

  /** What it is about. */
  public Of of() {
    return of;
  }

  /** One line for the documentation. */
  public String meaning() {
    return meaning;
  }

  /** Whether it is one text or several. */
  boolean isText() {
    return type == Type.TEXT || type == Type.TEXTS;
  }

  /** The fact of this name. */
  static Optional<Fact> of(String label) {
    return Stream.of(values()).filter(fact -> fact.label().equals(label)).findFirst();
  }
}
