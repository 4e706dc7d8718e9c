package io.hpcrun.it;

import io.hpcrun.it.Surroundings.Difference;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Where an application of hpcrun's may see something else than under {@code apptainer exec}. */
final class IntendedDifferences {
  /**
   * One kind of difference.
   *
   * @param mode the mode it is of, or {@code both}
   * @param key what differs
   * @param plain the value without hpcrun
   * @param here the value with it
   * @param why the reason
   */
  record Intended(String mode, Pattern key, Pattern plain, Pattern here, String why) {
    private static Intended of(String mode, String key, String plain, String here, String why) {
      return new Intended(
          mode, Pattern.compile(key), Pattern.compile(plain), Pattern.compile(here), why);
    }

    private boolean covers(String ofMode, Difference difference) {
      return (mode.equals("both") || mode.equals(ofMode))
          && key.matcher(difference.key()).matches()
          && plain.matcher(difference.plain()).matches()
          && here.matcher(difference.other()).matches();
    }

    @Override
    public String toString() {
      return "%-4s  %s: %s -> %s: %s".formatted(mode, key, plain, here, why);
    }
  }

  static final List<Intended> ALL =
      List.of(
          Intended.of(
              "both",
              "env\\._",
              ".*",
              Surroundings.ABSENT,
              "the program that the last shell started; the last shell is another one"),
          Intended.of(
              "both",
              "env\\.(APPTAINER|SINGULARITY)_NO_EVAL",
              Surroundings.ABSENT,
              "1",
              "the option --no-eval, with which values of --env arrive as they were given"),
          Intended.of(
              "both",
              "env\\.(XDG_RUNTIME_DIR|XDG_SESSION_ID|DBUS_SESSION_BUS_ADDRESS|SSH_CONNECTION|DISPLAY|TMUX"
                  + "|HOSTNAME)",
              ".*",
              Surroundings.ABSENT,
              "the session of the login node is not there on the nodes"),
          Intended.of(
              "both",
              "env\\.SOURCED",
              "1",
              Surroundings.ABSENT,
              "hpcrun's script does not run what BASH_ENV names (bash -p)"),
          Intended.of(
              "both",
              "env\\.(PMI_RANK|PMIX_NAMESPACE|SRUN_CPU_BIND)",
              ".*",
              Surroundings.ABSENT,
              "it describes another step"),
          Intended.of(
              "both",
              "env\\.(SLURM|SLURMD)_TRES_BIND",
              "gres/gpu:per_task:\\d+",
              "gres/gpu:none",
              "hpcrun divides the GPUs, so that ranks can copy between them"),
          Intended.of("both", "env\\.SLURM_STEP_GPUS", "[0-9,]+", "[0-9,]+", "the same"),
          Intended.of(
              "both",
              "env\\.CUDA_DEVICE_ORDER",
              Surroundings.ABSENT,
              "PCI_BUS_ID",
              "CUDA_VISIBLE_DEVICES holds numbers in this order"),
          Intended.of(
              "join",
              "env\\..*",
              ".*\\\\xef\\\\xbf\\\\xbd.*",
              ".*\\\\x[89a-f].*",
              "Apptainer writes U+FFFD for bytes that are not UTF-8; here they stay as they are"),
          Intended.of(
              "exec",
              "env\\.UCX_POSIX_USE_PROC_LINK",
              Surroundings.ABSENT,
              "n",
              "ranks in containers of their own cannot open each other's /proc files"),
          Intended.of(
              "join",
              "status\\.CapBnd",
              "0{16}",
              "[0-9a-f]{16}",
              "the kernel gives it to whoever enters a user namespace; no_new_privs makes it"
                  + " ineffective"),
          Intended.of(
              "join",
              "is the Slurm task",
              "no",
              "yes",
              "no process of Apptainer's stands between Slurm and the application"),
          Intended.of("join", "ancestors", " starter slurmstepd", " slurmstepd", "the same"),
          Intended.of("join", "process group", "the Slurm task", "this process", "the same"),
          Intended.of(
              "join",
              "prctl\\.parent-death signal",
              "9",
              "0",
              "the same: Apptainer's process kills the application when it dies itself"),
          Intended.of(
              "join",
              "argument\\.0",
              "/.*/[^/]+",
              "[^/]+",
              "a command without a slash arrives as it was given, not with the path where it was"
                  + " found"));

  private IntendedDifferences() {}

  static Optional<Intended> reason(String mode, Difference difference) {
    return ALL.stream().filter(intended -> intended.covers(mode, difference)).findFirst();
  }
}
