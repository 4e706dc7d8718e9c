package io.hpcrun.spec;

import java.util.Locale;

/**
 * sbatch's options that hpcrun knows by name, with sbatch's meaning (sbatch(1)); any other goes
 * through {@code --sbatch}. Command line, help text and job script are made from this table.
 */
public enum SlurmOption {
  ACCOUNT('A', SlurmValue.TEXT, "NAME", "charge the job to this account"),
  ARRAY('a', SlurmValue.ARRAY, "INDICES", "ARRAY_INX", "a job array; each element is a launch"),
  BEGIN('b', SlurmValue.TEXT, "TIME", "do not start before this time"),
  CHDIR('D', SlurmValue.TEXT, "DIR", "", "working directory of the job"),
  COMMENT('\0', SlurmValue.TEXT, "TEXT", "", "comment kept by Slurm"),
  CONSTRAINT('C', SlurmValue.TEXT, "LIST", "node features that are needed"),
  CONTIGUOUS('\0', SlurmValue.NONE, "", "", "nodes next to each other"),
  CPUS_PER_GPU('\0', SlurmValue.COUNT, "N", "CPUs for each GPU"),
  CPUS_PER_TASK('c', SlurmValue.COUNT, "N", "", "CPUs for each rank"),
  DEADLINE('\0', SlurmValue.TEXT, "TIME", "", "drop the job if it cannot end before this time"),
  DEPENDENCY('d', SlurmValue.TEXT, "LIST", "", "start after other jobs, such as afterok:12"),
  DISTRIBUTION('m', SlurmValue.TEXT, "LIST", "how ranks are spread over nodes and sockets"),
  ERROR('e', SlurmValue.TEXT, "FILE", "file for standard error"),
  EXCLUDE('x', SlurmValue.TEXT, "NODES", "", "nodes not to use"),
  EXCLUSIVE('\0', SlurmValue.OPTIONAL_WORD, "[=user]", "no other jobs on the nodes"),
  EXPORT('\0', SlurmValue.TEXT, "LIST", "variables of this shell to pass: ALL, NONE or names"),
  EXTRA_NODE_INFO('B', SlurmValue.SOCKETS, "S[:C[:T]]", "", "sockets, cores and threads to use"),
  GPU_BIND('\0', SlurmValue.TEXT, "HOW", "how ranks are bound to GPUs"),
  GPUS('G', SlurmValue.TEXT, "[TYPE:]N", "GPUs for the job"),
  GPUS_PER_NODE('\0', SlurmValue.TEXT, "[TYPE:]N", "GPUs on each node"),
  GPUS_PER_TASK('\0', SlurmValue.TEXT, "[TYPE:]N", "GPUs for each rank"),
  GRES('\0', SlurmValue.TEXT, "LIST", "generic resources on each node"),
  GRES_FLAGS('\0', SlurmValue.TEXT, "LIST", "how generic resources are bound"),
  HINT('\0', SlurmValue.TEXT, "KIND", "compute_bound, memory_bound or nomultithread"),
  HOLD('H', SlurmValue.NONE, "", "", "submit held"),
  INPUT('i', SlurmValue.TEXT, "FILE", "file for standard input"),
  JOB_NAME('J', SlurmValue.TEXT, "NAME", "name of the job; default: the command's name"),
  LICENSES('L', SlurmValue.TEXT, "LIST", "", "licences that are needed"),
  MAIL_TYPE('\0', SlurmValue.TEXT, "LIST", "", "events to send mail for"),
  MAIL_USER('\0', SlurmValue.TEXT, "NAME", "", "who gets the mail"),
  MEM('\0', SlurmValue.MEMORY, "SIZE", "MEM_PER_NODE", "memory on each node"),
  MEM_PER_CPU('\0', SlurmValue.MEMORY, "SIZE", "memory for each CPU"),
  MEM_PER_GPU('\0', SlurmValue.MEMORY, "SIZE", "memory for each GPU"),
  NICE('\0', SlurmValue.NUMBER, "N", "", "lower the job's priority by N"),
  NO_REQUEUE('\0', SlurmValue.NONE, "", "do not run the job again after a node failed"),
  NODELIST('w', SlurmValue.TEXT, "NODES", "", "nodes to use"),
  NODES('N', SlurmValue.NODES, "N[-MAX]", "", "number of nodes"),
  NTASKS('n', SlurmValue.COUNT, "N", "", "number of ranks; default: one on each node"),
  NTASKS_PER_CORE('\0', SlurmValue.COUNT, "N", "", "ranks on each core"),
  NTASKS_PER_GPU('\0', SlurmValue.COUNT, "N", "", "ranks for each GPU"),
  NTASKS_PER_NODE('\0', SlurmValue.COUNT, "N", "", "ranks on each node"),
  NTASKS_PER_SOCKET('\0', SlurmValue.COUNT, "N", "", "ranks on each socket"),
  OPEN_MODE('\0', SlurmValue.OPEN_MODE, "MODE", "append or truncate the output files"),
  OUTPUT('o', SlurmValue.TEXT, "FILE", "file for standard output; default: slurm-%j.out"),
  OVERCOMMIT('O', SlurmValue.NONE, "", "more ranks than CPUs"),
  OVERSUBSCRIBE('s', SlurmValue.NONE, "", "", "share nodes with other jobs"),
  PARTITION('p', SlurmValue.TEXT, "NAME", "partition to submit to"),
  PRIORITY('\0', SlurmValue.NUMBER, "N", "", "priority, for operators"),
  QOS('q', SlurmValue.TEXT, "NAME", "quality of service"),
  REQUEUE('\0', SlurmValue.NONE, "", "run the job again after a node failed"),
  RESERVATION('\0', SlurmValue.TEXT, "NAME", "reservation to use"),
  SIGNAL('\0', SlurmValue.SIGNAL, "SIG[@SEC]", "signal for the ranks before the time is up"),
  SWITCHES('\0', SlurmValue.TEXT, "N[@TIME]", "REQ_SWITCH", "at most this many switches"),
  THREADS_PER_CORE('\0', SlurmValue.COUNT, "N", "threads of each core to use"),
  TIME('t', SlurmValue.TIME, "TIME", "TIMELIMIT", "time limit: minutes, H:M:S or D-H:M"),
  TIME_MIN('\0', SlurmValue.TIME, "TIME", "", "time limit that is still enough"),
  TMP('\0', SlurmValue.MEMORY, "SIZE", "", "temporary disk space on each node"),
  TRES_BIND('\0', SlurmValue.TEXT, "HOW", "how ranks are bound to GPUs and other resources"),
  WCKEY('\0', SlurmValue.TEXT, "NAME", "workload characterisation key");

