package io.hpcrun.request;

import io.hpcrun.cluster.Partition;
import io.hpcrun.failure.Failure;
import io.hpcrun.packing.Packing;
import io.hpcrun.packing.Resources;
import io.hpcrun.packing.Wish;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.spec.SlurmTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Supplier;

/** From {@code --resources}, what a job needs in all, to sbatch's options. */
final class ResourceOptions {
  private static final String NAME = OwnOption.RESOURCES.option();

  /**
   * Options that say how large a job is in another way; what the site says of them is not for it.
   */
  private static final Set<String> OTHERWISE =
      Set.of(
          SlurmOption.NODES.option(),
          SlurmOption.NODELIST.option(),
          SlurmOption.NTASKS_PER_NODE.option(),
          SlurmOption.NTASKS_PER_CORE.option(),
          SlurmOption.NTASKS_PER_GPU.option(),
          SlurmOption.NTASKS_PER_SOCKET.option(),
          SlurmOption.THREADS_PER_CORE.option(),
          SlurmOption.EXTRA_NODE_INFO.option(),
          SlurmOption.OVERCOMMIT.option(),
          SlurmOption.MEM.option(),
          SlurmOption.MEM_PER_CPU.option(),
          SlurmOption.MEM_PER_GPU.option(),
          SlurmOption.GPUS.option(),
          SlurmOption.GPUS_PER_NODE.option(),
          SlurmOption.GPUS_PER_TASK.option(),
          SlurmOption.CPUS_PER_GPU.option());

  private final List<Setting> settings;
  private final Map<String, String> environment;

  private ResourceOptions(List<Setting> settings, Map<String, String> environment) {
    this.settings = settings;
    this.environment = environment;
  }

  /**
   * Whether a later setting takes the place of an earlier one: the resources that a file or the
   * command line names, that of the site, of modules and files before it; a site's resources are
   * replaced by what is said of nodes. Else both stay, and the launch is refused.
   */
  static boolean replaces(Setting later, Setting earlier) {
    return later.name().equals(NAME)
            && OTHERWISE.contains(earlier.name())
            && earlier.origin().kind().compareTo(Origin.Kind.JOB_FILE) <= 0
        || earlier.name().equals(NAME)
            && OTHERWISE.contains(later.name())
            && later.origin().kind() != Origin.Kind.PACKING
            && earlier.origin().kind().compareTo(Origin.Kind.MODULE) <= 0;
  }

  /**
   * The options that follow from the resources; nothing if none are named, or nothing is known of
   * partitions.
   *
   * @param settings all that is said of the launch
   * @param environment the user's variables
   * @param partitions those of the cluster, asked for only if they are needed
   * @throws Failure with exit code 3 if the job could never start; 2 if the size of the job is said
   *     otherwise, too
   */
  static Optional<Layer> packed(
      List<Setting> settings,
      Map<String, String> environment,
      Supplier<List<Partition>> partitions) {
    return new ResourceOptions(settings, environment).packed(partitions);
  }

  private Optional<Layer> packed(Supplier<List<Partition>> partitions) {
    Optional<Setting> given = setting(NAME);
    if (given.isEmpty()) {
      return Optional.empty();
    }
    refuseOtherwise(given.get());
    Wish wish = wish(given.get());
    List<Partition> there = partitions.get();
    return there.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Layer(Packing.pack(wish, there).stream().map(ResourceOptions::setting).toList()));
  }

  private static Setting setting(Packing.Choice choice) {
    return new Setting(
        choice.option().option(),
        List.of(ByteString.of(choice.value()).latin1()),
        new Origin(Origin.Kind.PACKING, choice.reason()));
  }

  private void refuseOtherwise(Setting given) {
    for (Setting setting : settings) {
      if (OTHERWISE.contains(setting.name())) {
        throw both(given, "--" + setting.name(), setting.origin().toString());
      }
    }
    for (String name : OTHERWISE.stream().sorted().toList()) {
      OptionTable.variable(name)
          .filter(variable -> !environment.getOrDefault(variable, "").isEmpty())
          .ifPresent(
              variable -> {
                throw both(given, "--" + name, "variable: " + variable);
              });
    }
  }

  private static Failure both(Setting given, String option, String origin) {
    return Failure.usage(
        "%s (%s) and --%s (%s) both say how large the job is"
            .formatted(option, origin, NAME, given.origin()),
        "leave one of them out; beside --%s may stand ntasks, cpus-per-task and partition; --unset=%1$s"
                .formatted(NAME)
            + " takes back what a file says");
  }

  private Wish wish(Setting given) {
    Optional<Setting> partition = setting(SlurmOption.PARTITION.option());
    boolean ofSite =
        partition
            .filter(each -> each.origin().kind().compareTo(Origin.Kind.MODULE) <= 0)
            .isPresent();
    Optional<String> named = said(SlurmOption.PARTITION);
    return new Wish(
        Resources.parse(last(given)),
        given.origin().toString(),
        ofSite ? List.of() : named.map(names -> List.of(names.split(","))).orElse(List.of()),
        ofSite ? named : Optional.empty(),
        number(SlurmOption.NTASKS),
        number(SlurmOption.CPUS_PER_TASK),
        said(SlurmOption.TIME_MIN)
            .or(() -> said(SlurmOption.TIME))
            .map(SlurmTime::seconds)
            .orElse(OptionalLong.empty()),
        said(SlurmOption.CONSTRAINT).orElse(""),
        said(SlurmOption.ACCOUNT),
        said(SlurmOption.QOS),
        said(SlurmOption.RESERVATION).isPresent(),
        said(SlurmOption.HINT).isPresent());
  }

  private OptionalLong number(SlurmOption option) {
    return said(option)
        .filter(option.value()::matches)
        .map(value -> OptionalLong.of(Long.parseLong(value)))
        .orElse(OptionalLong.empty());
  }

  private Optional<Setting> setting(String name) {
    return settings.stream()
        .filter(setting -> setting.name().equals(name))
        .reduce((first, last) -> last);
  }

  /** By an option or a variable of the user's shell. */
  private Optional<String> said(SlurmOption option) {
    return setting(option.option())
        .map(ResourceOptions::last)
        .or(() -> OptionTable.variable(option.option()).map(environment::get))
        .filter(value -> !value.isEmpty());
  }

  private static String last(Setting setting) {
    return ByteString.ofLatin1(setting.values().getLast()).toString();
  }
}
