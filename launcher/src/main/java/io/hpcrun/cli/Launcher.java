package io.hpcrun.cli;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.failure.Failure;
import io.hpcrun.image.HostMpi;
import io.hpcrun.image.HostMpiReader;
import io.hpcrun.image.Image;
import io.hpcrun.image.ImageDigest;
import io.hpcrun.image.ImageProfile;
import io.hpcrun.image.ImageReader;
import io.hpcrun.image.ProfileStore;
import io.hpcrun.image.Program;
import io.hpcrun.image.ProgramRequest;
import io.hpcrun.image.ProgramStore;
import io.hpcrun.image.UserCache;
import io.hpcrun.plan.Advice;
import io.hpcrun.plan.Knowledge;
import io.hpcrun.plan.Planner;
import io.hpcrun.planning.PlanAnswer;
import io.hpcrun.planning.PlanRequest;
import io.hpcrun.planning.Planning;
import io.hpcrun.slurm.SlurmClient;
import io.hpcrun.spec.BindMount;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.ContainerFlag;
import io.hpcrun.spec.ContainerOptions;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.MpiChoice;
import io.hpcrun.spec.SlurmOption;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** From a spec to a job script and a job: looks at image and cluster, plans, renders, submits. */
final class Launcher {
  private final SlurmClient slurm;
  private final Console console;
  private final ImageDigest digests;
  private final ProfileStore profiles;
  private final ProgramStore programs;
  private final EnterProgram enterProgram;
  private final Planning planning;

  Launcher(SlurmClient slurm, Console console) {
    UserCache cache = new UserCache(console.environment());
    this.slurm = slurm;
    this.console = console;
    this.digests = new ImageDigest(cache);
    this.profiles = new ProfileStore(cache);
    this.programs = new ProgramStore(cache);
    this.enterProgram = new EnterProgram(cache);
    this.planning =
        new Planning(
            slurm,
            console.environment(),
            found -> console.err().println("hpcrun: note: " + found + "; going on without it"));
  }

  /**
   * Plans a launch, prints its warnings, and renders it.
   *
   * @throws Failure with exit code 3 when it is known to fail
   */
  byte[] script(LaunchSpec spec) {
    PlanRequest request =
        new PlanRequest(spec, look(spec), digests.remembered(spec.image()), enterProgram.forJobs());
    PlanAnswer answer = planning.plan(request);
    for (Advice warning : answer.warnings()) {
      console.err().println("hpcrun: warning: " + InspectCommand.printable(warning.text()));
      console.err().println("  what to do: " + InspectCommand.printable(warning.remedy()));
    }
    answer.refusals().stream()
        .findFirst()
        .ifPresent(
            refusal -> {
              throw Failure.refused(
                  refusal.text(), refusal.remedy() + "; --force submits it all the same");
            });
    if (answer.needsDigest()) {
      answer = planning.plan(request.with(digests.of(spec.image())));
    }
    return answer
        .script()
        .orElseThrow(() -> new IllegalStateException("a plan that is not refused has a script"));
  }

  /** The decisions; what only the script needs is not looked for. */
  PlanAnswer decide(LaunchSpec spec, Knowledge known) {
    return planning.plan(new PlanRequest(spec, known, Optional.empty(), Optional.empty()));
  }

  /** Looks at the image, the command and the cluster. */
  Knowledge look(LaunchSpec spec) {
    Image image = ImageReader.read(spec.image());
    ClusterFacts cluster = planning.cluster();
    String command = spec.command().stream().findFirst().map(ByteString::toString).orElse("");
    try {
      ImageProfile profile = profiles.of(image);
      ProgramRequest request = request(spec, command);
      Program program =
          command.isEmpty() ? Program.unknown("") : programs.of(image, profile, request);
      Knowledge known =
          new Knowledge(
              image, Optional.of(profile), Optional.empty(), program, Optional.empty(), cluster);
      return Planner.wantsHostMpi(spec, known) ? withHost(spec, known, request) : known;
    } catch (Failure unreadable) {
      if (spec.mpi().model() == MpiChoice.Model.HOST) {
        throw unreadable;
      }
      Advice gap =
          new Advice(
              "whether the image's MPI fits is not known: " + unreadable.getMessage(),
              unreadable.remedy(),
              "hpcrun inspect");
      return new Knowledge(
          image,
          Optional.empty(),
          Optional.of(gap),
          Program.unknown(command),
          Optional.empty(),
          cluster);
    }
  }

