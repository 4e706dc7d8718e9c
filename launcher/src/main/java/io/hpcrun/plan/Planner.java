package io.hpcrun.plan;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.failure.Failure;
import io.hpcrun.image.HostMpi;
import io.hpcrun.image.Image;
import io.hpcrun.policy.Policy;
import io.hpcrun.spec.ArrayIndices;
import io.hpcrun.spec.BindMount;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.ContainerFlag;
import io.hpcrun.spec.ContainerOptions;
import io.hpcrun.spec.EnvironmentChoice;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.Mode;
import io.hpcrun.spec.SlurmOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Decides how a launch is done, or refuses it with the reason. */
public final class Planner {
  private static final Pattern LAUNCH = Pattern.compile("(?m)^(?!\\s*#).*hpcrun");

  private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

  private static final String LIBRARY_PATH = "LD_LIBRARY_PATH";

  private final LaunchSpec spec;
  private final Image image;
  private final Knowledge known;
  private final List<Decision> packing;
  private final List<Decision> decisions = new ArrayList<>();

  private Planner(LaunchSpec spec, Knowledge known, List<Decision> packing) {
    this.spec = spec;
    this.image = known.image();
    this.known = known;
    this.packing = packing;
  }

  /**
   * Plans a launch; the same input gives the same plan. What is known to fail with the MPI is told
   * in the plan's refusals.
   *
   * @param packing how the launch's sizes were chosen, if it was hpcrun who chose them
   * @throws Failure with exit code 3 when image, cluster and request do not fit together
   */
  public static Plan plan(LaunchSpec spec, Knowledge known, List<Decision> packing) {
    return new Planner(spec, known, packing).plan();
  }

  /** Plans a launch whose sizes are said. */
  public static Plan plan(LaunchSpec spec, Knowledge known) {
    return plan(spec, known, List.of());
  }

  /**
   * The same under the rules of a site: what they force is added, and they may refuse or warn.
   *
   * @throws Failure with exit code 3 when image, cluster and request do not fit together
   */
  public static Plan plan(LaunchSpec spec, Knowledge known, List<Decision> packing, Policy policy) {
    return policy.equals(Policy.NONE)
        ? plan(spec, known, packing)
        : new PolicyRule(policy).plan(spec, known, packing);
  }

  /** Whether a library of the nodes is to take the place of the image's MPI. */
  public static boolean wantsHostMpi(LaunchSpec spec, Knowledge known) {
    return MpiPlanner.wantsHost(spec, known);
  }

  /** A script of the user's that never says hpcrun, but in remarks. */
  private Optional<Advice> scriptWithoutLaunch() {
    return spec.script()
        .filter(script -> !LAUNCH.matcher(script.text().latin1()).find())
        .map(
            script ->
                new Advice(
                    "the script does not call 'hpcrun exec': what it starts runs outside of the image",
                    "write 'hpcrun exec -- COMMAND' where it starts the application",
                    "#HPCRUN lines"));
  }

  private Plan plan() {
    checkArchitecture();
    Mode mode = mode();
    MpiPlanner.Wiring wiring = new MpiPlanner(spec, known, decisions).decide(mode);
    String mpi = wiring.plugin();
    boolean staged = new StagingRule(spec, image).decide(decisions);
    List<String> srun = new ArrayList<>();
    srun.add("--mpi=" + mpi);
    spec.slurm(SlurmOption.CPUS_PER_TASK)
        .ifPresent(
            cpus -> {
              srun.add("--cpus-per-task=" + cpus);
              decisions.add(
                  new Decision(
                      "cpus-per-task",
                      cpus,
                      "srun of Slurm 22.05 to 23.02 does not take it from the job",
                      "option --cpus-per-task"));
            });
    if (spec.kind() == LaunchSpec.Kind.STEP) {
      spec.slurm().stream()
          .filter(setting -> setting.option() != SlurmOption.CPUS_PER_TASK)
          .forEach(
              setting ->
                  srun.add(
                      "--"
                          + setting.option().option()
                          + (setting.value().isEmpty() ? "" : "=" + setting.value())));
    }
    List<String> variables = variables();
    GpuRule gpus = new GpuRule(spec, known);
    boolean dividesGpus = gpus.decide(decisions);
    List<ContainerFlag> gpuFlags = gpus.flags(decisions);
    FabricRule fabric = new FabricRule(spec, known, decisions);
    List<EnvironmentVariable> defaults = new ArrayList<>(wiring.defaults());
    defaults.addAll(fabric.decide());
    srun.addAll(spec.srun());
    List<Advice> warnings = new ArrayList<>(known.gap().stream().toList());
    warnings.addAll(wiring.warnings());
    scriptWithoutLaunch().ifPresent(warnings::add);
    List<Advice> refusals = new ArrayList<>(wiring.refusals());
    fabric.refusal().ifPresent(spec.mpi().force() ? warnings::add : refusals::add);
    arrayBeyondLimit().ifPresent(spec.mpi().force() ? warnings::add : refusals::add);
    boolean shared = mode == Mode.AUTO || mode == Mode.JOIN;
    return new Plan(
        effective(gpus.libraryPath(gpuFlags)),
        image,
        srun,
        runtimeOptions(),
        mode,
        staged,
        mpi,
        shared && mpi.startsWith("pmix") ? pmixDirectories(known.cluster(), decisions) : List.of(),
        variables,
        defaults,
        wiring.aloneDefaults(),
        wiring.guard(),
        new DevicePlan(
            gpuFlags,
            dividesGpus,
            fabric.hasVerbs(),
            fabric.providers(),
            fabric.hasOtherGres(),
            gpus.driver()),
        packing,
        decisions,
        warnings,
        refusals);
  }

