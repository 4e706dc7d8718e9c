package io.hpcrun.request;

import io.hpcrun.spec.ContainerFlag;
import io.hpcrun.spec.MpiChoice;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.spec.SlurmValue;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** All options of a launch, from the tables of sbatch's, Apptainer's and hpcrun's own. */
public final class OptionTable {
  /** Options that exclude each other (sbatch(1), apptainer exec --help). */
  static final List<List<String>> EXCLUSIVE =
      List.of(
          List.of("mem", "mem-per-cpu", "mem-per-gpu"),
          List.of("requeue", "no-requeue"),
          List.of("exclusive", "oversubscribe"),
          List.of("nv", "no-nv"),
          List.of("rocm", "no-rocm"),
          List.of("home", "no-home"));

  /** Values of sbatch that are lists, joined by commas. */
  private static final Set<SlurmOption> LISTS =
      EnumSet.of(
          SlurmOption.ARRAY,
          SlurmOption.CONSTRAINT,
          SlurmOption.DEPENDENCY,
          SlurmOption.EXCLUDE,
          SlurmOption.EXPORT,
          SlurmOption.GRES,
          SlurmOption.GRES_FLAGS,
          SlurmOption.LICENSES,
          SlurmOption.MAIL_TYPE,
          SlurmOption.NODELIST);

  private OptionTable() {}

  /** Options of the job that a step has too, with srun's meaning (srun(1)). */
  public static final Set<SlurmOption> OF_STEPS =
      EnumSet.of(
          SlurmOption.CHDIR,
          SlurmOption.CPUS_PER_GPU,
          SlurmOption.CPUS_PER_TASK,
          SlurmOption.DISTRIBUTION,
          SlurmOption.ERROR,
          SlurmOption.EXCLUDE,
          SlurmOption.GPU_BIND,
          SlurmOption.GPUS,
          SlurmOption.GPUS_PER_NODE,
          SlurmOption.GPUS_PER_TASK,
          SlurmOption.GRES,
          SlurmOption.GRES_FLAGS,
          SlurmOption.HINT,
          SlurmOption.INPUT,
          SlurmOption.JOB_NAME,
          SlurmOption.MEM,
          SlurmOption.MEM_PER_CPU,
          SlurmOption.MEM_PER_GPU,
          SlurmOption.NODELIST,
          SlurmOption.NODES,
          SlurmOption.NTASKS,
          SlurmOption.NTASKS_PER_CORE,
          SlurmOption.NTASKS_PER_GPU,
          SlurmOption.NTASKS_PER_NODE,
          SlurmOption.NTASKS_PER_SOCKET,
          SlurmOption.OPEN_MODE,
          SlurmOption.OUTPUT,
          SlurmOption.OVERCOMMIT,
          SlurmOption.THREADS_PER_CORE,
          SlurmOption.TIME,
          SlurmOption.TRES_BIND);

  /** What stands behind an option in a file. */
  public enum Form {
    /** True or false. */
    FLAG,
    /** True, false or a word. */
    FLAG_OR_WORD,
    /** One value. */
    VALUE,
    /** One value or a list of them; they add to what was said before. */
    LIST,
    /** One value or a list of them, joined by commas. */
    COMMAS,
    /** One path or a list of them, joined by colons. */
    PATHS
  }

  /**
   * An option, whichever table it is in.
   *
   * @param name the long name without the dashes
   * @param form what stands behind it
   * @param help one line
   */
  public record Entry(String name, Form form, String help) {}

  private static final List<Entry> ENTRIES = List.copyOf(allEntries());

  /** All options of jobs, in the order of the tables. */
  public static List<Entry> entries() {
    return ENTRIES;
  }

  private static List<Entry> allEntries() {
    List<Entry> entries = new ArrayList<>();
    for (OwnOption option : OwnOption.values()) {
      entries.add(
          new Entry(
              option.option(),
              switch (option.form()) {
                case FLAG -> Form.FLAG;
                case VALUE -> Form.VALUE;
                case LIST -> Form.LIST;
                case PATHS -> Form.PATHS;
              },
              option.help()));
    }
    for (ContainerFlag flag : ContainerFlag.values()) {
      entries.add(new Entry(flag.option(), Form.FLAG, flag.help()));
    }
    for (SlurmOption option : SlurmOption.values()) {
      entries.add(
          new Entry(
              option.option(),
              option.value() == SlurmValue.NONE
                  ? Form.FLAG
                  : option.value() == SlurmValue.OPTIONAL_WORD
                      ? Form.FLAG_OR_WORD
                      : LISTS.contains(option) ? Form.COMMAS : Form.VALUE,
              option.help()));
    }
    entries.add(new Entry("sbatch", Form.LIST, "any other option of sbatch, passed on as it is"));
    return entries;
  }

  /** The names of all options of jobs. */
  static List<String> names() {
    return entries().stream().map(Entry::name).toList();
  }

  /** Whether an option is for a job, and not for a step of one. */
  static boolean isOfJobs(String name) {
    return name.equals("sbatch")
        || name.equals(OwnOption.RESOURCES.option())
        || Stream.of(SlurmOption.values()).anyMatch(option -> option.option().equals(name));
  }

  /** Whether an option that is given again adds to what was said, and does not replace it. */
  public static boolean adds(String name) {
    return name.equals("sbatch")
        || Stream.of(OwnOption.values())
            .anyMatch(
                option -> option.option().equals(name) && option.form() == OwnOption.Form.LIST);
  }

  /** Whether two options exclude each other. */
  static boolean exclude(String one, String other) {
    return EXCLUSIVE.stream().anyMatch(group -> group.contains(one) && group.contains(other));
  }

  /** The variable that stands for an option in the user's shell, if there is one. */
  static Optional<String> variable(String name) {
    return name.equals(OwnOption.HOST_MPI.option())
        ? Optional.of(MpiChoice.HOSTS_VARIABLE)
        : Stream.of(SlurmOption.values())
            .filter(option -> option.option().equals(name) && !option.variable().isEmpty())
            .map(SlurmOption::variable)
            .findFirst();
  }

  /** Adds the options of a launch to a sub-command's own. */
  public static Options add(Options options, Set<SlurmOption> slurm) {
    for (SlurmOption option : slurm) {
      Option.Builder builder =
          option.letter() == '\0'
              ? Option.builder()
              : Option.builder(String.valueOf(option.letter()));
      builder.longOpt(option.option());
      if (option.value() == SlurmValue.OPTIONAL_WORD) {
        builder.optionalArg(true).numberOfArgs(1);
      } else if (option.value() != SlurmValue.NONE) {
        builder.hasArg();
      }
      options.addOption(builder.get());
    }
    for (ContainerFlag flag : ContainerFlag.values()) {
      options.addOption(Option.builder().longOpt(flag.option()).get());
    }
    for (OwnOption option : OwnOption.values()) {
      if (option != OwnOption.RESOURCES) {
        options.addOption(
            Option.builder()
                .longOpt(option.option())
                .hasArg(option.form() != OwnOption.Form.FLAG)
                .get());
      }
    }
    return options;
  }

  /** The options of a job: all of a launch, and what only a whole job has. */
  public static Options ofJobs() {
    return add(new Options(), EnumSet.allOf(SlurmOption.class))
        .addOption(Option.builder().longOpt("sbatch").hasArg().get())
        .addOption(Option.builder().longOpt(OwnOption.RESOURCES.option()).hasArg().get())
        .addOption(Option.builder().longOpt("image").hasArg().get());
  }
}
