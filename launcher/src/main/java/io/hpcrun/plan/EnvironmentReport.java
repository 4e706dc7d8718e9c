package io.hpcrun.plan;

import io.hpcrun.image.ImageVariables;
import io.hpcrun.spec.EnvironmentRule;
import io.hpcrun.spec.EnvironmentRule.Fate;
import io.hpcrun.spec.EnvironmentRule.Kind;
import io.hpcrun.spec.EnvironmentRule.Place;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.Mode;
import io.hpcrun.spec.SecretNames;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * What the ranks of a planned launch see in their environment, and why, as far as it is known
 * before nodes are: each variable of the caller's, and those that the launch sets.
 */
public final class EnvironmentReport {
  /** What becomes of a variable. */
  public enum Outcome {
    /** The caller's goes to the ranks. */
    PASSES,
    /** The caller's does not. */
    DROPPED,
    /** The ranks get one that is not simply the caller's. */
    SET
  }

  /**
   * A variable.
   *
   * @param name its name; ending in {@code *} for all that begin so
   * @param outcome what becomes of it
   * @param kind what it is
   * @param secret whether its value must not be shown
   * @param value what every rank sees; empty if that is secret, or not the same for all ranks, or
   *     known on the nodes only
   * @param decided who decides a value that is not here; empty if there is one, or it is dropped
   * @param reason why, a sentence without its full stop
   * @param source where that is known from
   */
  public record Variable(
      String name,
      Outcome outcome,
      Kind kind,
      boolean secret,
      Optional<String> value,
      String decided,
      String reason,
      String source) {}

  /** Values that a node, or a rank, has by itself. */
  private record OfNode(
      String pattern, Kind kind, Predicate<Plan> when, String decided, String source) {}

  private static final String GPU_BIND = "gpu-bind";
  private static final String PORTS = "network-ports";
  private static final String RUNTIME_DOCS = "apptainer-userdocs, environment_and_metadata.rst";
  private static final String GRES = "Slurm, doc/html/gres.shtml";
  private static final String MAP = "docs/gpu-network.md";
  private static final String BY_MAP = "per rank, by the GPU map of its node";
  private static final String BY_PORTS = "per rank, by its node's network ports, unless it is set";

  private static final List<OfNode> OF_NODES =
      List.of(
          always("SLURM_*", Kind.SLURM, "per rank, by Slurm", "srun(1), OUTPUT ENVIRONMENT"),
          new OfNode(
              "PMIX_*",
              Kind.PMI,
              plan -> plan.mpi().startsWith("pmix"),
              "per rank, by Slurm's PMIx server",
              "openpmix, src/server/pmix_server.c"),
          new OfNode(
              "PMI_*",
              Kind.PMI,
              plan -> plan.mpi().equals("pmi2") || plan.mpi().equals("cray_shasta"),
              "per rank, by Slurm's PMI server",
              "Slurm, src/plugins/mpi"),
          gpu("CUDA_VISIBLE_DEVICES"),
          gpu("ROCR_VISIBLE_DEVICES"),
          gpu("ZE_AFFINITY_MASK"),
          gpu("GPU_DEVICE_ORDINAL"),
          new OfNode(
              "CUDA_DEVICE_ORDER",
              Kind.GPU,
              plan -> decision(plan, GPU_BIND).isPresent(),
              "PCI_BUS_ID where CUDA_VISIBLE_DEVICES is, unless it is set",
              MAP),
          port("UCX_NET_DEVICES"),
          port("UCX_IB_GID_INDEX"),
          port("NCCL_IB_HCA"),
          port("NCCL_IB_GID_INDEX"),
          always("PATH", Kind.BASE, "by the image, or the container's runtime", RUNTIME_DOCS),
          always(
              "LD_LIBRARY_PATH",
              Kind.BASE,
              "by the image, or the container's runtime",
              RUNTIME_DOCS),
          always("HOME", Kind.BASE, "the user's on the node, or --home", RUNTIME_DOCS),
          always("PWD", Kind.BASE, "the working directory", RUNTIME_DOCS),
          always("SHLVL", Kind.USER, "by the shells on the way", "bash(1)"),
          always("_", Kind.USER, "by the shells on the way", "bash(1)"),
          always("OLDPWD", Kind.USER, "by the shells on the way", "bash(1)"),
          always("APPTAINER_*", Kind.SITE, "by the container's runtime", RUNTIME_DOCS),
          always("SINGULARITY_*", Kind.SITE, "by the container's runtime", RUNTIME_DOCS));

  private final Plan plan;
  private final EnvironmentRules rules;
  private final ImageVariables image;
  private final Map<String, Variable> variables = new TreeMap<>();

  private EnvironmentReport(Plan plan, ImageVariables image) {
    this.plan = plan;
    this.rules = new EnvironmentRules(plan.spec());
    this.image = image;
  }

  private static OfNode always(String pattern, Kind kind, String decided, String source) {
    return new OfNode(pattern, kind, plan -> true, decided, source);
  }

  private static OfNode gpu(String name) {
    return new OfNode(name, Kind.GPU, plan -> decision(plan, GPU_BIND).isPresent(), BY_MAP, GRES);
  }

  private static OfNode port(String name) {
    return new OfNode(name, Kind.FABRIC, plan -> decision(plan, PORTS).isPresent(), BY_PORTS, MAP);
  }

  private static Optional<Decision> decision(Plan plan, String what) {
    return plan.decisions().stream().filter(each -> each.what().equals(what)).findFirst();
  }

