package io.hpcrun.it;

import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import io.hpcrun.lab.Running;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * A running job of four ranks on two nodes: alice's {@code hpcrun run}, or the same ranks of bob's
 * on bare metal. Its batch script is on c1.
 */
final class EndingJob {
  /** How many ranks a job has, half of them on c1 and half on c2. */
  static final int RANKS = 4;

  private static final List<String> SIZE =
      List.of("-N", "2", "-n", String.valueOf(RANKS), "--ntasks-per-node=2");
  private static final Set<String> UNENDED =
      Set.of("PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "REQUEUED");
  private static final long LOOK_EVERY_MS = 100;

  private final LabCluster lab;
  private final String user;
  private final Login login;
  private final Jobs jobs;
  private final String directory;
  private final Running running;
  private final String id;

  private EndingJob(LabCluster lab, String user, Ending ending, String image) {
    this.lab = lab;
    this.user = user;
    this.login = lab.as(user, LabCluster.LOGIN_NODE);
    this.jobs = new Jobs(login);
    this.directory = "/home/" + user + "/ending-" + System.nanoTime();
    login.run("mkdir", directory).succeeded();
    List<String> words = new ArrayList<>(List.of("-J", name(), "-D", directory));
    words.addAll(SIZE);
    words.addAll(ending.options());
    if (image.isEmpty()) {
      running = null;
      id = submit(words, ending);
    } else {
      ending.srun().forEach(option -> words.add("--srun=" + option));
      words.addAll(List.of(image, "--", "sh", "-c", inTheImage(ending.ranks()), directory));
      words.addAll(0, List.of("hpcrun", "run"));
      running = new Running(login, words.toArray(String[]::new));
      awaitRanks("up");
      id =
          login
              .run("squeue", "--me", "--noheader", "--states=all", "--name=" + name(), "-o", "%i")
              .succeeded()
              .output()
              .strip();
    }
  }

  /** alice's {@code hpcrun run}; its ranks have started. */
  static EndingJob hpcrun(LabCluster lab, Ending ending) {
    return new EndingJob(lab, "alice", ending, lab.image("hello-openmpi"));
  }

  /** bob's, on bare metal. */
  static EndingJob plain(LabCluster lab, Ending ending) {
    return new EndingJob(lab, "bob", ending, "");
  }

  private static String inTheImage(String ranks) {
    return "test -e /.singularity.d/runscript || exit 77\n" + ranks;
  }

  private String submit(List<String> options, Ending ending) {
    login.write(directory + "/ranks", ending.ranks().getBytes(StandardCharsets.UTF_8));
    String script =
        "#!/bin/bash\nsrun --export=ALL %s sh -c \"$(<ranks)\" \"$PWD\"\n"
            .formatted(String.join(" ", ending.srun()));
    login.write(directory + "/job", script.getBytes(StandardCharsets.UTF_8));
    List<String> words = new ArrayList<>(List.of("sbatch", "--parsable"));
    words.addAll(options);
    words.add(directory + "/job");
    return login.run(words).succeeded().output().strip();
  }

  private String name() {
    return directory.substring(directory.lastIndexOf('/') + 1);
  }

  /** The job's number. */
  String id() {
    return id;
  }

  /** The step of the ranks; before it hpcrun's agents have one. */
  String step() {
    return id + (running == null ? ".0" : ".1");
  }

  /** The job's own directory. */
  String directory() {
    return directory;
  }

  /** Its user, on the login node. */
  Login login() {
    return login;
  }

  /** root on a node. */
  Login root(String node) {
    return lab.as("root", node);
  }

  /** The cluster. */
  LabCluster lab() {
    return lab;
  }

  /** Waits until each rank has made its file {@code MARK.RANK}. */
  void awaitRanks(String mark) {
    Jobs.await(
        "the ranks' files " + directory + "/" + mark,
        () ->
            login.bash("ls \"$1.\"*", directory + "/" + mark).lines().size() == RANKS
                || running != null && !running.isRunning());
  }

  /** Lets ranks go on that wait for the file {@code go}. */
  void release() {
    login.run("touch", directory + "/go").succeeded();
  }

  /** Sends signals through Slurm. */
  void scancel(String... options) {
    List<String> words = new ArrayList<>(List.of("scancel"));
    words.addAll(Arrays.asList(options));
    words.add(id);
    login.run(words).succeeded();
  }

  /** Kills the user's processes whose command line begins so; there has to be one. */
  void kill(String node, String commandLine) {
    root(node).run("pkill", "-KILL", "-u", user, "-f", "^" + commandLine).succeeded();
  }

  /** Kills the oldest of them only. */
  void killFirst(String node, String commandLine) {
    root(node).run("pkill", "-KILL", "-o", "-u", user, "-f", "^" + commandLine).succeeded();
  }

  /** Kills Slurm's own process of a step and waits until it is gone. */
  void killStepDaemon(String node, String step) {
    String pattern = "^slurmstepd: \\[" + step.replace(".", "\\.") + "\\]";
    root(node).run("pkill", "-KILL", "-f", pattern).succeeded();
    Jobs.await(
        "the end of " + pattern, () -> root(node).run("pgrep", "-f", pattern).exitCode() != 0);
  }

  /** What Slurm tells of the job. */
  String field(String field) {
    return jobs.field(id, field);
  }

  /** When it ended, in seconds since the epoch, rounded down. */
  BigDecimal endTime() {
    return new BigDecimal(
        new Jobs(login.with("SLURM_TIME_FORMAT", "%s")).field(id, "EndTime").strip());
  }

  /** Waits for the end; false if it does not come. */
  boolean endsWithin(Duration patience) {
    long deadline = System.nanoTime() + patience.toNanos();
    while (isRunning()) {
      if (System.nanoTime() > deadline) {
        return false;
      }
      try {
        Thread.sleep(LOOK_EVERY_MS);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        throw new AssertionError("interrupted", interrupted);
      }
    }
    return true;
  }

  private boolean isRunning() {
    return running == null ? UNENDED.contains(field("JobState")) : running.isRunning();
  }

  /** What {@code hpcrun run} left behind. */
  Outcome outcome() {
    return running.await();
  }

  /** The exit code that {@code hpcrun run} is to end with for such a job. */
  int shellExitCode() {
    String[] code = field("ExitCode").split(":");
    int exit = Integer.parseInt(code[0]);
    int signal = Integer.parseInt(code[1]);
    if (signal > 0) {
      return 128 + signal;
    }
    return exit > 0 || field("JobState").equals("COMPLETED") ? exit : 128 + 15;
  }
}