  /** slurmctld would say only that the array's specification is invalid. */
  private Optional<Advice> arrayBeyondLimit() {
    int most = known.cluster().maxArraySize();
    return spec.slurm(SlurmOption.ARRAY)
        .map(indices -> ArrayIndices.of(indices).last())
        .filter(last -> most > 0 && last >= most)
        .map(
            last ->
                new Advice(
                    "the job array's last index is %d, and MaxArraySize here is %d"
                        .formatted(last, most),
                    "end with %d: submit the array in parts (--array=0-%<d), or a sweep with 'as: jobs'"
                        .formatted(most - 1),
                    "slurm.conf MaxArraySize"));
  }

  /** Which of the job's variables go on to the ranks. */
  private List<String> variables() {
    EnvironmentChoice choice = spec.container().choice();
    if (choice.clean()) {
      decisions.add(
          new Decision(
              "clean-env",
              "on",
              "of the job's variables only those of Slurm, MPI, GPUs, network and site go to the"
                  + " ranks",
              "option --clean-env"));
    }
    if (!choice.byName().isEmpty()) {
      decisions.add(
          new Decision(
              "env-by-name",
              String.join(",", choice.byName()),
              "their values are in the job's environment, not in this script",
              "options --env and --env-file"));
    }
    return new EnvironmentRules(spec).words();
  }

  /** The launch, with the way to the libraries of the nodes in its environment. */
  private LaunchSpec effective(Optional<EnvironmentVariable> driverPath) {
    if (known.host().isEmpty() && driverPath.isEmpty()) {
      return spec;
    }
    List<EnvironmentVariable> environment = new ArrayList<>();
    spec.container().environment().stream()
        .filter(variable -> known.host().isEmpty() || !variable.name().equals(LIBRARY_PATH))
        .forEach(environment::add);
    driverPath
        .filter(variable -> !spec.container().sets(variable.name()))
        .ifPresent(
            variable ->
                addVariable(
                    environment,
                    variable,
                    "the driver's library must be the node's, and the image holds one",
                    "apptainer/apptainer, CHANGELOG 1.5.0"));
    if (known.host().isPresent()) {
      HostMpi host = known.host().get();
      addVariable(
          environment,
          new EnvironmentVariable(LIBRARY_PATH, ByteString.of(host.libraryPath())),
          "the host's libraries are found there, before the image's",
          MpiPlanner.HOST_SOURCE);
      // Also over what is set on the host, where its paths are others.
      host.variables()
          .forEach(
              variable ->
                  addVariable(
                      environment,
                      variable,
                      "the host's MPI finds its plug-ins by it",
                      MpiPlanner.HOST_SOURCE));
    }
    return spec.with(spec.container().with(environment));
  }

  private void addVariable(
      List<EnvironmentVariable> environment,
      EnvironmentVariable variable,
      String reason,
      String source) {
    if (environment.stream().noneMatch(given -> given.name().equals(variable.name()))) {
      environment.add(variable);
      decisions.add(new Decision(variable.name(), variable.value().toString(), reason, source));
    }
  }

  /**
   * Ranks that start a container each hand it their words as JSON (Apptainer's engine
   * configuration), in which bytes that are not UTF-8 become U+FFFD without a word; the words of
   * ranks that join go to the application as they are.
   */
  private Mode mode() {
    checkContainerWords();
    Mode mode = spec.mode();
    if (mode == Mode.EXEC || mode == Mode.SHARENS) {
      checkCommand();
      return decideMode(mode, "you asked for it", "option --mode");
    }
    if (spec.container().noMount().contains("proc")) {
      if (mode == Mode.JOIN) {
        throw Failure.refused(
            "--mode=join needs /proc in the container, and --no-mount leaves it out",
            "leave out --no-mount=proc, or use --mode=exec");
      }
      checkCommand();
      return decideMode(
          Mode.EXEC, "ranks cannot join a container without /proc", "option --no-mount");
    }
    if (mode == Mode.JOIN) {
      return decideMode(
          mode, "you asked for it; a node where ranks cannot join is refused", "option --mode");
    }
    if (!spec.command().stream().allMatch(ByteString::isUtf8)) {
      return decideMode(
          Mode.JOIN,
          "the command holds bytes that are not UTF-8, which only joined ranks get unchanged",
          "built-in");
    }
    return decideMode(
        mode, "ranks join one container per node, or start one each where they cannot", "built-in");
  }

  private Mode decideMode(Mode mode, String reason, String source) {
    decisions.add(new Decision("mode", mode.label(), reason, source));
    return mode;
  }

