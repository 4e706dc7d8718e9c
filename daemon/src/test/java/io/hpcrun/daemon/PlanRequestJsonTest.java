package io.hpcrun.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.daemon.api.Json;
import io.hpcrun.daemon.api.PlanEndpoints;
import io.hpcrun.planning.PlanRequest;
import io.hpcrun.planning.PlanRequestJson;
import io.hpcrun.script.Version;
import org.junit.jupiter.api.Test;

class PlanRequestJsonTest {
  @Test
  void theDaemonReadsEveryRequestAsTheCommandMeantIt() {
    for (long seed = 0; seed < 300; seed++) {
      PlanRequest request = new RecordSamples(seed).of(PlanRequest.class);
      PlanEndpoints.Request read =
          Json.MAPPER.readValue(PlanRequestJson.write(request), PlanEndpoints.Request.class);
      assertThat(read)
          .as("seed %d", seed)
          .isEqualTo(
              new PlanEndpoints.Request(
                  Version.VERSION,
                  request.spec(),
                  request.known(),
                  request.digest(),
                  request.enterProgram(),
                  request.packing()));
    }
  }
}