  /** With the nodes' MPI; where nobody asked for it, only if it fits. */
  private static Knowledge withHost(LaunchSpec spec, Knowledge known, ProgramRequest request) {
    boolean asked = spec.mpi().model() == MpiChoice.Model.HOST;
    try {
      HostMpi host =
          HostMpiReader.read(
              spec.mpi().hosts(),
              known.image(),
              known.profile().orElseThrow(),
              known.program(),
              known.imageMpi(),
              request);
      return asked || host.isFit() ? known.with(host) : known;
    } catch (Failure unusable) {
      if (asked) {
        throw unusable;
      }
      return known.with(
          new Advice(
              "the nodes' MPI cannot take the image's place: " + unusable.getMessage(),
              unusable.remedy(),
              MpiChoice.HOSTS_VARIABLE));
    }
  }

  /** What of this machine the container will show: Apptainer's own mounts and the user's. */
  private ProgramRequest request(LaunchSpec spec, String command) {
    ContainerOptions container = spec.container();
    Path here =
        spec.slurm(SlurmOption.CHDIR)
            .map(console.workingDirectory()::resolve)
            .orElse(console.workingDirectory());
    boolean own = container.flags().contains(ContainerFlag.CONTAIN);
    Map<String, Path> mounts = new HashMap<>();
    String home = console.environment().getOrDefault("HOME", "");
    if (home.startsWith("/")
        && container.home().isEmpty()
        && !own
        && !container.flags().contains(ContainerFlag.NO_HOME)
        && !container.noMount().contains("home")) {
      mounts.put(home, Path.of(home));
    }
    if (!own && !container.noMount().contains("cwd")) {
      mounts.put(here.toString(), here);
    }
    if (!own && !container.noMount().contains("tmp")) {
      mounts.put("/tmp", Path.of("/tmp"));
      mounts.put("/var/tmp", Path.of("/var/tmp"));
    }
    for (BindMount bind : container.binds()) {
      mounts.put(bind.destination().toString(), Path.of(bind.source().toString()));
    }
    mounts.remove("/");
    Map<String, String> environment = new HashMap<>();
    for (EnvironmentVariable variable : container.environment()) {
      if (variable.name().matches("PATH|LD_LIBRARY_PATH")) {
        environment.put(variable.name(), variable.value().toString());
      }
    }
    return new ProgramRequest(
        command,
        container.workingDirectory().map(ByteString::toString).orElse(here.toString()),
        environment,
        mounts);
  }

  /**
   * Submits the launch; returns what {@code sbatch --parsable} prints.
   *
   * @param single whether it must be one job: an array that the environment asks for is left out
   */
  String submit(LaunchSpec spec, boolean single) {
    Set<String> overriding =
        spec.slurm().stream()
            .map(setting -> setting.option().variable())
            .filter(variable -> !variable.isEmpty())
            .collect(Collectors.toSet());
    // Whether the job waits in the queue is hpcrun's business, not the environment's.
    overriding.add("SBATCH_WAIT");
    if (single) {
      overriding.add(SlurmOption.ARRAY.variable());
    }
    String job = slurm.submit(script(spec), overriding);
    ImagePull.claim(spec.image(), job, console.environment());
    return job;
  }

  /** Whether the launch is a job array. */
  static boolean isArray(LaunchSpec spec) {
    return spec.slurm(SlurmOption.ARRAY).isPresent()
        || spec.verbatim().stream()
            .anyMatch(option -> option.startsWith("-a") || option.startsWith("--ar"));
  }
}
