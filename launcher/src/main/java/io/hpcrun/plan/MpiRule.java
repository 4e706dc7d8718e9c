package io.hpcrun.plan;

import io.hpcrun.image.ImageProfile.Family;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One row of the table of MPI rules: when it holds, what follows, why, and who says so. Texts may
 * hold {@code {mpi}}, {@code {speaks}}, {@code {plugin}}, {@code {instead}}, {@code {slurm}},
 * {@code {command}} and {@code {pmix}}; of the host's MPI {@code {image-mpi}}, {@code {host}} and
 * {@code {host-...}}.
 *
 * @param id the row's name in messages and documentation
 * @param when all that must hold
 * @param effect what follows
 * @param reason why, one sentence without its full stop
 * @param source where this is known from
 */
record MpiRule(String id, When when, Effect effect, String reason, String source) {

  /** Something that holds of a launch, or does not. */
  enum Trait {
    /** The command is linked to the MPI for certain. */
    LINKED("the command is linked to it"),
    /** The command may use the MPI, or may not. */
    PERHAPS("the command may use it"),
    /** No MPI that the command may use speaks the plug-in's interface. */
    DEAF("it does not speak the plug-in"),
    /** Some of the MPIs that the command may use speak the plug-in's interface, some do not. */
    MIXED("of several, some do not speak the plug-in"),
    /** There is more than one rank. */
    MANY("more than one rank"),
    /** The command starts MPI ranks by itself. */
    LAUNCHER("the command is mpirun or the like"),
    /** The command starts MPI ranks by itself, or is one rank that may do so. */
    MAY_LAUNCH("the command is mpirun or the like, or one rank that may start it"),
    /** Ranks do not share a container. */
    ALONE("ranks in containers of their own"),
    /** The container does not see the node's directory for PMIx clients. */
    OWN_TMP("the container has a /tmp of its own"),
    /** The container does not see the node's /dev/shm. */
    OWN_SHM("the container has a /dev/shm of its own"),
    /** Slurm gives each job a /tmp of its own. */
    PRIVATE_TMP("JobContainerType gives jobs a /tmp of their own"),
    /** The image has libpmi2, which Intel MPI can load. */
    HAS_PMI2("the image has libpmi2"),
    /** The image has no libpmi2. */
    LACKS_PMI2("the image has no libpmi2"),
    /** The image has UCX. */
    HAS_UCX("the image has UCX"),
    /** The image's PMIx has no plug-in for munge, but one for the system's own authentication. */
    LACKS_MUNGE("the image's PMIx lacks psec munge and has native"),
    /** A library that the command needs is nowhere in the container. */
    MISSING_LIBRARY("a library of the command is missing"),
    /** The host's MPI takes the place of the image's. */
    HOST("the host's MPI takes the image's place"),
    /** The host's MPI lacks functions that the command uses. */
    HOST_LACKS_FUNCTIONS("the host's MPI lacks functions that the command uses"),
    /** A network plug-in of the host's MPI cannot be loaded. */
    HOST_LOST_PLUGIN("a network plug-in of the host's MPI lacks something"),
    /** Programs that are linked to the image's MPI cannot use the host's. */
    HOST_OTHER_ABI("the host's MPI has another ABI"),
    /** The host's MPI is an older release than the image's. */
    HOST_OLDER("the host's MPI is older"),
    /** Something that the host's MPI needs is not on the host. */
    HOST_INCOMPLETE("a library of the host's MPI is missing"),
    /** A file of the host's MPI needs symbols that the image's C library does not have. */
    HOST_TOO_NEW("the host's MPI needs a newer C library than the image's"),
    /** The image has Fortran or C++ parts of MPI that the host's MPI does not have. */
    HOST_LACKS_BINDINGS("the host's MPI lacks Fortran or C++ parts of the image's");

    private final String label;

    Trait(String label) {
      this.label = label;
    }

    String label() {
      return label;
    }
  }

  /**
   * When a row holds.
   *
   * @param families families of the MPI; empty: any, or no MPI at all
   * @param mpi its versions
   * @param plugins kinds of Slurm's plug-in: pmix, pmi2, cray_shasta, none; empty: any
   * @param pmix versions of the image's PMIx
   * @param ucx versions of the image's UCX
   * @param slurm Slurm's versions
   * @param traits what must hold besides
   */
  record When(
      Set<Family> families,
      VersionRange mpi,
      Set<String> plugins,
      VersionRange pmix,
      VersionRange ucx,
      VersionRange slurm,
      Set<Trait> traits) {

    /** Holds always; made narrower by the other methods. */
    static final When ALWAYS =
        new When(
            Set.of(),
            VersionRange.ANY,
            Set.of(),
            VersionRange.ANY,
            VersionRange.ANY,
            VersionRange.ANY,
            Set.of());

    static When mpi(VersionRange versions, Family... families) {
      return new When(
          Set.of(families),
          versions,
          ALWAYS.plugins,
          ALWAYS.pmix,
          ALWAYS.ucx,
          ALWAYS.slurm,
          ALWAYS.traits);
    }

    static When plugin(String... plugins) {
      return ALWAYS.withPlugin(plugins);
    }

    static When that(Trait... traits) {
      return ALWAYS.and(traits);
    }

    When withPlugin(String... wanted) {
      return new When(families, mpi, Set.of(wanted), pmix, ucx, slurm, traits);
    }

    When withPmix(VersionRange versions) {
      return new When(families, mpi, plugins, versions, ucx, slurm, traits);
    }

    When withUcx(VersionRange versions) {
      return new When(families, mpi, plugins, pmix, versions, slurm, traits);
    }

    When withSlurm(VersionRange versions) {
      return new When(families, mpi, plugins, pmix, ucx, versions, traits);
    }

    When and(Trait... more) {
      return new When(families, mpi, plugins, pmix, ucx, slurm, Set.of(more));
    }

    /** In words, for the documentation. */
    String label() {
      Stream<String> ofMpi =
          families.isEmpty()
              ? Stream.of()
              : Stream.of(
                  families.stream().map(Family::label).sorted().collect(Collectors.joining(", "))
                      + (mpi.equals(VersionRange.ANY) ? "" : " " + mpi));
      Stream<String> others =
          Stream.of(
              plugins.isEmpty()
                  ? ""
                  : "--mpi=" + plugins.stream().sorted().collect(Collectors.joining(", ")),
              pmix.equals(VersionRange.ANY) ? "" : "the image's PMIx " + pmix,
              ucx.equals(VersionRange.ANY) ? "" : "the image's UCX " + ucx,
              slurm.equals(VersionRange.ANY) ? "" : "Slurm " + slurm);
      return Stream.of(ofMpi, others, traits.stream().sorted().map(Trait::label))
          .flatMap(part -> part)
          .filter(part -> !part.isEmpty())
          .collect(Collectors.joining("; "));
    }
  }

  /** What follows from a row. */
  sealed interface Effect {
    /** In words, for the documentation. */
    String label();
  }

  /** The plug-ins that can wire such ranks, the best one first. */
  record Wire(List<String> plugins) implements Effect {
    @Override
    public String label() {
      return "wired by " + String.join(", else ", plugins);
    }
  }

  /** A variable, unless it is set. */
  record Setting(String name, String value) implements Effect {
    @Override
    public String label() {
      return name + "=" + value;
    }
  }

  /** The launch is known to fail; only with --force it is done all the same. */
  record Refuse(String remedy) implements Effect {
    @Override
    public String label() {
      return "refused";
    }
  }

  /** The launch may fail. */
  record Warn(String remedy) implements Effect {
    @Override
    public String label() {
      return "warning";
    }
  }
}
