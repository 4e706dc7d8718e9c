package io.hpcrun.lab;

import io.hpcrun.process.Programs;
import io.hpcrun.slurm.JobStateClient;
import io.hpcrun.slurm.JobStates;
import java.util.List;
import java.util.Optional;

/** hpcrun's own questions to Slurm, asked on a node of the lab. */
public final class SlurmOnLab {
  private SlurmOnLab() {}

  /** The states of jobs, asked as this login's user. */
  public static JobStates states(Login login) {
    return new JobStateClient(words -> Optional.of(run(login, words)));
  }

  private static Programs.Result run(Login login, List<String> words) {
    Outcome outcome = login.run(words);
    return new Programs.Result(outcome.exitCode(), outcome.output(), outcome.error());
  }
}