  private final String option = name().toLowerCase(Locale.ROOT).replace('_', '-');
  private final char letter;
  private final SlurmValue value;
  private final String placeholder;
  private final String variable;
  private final String help;

  /** An option whose input variable is SBATCH_ and its name (sbatch(1), INPUT ENVIRONMENT). */
  SlurmOption(char letter, SlurmValue value, String placeholder, String help) {
    this.letter = letter;
    this.value = value;
    this.placeholder = placeholder;
    this.variable = "SBATCH_" + name();
    this.help = help;
  }

  /** An option with another input variable, or with none (empty). */
  SlurmOption(char letter, SlurmValue value, String placeholder, String variable, String help) {
    this.letter = letter;
    this.value = value;
    this.placeholder = placeholder;
    this.variable = variable.isEmpty() ? "" : "SBATCH_" + variable;
    this.help = help;
  }

  /** The long name without the dashes. */
  public String option() {
    return option;
  }

  /** The short name, or NUL if there is none. */
  public char letter() {
    return letter;
  }

  /** The form of its value. */
  public SlurmValue value() {
    return value;
  }

  /** The value's name in the help text. */
  public String placeholder() {
    return placeholder;
  }

  /**
   * The variable that would override the job script's line, because sbatch lets variables win over
   * the script; empty if there is none.
   */
  public String variable() {
    return variable;
  }

  /** One line for the help text. */
  public String help() {
    return help;
  }
}