  /** The PMIx server's directories on the nodes of a cluster, as its job scripts have them. */
  public static List<String> pmixDirectories(ClusterFacts cluster) {
    return pmixDirectories(cluster, new ArrayList<>());
  }

  /**
   * The PMIx server keeps its files below the one, its clients' below the other (Slurm,
   * src/plugins/mpi/pmix/pmixp_info.c). Apptainer mounts /tmp by itself.
   */
  private static List<String> pmixDirectories(ClusterFacts cluster, List<Decision> decisions) {
    List<String> directories = new ArrayList<>();
    if (!cluster.spoolDirectory().isEmpty()) {
      directories.add(cluster.spoolDirectory());
      decisions.add(
          new Decision(
              "bind",
              cluster.spoolDirectory(),
              "the PMIx server's files are there",
              "slurm.conf SlurmdSpoolDir"));
    }
    String clients = cluster.clientDirectory();
    if (clients.startsWith("/") && !(clients + "/").startsWith("/tmp/")) {
      directories.add(clients);
      decisions.add(
          new Decision(
              "bind-clients",
              clients,
              "the files of PMIx clients are there",
              "mpi.conf PMIxCliTmpDirBase, or slurm.conf TmpFS"));
    }
    return directories;
  }

  private void checkArchitecture() {
    image
        .architecture()
        .filter(architecture -> !architecture.equals(known.cluster().architecture()))
        .ifPresent(
            architecture -> {
              throw Failure.refused(
                  "the image "
                      + image.path()
                      + " is for "
                      + architecture
                      + " and the cluster is "
                      + known.cluster().architecture(),
                  "build or pull the image for " + known.cluster().architecture());
            });
  }

  private void checkCommand() {
    List<ByteString> command = spec.command();
    for (int i = 0; i < command.size(); i++) {
      checkUtf8(
          (i == 0 ? "the command " : "argument " + i + " of the command, ") + "%s,",
          command.get(i));
    }
  }

  private void checkContainerWords() {
    for (String name : spec.container().choice().byName()) {
      if (!NAME.matcher(name).matches()) {
        throw Failure.usage("'" + name + "' is not a variable name", "use letters, digits and _");
      }
    }
    for (EnvironmentVariable variable : spec.container().environment()) {
      checkUtf8("the value of --env " + variable.name() + ", %s,", variable.value());
      if (variable.value().length() > variable.room()) {
        throw Failure.refused(
            "the value of --env %s is too long: %d bytes of at most %d"
                .formatted(variable.name(), variable.value().length(), variable.room()),
            "pass it in a file");
      }
    }
    for (BindMount bind : spec.container().binds()) {
      checkUtf8("the path %s of --bind", bind.source());
      checkUtf8("the path %s of --bind", bind.destination());
    }
  }

  private static void checkUtf8(String what, ByteString word) {
    if (!word.isUtf8()) {
      throw Failure.refused(
          what.formatted(word) + " holds bytes that are not UTF-8, which Apptainer would change",
          "pass such bytes in a file, or encode them");
    }
  }

  private List<ByteString> runtimeOptions() {
    ContainerOptions container = spec.container();
    List<ByteString> options = new ArrayList<>();
    // Apptainer would put values of variables through a shell once more.
    options.add(ByteString.of("--no-eval"));
    for (ContainerFlag flag : container.flags()) {
      options.add(ByteString.of("--" + flag.option()));
    }
    container.home().ifPresent(home -> addOption(options, "--home", home));
    container.workingDirectory().ifPresent(pwd -> addOption(options, "--pwd", pwd));
    if (!container.noMount().isEmpty()) {
      addOption(options, "--no-mount", ByteString.of(String.join(",", container.noMount())));
    }
    container.binds().forEach(bind -> addBind(options, bind));
    known.host().ifPresent(host -> host.binds().forEach(bind -> addBind(options, bind)));
    return options;
  }

  private static void addOption(List<ByteString> options, String name, ByteString value) {
    options.add(ByteString.of(name));
    options.add(value);
  }

  /** {@code --bind} where the paths allow it, as people know it; else {@code --mount}. */
  private static void addBind(List<ByteString> options, BindMount bind) {
    String source = bind.source().latin1();
    String destination = bind.destination().latin1();
    if (isPlain(source) && isPlain(destination)) {
      String text =
          source.equals(destination) && !bind.readOnly() ? source : source + ":" + destination;
      addOption(options, "--bind", ByteString.ofLatin1(text + (bind.readOnly() ? ":ro" : "")));
    } else {
      String text =
          "type=bind,"
              + csvField("source=" + source)
              + ","
              + csvField("destination=" + destination)
              + (bind.readOnly() ? ",ro" : "");
      addOption(options, "--mount", ByteString.ofLatin1(text));
    }
  }

  private static boolean isPlain(String path) {
    return path.chars().allMatch(c -> c > ' ' && c != 0x7f && ",:\"\\=".indexOf(c) < 0);
  }

  /** One field of RFC 4180, which Apptainer's --mount is parsed with. */
  private static String csvField(String text) {
    return '"' + text.replace("\"", "\"\"") + '"';
  }
}
