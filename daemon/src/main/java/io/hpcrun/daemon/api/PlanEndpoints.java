package io.hpcrun.daemon.api;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.plan.Advice;
import io.hpcrun.plan.Decision;
import io.hpcrun.plan.Knowledge;
import io.hpcrun.planning.PlanAnswer;
import io.hpcrun.planning.PlanRequest;
import io.hpcrun.policy.Policy;
import io.hpcrun.script.Version;
import io.hpcrun.spec.LaunchSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** What the cluster offers, and plans for launches. */
public final class PlanEndpoints {
  /**
   * A request to plan.
   *
   * @param hpcrun the version of the command that asks
   * @param spec what is wanted
   * @param known image, command and cluster
   * @param digest SHA-256 of the image, in hexadecimal; empty if it is not known yet
   * @param enterProgram the program hpcrun-enter, where jobs find it; empty if there is none
   * @param packing how sizes of the job were chosen for the resources that are asked for; may be
   *     left out
   */
  public record Request(
      String hpcrun,
      LaunchSpec spec,
      Knowledge known,
      Optional<String> digest,
      Optional<Path> enterProgram,
      List<Decision> packing) {
    /** Copies the list. */
    public Request {
      packing = packing == null ? List.of() : List.copyOf(packing);
    }
  }

  /**
   * What the cluster offers (see {@link ClusterFacts}), and who says so.
   *
   * @param hpcrun the daemon's version
   */
  public record Cluster(
      String hpcrun,
      String slurmVersion,
      String mpiDefault,
      Optional<List<String>> mpiPlugins,
      String spoolDirectory,
      String clientDirectory,
      String jobContainer,
      String architecture,
      int maxArraySize) {
    static Cluster of(ClusterFacts facts) {
      return new Cluster(
          Version.VERSION,
          facts.slurmVersion(),
          facts.mpiDefault(),
          facts.mpiPlugins(),
          facts.spoolDirectory(),
          facts.clientDirectory(),
          facts.jobContainer(),
          facts.architecture(),
          facts.maxArraySize());
    }
  }

  /**
   * A plan (schema {@code hpcrun.plan/1}).
   *
   * @param schema its name
   * @param hpcrun the daemon's version
   * @param decisions every choice with its reason
   * @param warnings what may fail
   * @param refusals what is known to fail
   * @param needsDigest whether the script is missing only because it needs the image's digest
   * @param script the job script, one character (U+0000 to U+00FF) for each byte; empty for a
   *     refused launch, and if the digest is needed
   */
  public record PlanDocument(
      String schema,
      String hpcrun,
      List<Choice> decisions,
      List<Advice> warnings,
      List<Advice> refusals,
      boolean needsDigest,
      Optional<ScriptText> script) {

    /** A decision: what, its value, why, and where that is known from. */
    public record Choice(String what, String value, String why, String source) {}

    static PlanDocument of(PlanAnswer answer) {
      return new PlanDocument(
          "hpcrun.plan/1",
          Version.VERSION,
          answer.decisions().stream()
              .map(each -> new Choice(each.what(), each.value(), each.reason(), each.source()))
              .toList(),
          answer.warnings(),
          answer.refusals(),
          answer.needsDigest(),
          answer.script().map(ScriptText::of));
    }
  }

  private final Supplier<Optional<ClusterFacts>> facts;
  private final Supplier<Policy> policy;
  private final Consumer<PlanAnswer> planned;

  /**
   * Plans with what is asked.
   *
   * @param facts what the cluster offers; empty if Slurm does not answer
   * @param policy the site's rules
   * @param planned hears of each plan, for the metrics
   */
  public PlanEndpoints(
      Supplier<Optional<ClusterFacts>> facts,
      Supplier<Policy> policy,
      Consumer<PlanAnswer> planned) {
    this.facts = facts;
    this.policy = policy;
    this.planned = planned;
  }

  /** The endpoints. */
  public List<Endpoint> endpoints() {
    return List.of(
        Endpoint.get(
            "/v1/cluster", "What the cluster offers.", List.of(), Cluster.class, this::cluster),
        Endpoint.post(
            "/v1/plan",
            "Decisions and job script of a launch; nothing is submitted.",
            Request.class,
            PlanDocument.class,
            this::plan));
  }

  private Answer cluster(Call call) {
    return Answer.json(
        facts
            .get()
            .map(Cluster::of)
            .orElseThrow(
                () ->
                    Problem.unavailable(
                        "Slurm has not answered hpcrund", "check 'sinfo' on hpcrund's machine")));
  }

  private Answer plan(Call call) {
    Request request = call.body(Request.class);
    if (!Version.VERSION.equals(request.hpcrun())) {
      throw Problem.badRequest(
          "the request is of hpcrun " + request.hpcrun() + " and this is " + Version.VERSION,
          "use the same version on both sides");
    }
    if (request.spec() == null || request.known() == null) {
      throw Problem.badRequest("the request has no spec, or nothing known", "send both");
    }
    PlanAnswer answer =
        PlanAnswer.to(
            new PlanRequest(
                request.spec(),
                request.known(),
                request.digest(),
                request.enterProgram(),
                request.packing()),
            policy.get());
    planned.accept(answer);
    return Answer.json(PlanDocument.of(answer));
  }
}
