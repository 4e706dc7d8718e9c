package io.hpcrun.plan;

import io.hpcrun.image.HostMpi;
import io.hpcrun.image.ImageProfile;
import io.hpcrun.image.ImageProfile.Family;
import io.hpcrun.image.ImageProfile.Library;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.FabricChoice.Kind;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.SlurmOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What follows from the network that is wanted, as far as image and request tell: variables of the
 * libraries, and whether the image can serve it. What the nodes have, their agents see.
 */
final class FabricRule {
  private static final String OPTION = "option --fabric";

  /** With which UCX takes a list of what not to use (seen with 1.13 and 1.18). */
  private static final VersionRange NEGATES = VersionRange.from("1.13");

  /** Where a file of the node that is bound may be a library. */
  private static final Pattern LIBRARIES = Pattern.compile("/(usr|lib|lib64|etc|opt)(/|$)");

  private final LaunchSpec spec;
  private final Knowledge known;
  private final List<Decision> decisions;
  private final List<EnvironmentVariable> defaults = new ArrayList<>();
  private final List<Library> network;

  FabricRule(LaunchSpec spec, Knowledge known, List<Decision> decisions) {
    this.spec = spec;
    this.known = known;
    this.decisions = decisions;
    this.network = known.profile().map(ImageProfile::network).orElse(List.of());
  }

  /** Decides; variables of the ranks, unless set. */
  List<EnvironmentVariable> decide() {
    Kind kind = spec.fabric().kind();
    if (kind != Kind.AUTO || spec.fabric().required()) {
      decisions.add(
          new Decision(
              "fabric",
              kind.label() + (spec.fabric().required() ? ", required" : ""),
              spec.fabric().required()
                  ? "nodes that cannot serve it are refused, and ranks that use TCP instead end the"
                      + " launch"
                  : "you asked for it",
              spec.fabric().required() ? "option --require-fabric" : OPTION));
    }
    switch (kind) {
      case TCP -> useTcp();
      case INFINIBAND, ROCE -> useVerbs();
      case SLINGSHOT -> useLibfabric("cxi");
      case OMNIPATH -> useLibfabric("psm2", "opx");
      case EFA -> useLibfabric("efa");
      default -> {}
    }
    if (kind != Kind.TCP && (hasVerbs() || hasNccl())) {
      decisions.add(
          new Decision(
              "network-ports",
              "by each node's agent",
              "ranks get UCX_NET_DEVICES, the ports nearest to their GPUs, and NCCL_IB_HCA where there"
                  + " is a choice, and for RoCE UCX_IB_GID_INDEX and NCCL_IB_GID_INDEX, unless you or"
                  + " the image's author set them; 'hpcrun topo' shows them",
              "docs/gpu-network.md"));
    }
    return defaults;
  }

  private void useTcp() {
    library("ucx")
        .ifPresent(
            ucx ->
                set(
                    "UCX_TLS",
                    NEGATES.contains(ucx.version()) ? "^ib" : "self,sm,tcp",
                    "UCX uses no RDMA"));
    if (library("psm2").isPresent() && hasOpenMpi(VersionRange.ANY)) {
      set("OMPI_MCA_mtl", "^psm2", "Open MPI uses no Omni-Path");
    }
    if (hasOpenMpi(VersionRange.below("5"))) {
      set("OMPI_MCA_btl", "^openib", "Open MPI uses no RDMA by itself");
    }
    if (library("libfabric").isPresent()) {
      set("FI_PROVIDER", "tcp", "libfabric uses no RDMA");
    }
    if (hasNccl()) {
      set("NCCL_IB_DISABLE", "1", "NCCL uses no RDMA");
    }
  }

  private void useVerbs() {
    if (library("ucx").isPresent()) {
      require("ucx");
    } else if (libfabric("verbs")) {
      set("FI_PROVIDER", "verbs;ofi_rxm", "libfabric's provider for InfiniBand and RoCE");
    }
  }

  private void useLibfabric(String... providers) {
    for (String provider : providers) {
      if (libfabric(provider)) {
        set("FI_PROVIDER", provider, "libfabric's provider for it");
        require("cm");
        return;
      }
    }
  }

  /** Of Open MPI's message layers all but one would go on with TCP. */
  private void require(String layer) {
    if (spec.fabric().required() && hasOpenMpi(VersionRange.ANY)) {
      set("OMPI_MCA_pml", layer, "Open MPI ends in MPI_Init rather than using TCP");
    }
  }

