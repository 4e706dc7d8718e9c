package io.hpcrun.planning;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.json.Json;
import io.hpcrun.script.Version;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** Plans through the site's daemon. */
final class DaemonPlanning {
  private final DaemonConnection connection;

  DaemonPlanning(Path socket, Duration limit) {
    this.connection = new DaemonConnection(socket, limit);
  }

  /**
   * What the cluster offers, as the daemon knows it.
   *
   * @throws DaemonUnavailable when it is of another version, or does not answer in time
   */
  ClusterFacts cluster() {
    try {
      Map<String, Object> facts = Json.read(connection.get("/v1/cluster")).orElse(Map.of());
      sameVersion(facts);
      return new ClusterFacts(
          (String) facts.get("slurm_version"),
          (String) facts.get("mpi_default"),
          Optional.ofNullable(facts.get("mpi_plugins")).map(p -> Json.words(facts, "mpi_plugins")),
          (String) facts.get("spool_directory"),
          (String) facts.get("client_directory"),
          (String) facts.get("job_container"),
          (String) facts.get("architecture"),
          facts.get("max_array_size") instanceof Number most ? most.intValue() : 0);
    } catch (ClassCastException notOurs) {
      throw connection.answersOtherwise();
    }
  }

  /**
   * Decisions and job script.
   *
   * @throws DaemonUnavailable when it does not answer in time, or something else than a plan
   */
  PlanAnswer plan(PlanRequest request) {
    return PlanAnswerJson.read(connection.post("/v1/plan", PlanRequestJson.write(request)))
        .orElseThrow(connection::answersOtherwise);
  }

  private void sameVersion(Map<String, Object> answer) {
    Object theirs = answer.get("hpcrun");
    if (!Version.VERSION.equals(theirs)) {
      throw theirs == null
          ? connection.answersOtherwise()
          : new DaemonUnavailable(
              "hpcrund is of version "
                  + theirs
                  + " and this command of "
                  + Version.VERSION
                  + ", so it is not used");
    }
  }
}
