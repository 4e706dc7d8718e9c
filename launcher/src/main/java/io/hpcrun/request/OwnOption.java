package io.hpcrun.request;

import java.util.Locale;

/**
 * Options of a launch that are hpcrun's own or Apptainer's and have a value, or are hpcrun's own
 * flags. With {@link io.hpcrun.spec.SlurmOption} and {@link io.hpcrun.spec.ContainerFlag} they are
 * all that can be said of a launch: command line, help, site file, job files and templates are made
 * from these tables.
 */
public enum OwnOption {
  BIND(
      Group.CONTAINER,
      Form.LIST,
      "SRC[:DST[:ro]]",
      "show a file or directory of the node; repeatable"),
  ENV(
      Group.CONTAINER,
      Form.LIST,
      "NAME[=VALUE]",
      "set a variable for the application, or pass on yours; repeatable"),
  ENV_FILE(Group.CONTAINER, Form.LIST, "FILE", "set those of a file with lines NAME=VALUE"),
  CLEAN_ENV(
      Group.CONTAINER, Form.FLAG, "", "only Slurm's, MPI's, GPUs', network's and the site's pass"),
  PWD(Group.CONTAINER, Form.VALUE, "DIR", "directory in the container to start in"),
  HOME(Group.CONTAINER, Form.VALUE, "DIR", "home directory in the container"),
  NO_MOUNT(Group.CONTAINER, Form.LIST, "LIST", "mounts to leave out, such as tmp,cwd"),
  MPI(Group.MPI, Form.VALUE, "KIND", "auto (default), none, or one of 'srun --mpi=list'"),
  MPI_MODEL(Group.MPI, Form.VALUE, "KIND", "auto (default), container, or host: the nodes' MPI"),
  HOST_MPI(Group.MPI, Form.PATHS, "PATH", "the nodes' MPI library (default $HPCRUN_HOST_MPI)"),
  SINGLETONS(Group.MPI, Form.FLAG, "", "each rank is to be an MPI job of its own"),
  NO_GUARD(Group.MPI, Form.FLAG, "", "do not end launches whose ranks turn out to be alone"),
  FORCE(Group.MPI, Form.FLAG, "", "do what is known to fail, with a warning"),
  FABRIC(
      Group.NETWORK,
      Form.VALUE,
      "KIND",
      "auto (default), infiniband, roce, slingshot, omnipath, efa, tcp"),
  REQUIRE_FABRIC(
      Group.NETWORK, Form.FLAG, "", "no launch without RDMA, nor one that uses TCP instead"),
  MODE(
      Group.ENTERING,
      Form.VALUE,
      "KIND",
      "auto (default), join one container per node, exec, sharens"),
  STAGE(
      Group.ENTERING,
      Form.VALUE,
      "KIND",
      "auto (default), shared, or node: copy the image to each node"),
  STAGE_DIR(
      Group.ENTERING, Form.VALUE, "DIR", "node-local directory for the copies (default /tmp)"),
  STAGE_LIMIT(
      Group.ENTERING, Form.VALUE, "SIZE", "what the copies may take on a node (default 20G)"),
  MODULE(
      Group.SITE,
      Form.LIST,
      "LIST",
      "what the site prepared under a name: 'hpcrun config modules'"),
  UNSET(
      Group.SITE, Form.LIST, "OPTION", "without what site, partition or job file say of an option"),
  RESOURCES(
      Group.SIZE,
      Form.VALUE,
      "LIST",
      "in all, such as cores=1000,memory=10T,gpus=16; hpcrun chooses where"),
  SRUN(
      Group.SLURM,
      Form.LIST,
      "OPTION",
      "an option of srun for the ranks' step, passed on as it is");

  /** Where the help lists it. */
  public enum Group {
    CONTAINER,
    MPI,
    NETWORK,
    ENTERING,
    SITE,
    SIZE,
    SLURM
  }

  /** What its value is like. */
  public enum Form {
    /** It has none. */
    FLAG,
    /** One; the last counts. */
    VALUE,
    /** It may be given again, and adds. */
    LIST,
    /** Paths joined by colons; the last counts. */
    PATHS
  }

  private final String option = name().toLowerCase(Locale.ROOT).replace('_', '-');
  private final Group group;
  private final Form form;
  private final String placeholder;
  private final String help;

  OwnOption(Group group, Form form, String placeholder, String help) {
    this.group = group;
    this.form = form;
    this.placeholder = placeholder;
    this.help = help;
  }

  /** The long name without the dashes. */
  public String option() {
    return option;
  }

  /** Where the help lists it. */
  public Group group() {
    return group;
  }

  /** What its value is like. */
  public Form form() {
    return form;
  }

  /** The value's name in the help text; empty for a flag. */
  public String placeholder() {
    return placeholder;
  }

  /** One line for the help text. */
  public String help() {
    return help;
  }
}