  private boolean hasOpenMpi(VersionRange versions) {
    return known.imageMpi().stream()
        .anyMatch(mpi -> mpi.family() == Family.OPEN_MPI && versions.contains(mpi.version()));
  }

  private void set(String name, String value, String reason) {
    if (!spec.container().sets(name)) {
      defaults.add(new EnvironmentVariable(name, ByteString.of(value)));
      decisions.add(new Decision(name, value, reason + ", unless it is set", OPTION));
    }
  }

  /** Why image and request cannot serve the fabric that is required. */
  Optional<Advice> refusal() {
    if (!spec.fabric().required()) {
      return Optional.empty();
    }
    Kind kind = spec.fabric().kind();
    String title = kind.title();
    if (spec.container().noMount().contains("dev")) {
      return Optional.of(
          new Advice(
              "--require-fabric needs the devices of " + title + ", and --no-mount leaves out /dev",
              "leave out --no-mount=dev",
              "option --require-fabric"));
    }
    List<String> has = providers();
    if (has.equals(List.of("?"))) {
      return Optional.empty();
    }
    String lacking =
        switch (kind) {
          case AUTO ->
              has.isEmpty() && !hasNccl() ? "any library for it: UCX, libfabric, rdma-core" : "";
          case INFINIBAND, ROCE ->
              has.stream().anyMatch(each -> each.startsWith("verbs:"))
                  ? ""
                  : "rdma-core's providers (in Debian's package ibverbs-providers, Fedora's"
                      + " libibverbs)";
          case SLINGSHOT -> has.contains("libfabric:cxi") ? "" : "libfabric's provider cxi";
          case OMNIPATH ->
              has.contains("psm2") || has.contains("libfabric") ? "" : "PSM2, or libfabric";
          case EFA ->
              has.containsAll(Set.of("verbs:efa", "libfabric:efa"))
                  ? ""
                  : "rdma-core's and libfabric's provider efa";
          case TCP -> "";
        };
    return lacking.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Advice(
                "the image cannot use " + title + ": it lacks " + lacking,
                "install it in the image, or leave out --require-fabric",
                "hpcrun inspect"));
  }

  /** What the container has for networks, for {@link DevicePlan#providers}. */
  List<String> providers() {
    boolean covered =
        spec.container().binds().stream()
            .anyMatch(bind -> LIBRARIES.matcher(bind.destination().toString()).lookingAt());
    boolean elsewhere =
        Stream.of("", "PREPEND_", "APPEND_")
            .anyMatch(prefix -> spec.container().sets(prefix + "LD_LIBRARY_PATH"));
    if (known.profile().isEmpty()
        || known.host().isPresent()
        || spec.mpi().force()
        || covered
        || elsewhere) {
      return List.of("?");
    }
    return network.stream()
        .flatMap(
            library ->
                switch (library.name()) {
                  case "rdma-core" ->
                      library.parts().stream().map(part -> "verbs:" + part.replaceFirst("-.*", ""));
                  case "libfabric" ->
                      Stream.concat(
                          Stream.of("libfabric"),
                          library.parts().stream().map(part -> "libfabric:" + part));
                  default -> Stream.of(library.name());
                })
        .distinct()
        .sorted()
        .toList();
  }

  /** Whether UCX in the container can use InfiniBand and RoCE: rdma-core's providers are there. */
  boolean hasVerbs() {
    if (known.host().isPresent()) {
      HostMpi host = known.host().get();
      return host.provides("libucp.so.0") && host.provides("libibverbs.so.1");
    }
    return library("ucx").isPresent()
        && network.stream()
            .anyMatch(library -> library.name().equals("rdma-core") && !library.parts().isEmpty());
  }

  /** Whether the job has GRES that are not GPUs, which may be the adapters. */
  boolean hasOtherGres() {
    return spec.slurm(SlurmOption.GRES).filter(gres -> !gres.matches("gpu(:[^,]*)?")).isPresent()
        || Stream.concat(spec.srun().stream(), spec.verbatim().stream())
            .anyMatch(option -> option.startsWith("--gres"))
        || spec.kind() != LaunchSpec.Kind.JOB; // its GRES are in the script, or in the allocation
  }

  private boolean hasNccl() {
    return known.profile().stream()
        .flatMap(profile -> profile.gpu().stream())
        .anyMatch(library -> library.name().equals("nccl") || library.name().equals("rccl"));
  }

  private Optional<Library> library(String name) {
    return network.stream().filter(library -> library.name().equals(name)).findFirst();
  }

  private boolean libfabric(String provider) {
    return network.stream()
        .anyMatch(
            library -> library.name().equals("libfabric") && library.parts().contains(provider));
  }
}
