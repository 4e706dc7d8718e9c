package io.hpcrun.manifest;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.image.Image;
import io.hpcrun.image.Program;
import io.hpcrun.manifest.ManifestMaker.Caller;
import io.hpcrun.manifest.ManifestMaker.Planned;
import io.hpcrun.plan.Knowledge;
import io.hpcrun.planning.PlanAnswer;
import io.hpcrun.planning.PlanRequest;
import io.hpcrun.request.GetoptParser;
import io.hpcrun.request.OptionTable;
import io.hpcrun.request.Requests;
import io.hpcrun.request.Requests.Requested;
import io.hpcrun.request.SiteOptions;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Launches as the command plans them, on a cluster that is not there. Immutable. */
public record Submissions(
    Map<String, String> environment,
    Path directory,
    Masking masking,
    String slurm,
    String imageState) {
  private static final Instant WHEN = Instant.ofEpochSecond(1_800_000_000L, 500);

  /** A user's with a home directory and nothing else. */
  public static Submissions of(Path directory) {
    return new Submissions(
        Map.of("HOME", "/home/alice", "PATH", "/usr/bin"),
        directory,
        new Masking(new byte[32]),
        "24.11.5",
        "d".repeat(64));
  }

  /** With another variable. */
  public Submissions with(String name, String value) {
    Map<String, String> more = new HashMap<>(environment);
    more.put(name, value);
    return in(more);
  }

  /** With these variables only. */
  public Submissions in(Map<String, String> other) {
    return new Submissions(other, directory, masking, slurm, imageState);
  }

  /** On a cluster with another Slurm. */
  public Submissions withSlurm(String version) {
    return new Submissions(environment, directory, masking, version, imageState);
  }

  /** Where another image is at the same path. */
  public Submissions withImage(String state) {
    return new Submissions(environment, directory, masking, slurm, state);
  }

  /** What the words of {@code submit} ask for. */
  public Requested requested(String... words) {
    return requests().job(List.of(words));
  }

  /** With this user's variables. */
  public Requests requests() {
    return new Requests(
        new GetoptParser(OptionTable.ofJobs(), "submit"),
        new Requests.Caller(directory, environment, SiteOptions.NONE, source -> Path.of("/none")));
  }

  /** A launch that was planned. */
  public Planned planned(Requested requested) {
    ClusterFacts cluster =
        new ClusterFacts(
            slurm,
            "pmix",
            Optional.of(List.of("none", "pmix")),
            "/var/spool/slurmd",
            "/tmp",
            "",
            "amd64");
    Image image =
        new Image(
            requested.spec().image(),
            Image.Format.SIF,
            Optional.of("amd64"),
            Optional.of("0f8fad5b-d9cb-469f-a165-70867728950e"),
            1000,
            Optional.of(imageState),
            "ext4");
    Knowledge known =
        new Knowledge(
            image,
            Optional.empty(),
            Optional.empty(),
            Program.unknown(""),
            Optional.empty(),
            cluster);
    PlanAnswer answer =
        PlanAnswer.to(
            new PlanRequest(
                requested.spec(), known, Optional.empty(), Optional.empty(), List.of()));
    return new Planned(
        requested,
        known,
        Optional.empty(),
        answer.decisions(),
        answer.warnings(),
        answer.script().orElseThrow());
  }

  /** The manifest of a planned launch. */
  public Manifest manifest(Planned planned, String... words) {
    return ManifestMaker.make(
            masking,
            planned,
            new Caller(List.of(words), directory, environment, Map.of(), Optional.empty()))
        .ofJob("12", Optional.empty(), WHEN);
  }

  /** The manifest of what these words of {@code submit} ask for. */
  public Manifest manifest(String... words) {
    return manifest(planned(requested(words)), words);
  }
}