  /**
   * All variables, by their names.
   *
   * @param environment the caller's variables
   * @param hidden variables that the launch sets and whose values it does not show
   * @param before rules by which some of them do not even come to the job
   * @param image what the image's own scripts set
   */
  public static Collection<Variable> of(
      Plan plan,
      Map<String, String> environment,
      Set<String> hidden,
      Map<String, EnvironmentRule> before,
      ImageVariables image) {
    EnvironmentReport report = new EnvironmentReport(plan, image);
    environment.forEach(
        (name, value) ->
            report.add(
                report.ofCaller(
                    name,
                    value,
                    Optional.ofNullable(before.get(name))
                        .orElseGet(() -> report.rules.of(name, Place.RANKS)))));
    report.ofImage();
    report.ofLaunch(environment, hidden);
    for (OfNode each : OF_NODES) {
      if (each.when().test(plan)) {
        report.ofNode(each);
      }
    }
    return report.variables.values();
  }

  private void add(Variable variable) {
    variables.put(variable.name(), variable);
  }

  private boolean isSecret(String name) {
    return EnvironmentRules.isSecret(name, plan.spec().container().choice().rules());
  }

  private Variable ofCaller(String name, String value, EnvironmentRule rule) {
    boolean secret = isSecret(name) || SecretNames.isSecret(name, value);
    boolean passes = rule.fate() == Fate.PASS;
    return new Variable(
        name,
        passes ? Outcome.PASSES : Outcome.DROPPED,
        rule.kind() == Kind.USER && secret ? Kind.SECRET : rule.kind(),
        secret,
        passes && !secret ? Optional.of(value) : Optional.empty(),
        passes && secret ? "by the job's environment" : "",
        rule.reason(),
        rule.source());
  }

  private Variable set(String name, Kind kind, String decided, String reason, String source) {
    return new Variable(
        name, Outcome.SET, kind, isSecret(name), Optional.empty(), decided, reason, source);
  }

  private Variable set(EnvironmentVariable variable, String reason, String source) {
    String name = variable.name();
    boolean secret = isSecret(name);
    return new Variable(
        name,
        Outcome.SET,
        rules.of(name, Place.RANKS).kind(),
        secret,
        secret ? Optional.empty() : Optional.of(variable.value().toString()),
        secret ? "by the launch" : "",
        reason,
        source);
  }

  private void ofImage() {
    image
        .sets()
        .forEach(
            (name, file) ->
                add(
                    set(
                        name,
                        rules.of(name, Place.RANKS).kind(),
                        "by the image",
                        "the image's " + file + " sets it",
                        RUNTIME_DOCS)));
    image
        .keeps()
        .forEach(
            (name, file) -> {
              if (!variables.containsKey(name)
                  || variables.get(name).outcome() == Outcome.DROPPED) {
                add(
                    set(
                        name,
                        rules.of(name, Place.RANKS).kind(),
                        "by the image",
                        "the image's " + file + " sets it, where the job does not",
                        RUNTIME_DOCS));
              }
            });
  }

  private void ofLaunch(Map<String, String> environment, Set<String> hidden) {
    List<EnvironmentVariable> alone =
        plan.mode() == Mode.EXEC || plan.mode() == Mode.SHARENS ? plan.aloneDefaults() : List.of();
    List<EnvironmentVariable> defaults = new ArrayList<>(plan.defaults());
    defaults.addAll(alone);
    for (EnvironmentVariable variable : defaults) {
      boolean own =
          Optional.ofNullable(variables.get(variable.name()))
              .filter(each -> each.outcome() == Outcome.PASSES)
              .isPresent();
      if (!own || "slurm".equals(environment.get(variable.name()))) {
        decided(variable);
      }
    }
    plan.spec().container().environment().forEach(this::decided);
    for (String name : plan.spec().container().choice().byName()) {
      String own = environment.getOrDefault(name, "");
      boolean secret = isSecret(name) || hidden.contains(name) || SecretNames.isSecret(name, own);
      Optional<String> value =
          secret ? Optional.empty() : Optional.ofNullable(environment.get(name));
      add(
          new Variable(
              name,
              Outcome.SET,
              rules.of(name, Place.RANKS).kind(),
              secret,
              value,
              value.isPresent() ? "" : "by the job's environment",
              "you asked for it; the value is in the job's environment, not in the script",
              "options --env and --env-file"));
    }
  }

  /** A variable with a value, which a decision explains, or the user asked for. */
  private void decided(EnvironmentVariable variable) {
    Optional<Decision> why =
        decision(plan, variable.name())
            .filter(each -> each.value().equals(variable.value().toString()));
    add(
        set(
            variable,
            why.map(Decision::reason).orElse("you asked for it"),
            why.map(Decision::source).orElse("options --env and --env-file")));
  }

  /** Where the caller or the launch sets a variable of a node's that gives way, that stays. */
  private void ofNode(OfNode each) {
    Optional<Variable> given =
        Optional.ofNullable(variables.get(each.pattern()))
            .filter(variable -> variable.outcome() != Outcome.DROPPED);
    boolean asked =
        plan.spec().container().sets(each.pattern()) && !each.pattern().matches(".*PATH");
    if (asked || (given.isPresent() && each.decided().endsWith("unless it is set"))) {
      return;
    }
    boolean bySlurm =
        each.decided().equals(BY_MAP)
            && decision(plan, GPU_BIND).filter(d -> d.value().equals("slurm")).isPresent();
    add(
        set(
            each.pattern(),
            each.kind(),
            bySlurm ? "per rank, by Slurm" : each.decided(),
            each.pattern().endsWith("*")
                ? "those that are set on the node, and not named here"
                : "the node's goes before the caller's",
            each.source()));
  }
}
