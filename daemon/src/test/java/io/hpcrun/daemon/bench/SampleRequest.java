package io.hpcrun.daemon.bench;

import io.hpcrun.daemon.SampleLaunch;
import io.hpcrun.planning.PlanRequestJson;

/** Prints a request to plan, as the command sends it. */
public final class SampleRequest {
  private SampleRequest() {}

  /** Prints it. */
  public static void main(String[] words) {
    System.out.writeBytes(PlanRequestJson.write(SampleLaunch.request()));
    System.out.flush();
  }
}
