package io.hpcrun.it;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** One way in which a job of four ranks ends, and what has to come of it. */
final class Ending {
  private final String name;
  private final String ranks;
  private final List<String> options = new ArrayList<>();
  private final List<String> srun = new ArrayList<>();
  private final List<String> says = new ArrayList<>();
  private Consumer<EndingJob> act = job -> {};
  private Consumer<EndingJob> afterwards = job -> {};
  private boolean acts;
  private boolean compared;
  private int slurmTakes;
  private String state = "";
  private Set<Integer> exitCodes = Set.of();

  /**
   * A case.
   *
   * @param ranks the script of a rank, whose {@code $0} is the job's own directory
   */
  Ending(String name, String ranks) {
    this.name = name;
    this.ranks = ranks;
  }

  /** Options of sbatch, which hpcrun takes as well. */
  Ending options(String... words) {
    options.addAll(List.of(words));
    return this;
  }

  /** Options of the ranks' srun. */
  Ending srun(String... words) {
    srun.addAll(List.of(words));
    return this;
  }

  /** What is done to the job once all ranks run. */
  Ending act(Consumer<EndingJob> what) {
    act = what;
    acts = true;
    return this;
  }

  /** The state that Slurm tells of the job, and what {@code hpcrun run} ends with. */
  Ending ends(String slurmState, Integer... codes) {
    state = slurmState;
    exitCodes = Set.of(codes);
    return this;
  }

  /** Seconds that Slurm itself may take, because it waits for what cannot hear it. */
  Ending after(int seconds) {
    slurmTakes = seconds;
    return this;
  }

  /** Texts that the user sees. */
  Ending says(String... texts) {
    says.addAll(List.of(texts));
    return this;
  }

  /** A text that each rank says. */
  Ending ranksSay(String text) {
    for (int rank = 0; rank < EndingJob.RANKS; rank++) {
      says.add(text + " " + rank);
    }
    return this;
  }

  /** The same ranks, started by srun without hpcrun and container, end alike. */
  Ending asOnBareMetal() {
    compared = true;
    return this;
  }

  /** What else is looked at when the job has ended. */
  Ending afterwards(Consumer<EndingJob> look) {
    afterwards = look;
    return this;
  }

  String ranks() {
    return ranks;
  }

  List<String> options() {
    return options;
  }

  List<String> srun() {
    return srun;
  }

  List<String> says() {
    return says;
  }

  boolean acts() {
    return acts;
  }

  void actOn(EndingJob job) {
    act.accept(job);
  }

  void lookAfterwards(EndingJob job) {
    afterwards.accept(job);
  }

  boolean compared() {
    return compared;
  }

  int slurmTakes() {
    return slurmTakes;
  }

  String state() {
    return state;
  }

  Set<Integer> exitCodes() {
    return exitCodes;
  }

  @Override
  public String toString() {
    return name;
  }
}
