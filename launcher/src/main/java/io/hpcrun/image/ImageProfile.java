package io.hpcrun.image;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What an image holds that decides how it can be run, read without running it.
 *
 * @param architecture Go's name of the architecture of its C library
 * @param system name and version of its distribution, as in os-release; empty if it says nothing
 * @param libc its C library; empty if it has none, as an image with one static program
 * @param mpi every MPI library in it
 * @param pmi every client library of a process manager
 * @param network UCX, libfabric, rdma-core
 * @param gpu CUDA, ROCm and their communication libraries
 * @param programs programs of the image that name one of its MPI libraries, and that library's
 *     soname; of very many or very large programs, the smaller ones
 * @param labels labels that its author gave it
 */
public record ImageProfile(
    Optional<String> architecture,
    Optional<String> system,
    Optional<Library> libc,
    List<Mpi> mpi,
    List<Library> pmi,
    List<Library> network,
    List<Library> gpu,
    Map<String, String> programs,
    Map<String, String> labels) {

  /**
   * A library.
   *
   * @param name its usual name, such as {@code pmix} or {@code ucx}
   * @param version its version; empty if the file does not tell
   * @param path of the real file, from the image's root
   * @param parts plug-ins that belong to it, such as PMIx's psec components
   */
  public record Library(String name, Optional<String> version, String path, List<String> parts) {}

  /**
   * An MPI library.
   *
   * @param family whose it is
   * @param version its release; empty if the file does not tell
   * @param path of the real file, from the image's root
   * @param soname by which programs name it
   * @param speaks the process-management interfaces that it is built for: {@code pmix}, {@code
   *     pmi2}
   * @param state {@code FIRST:LAST:OFFSET}: where the mapped file keeps the state of MPI, an int
   *     that is between FIRST and LAST while MPI is initialised, with {@code -} for OFFSET if the
   *     file hides it; empty if nothing is known
   */
  public record Mpi(
      Family family,
      Optional<String> version,
      String path,
      String soname,
      List<String> speaks,
      String state) {
    /** Name and version in messages; the file of one that is not known. */
    public String label() {
      return family == Family.UNKNOWN
          ? "/" + path
          : family.label() + version.map(v -> " " + v).orElse("");
    }
  }

  /** The families of MPI libraries. */
  public enum Family {
    /** Open MPI. */
    OPEN_MPI("Open MPI"),
    /** MPICH. */
    MPICH("MPICH"),
    /** Intel MPI, of MPICH's ABI. */
    INTEL_MPI("Intel MPI"),
    /** MVAPICH, of MPICH's ABI. */
    MVAPICH("MVAPICH"),
    /** HPE Cray MPICH, of MPICH's ABI. */
    CRAY_MPICH("Cray MPICH"),
    /** Something else that calls itself libmpi. */
    UNKNOWN("unknown MPI");

    private final String label;

    Family(String label) {
      this.label = label;
    }

    /** The family of this name; unknown for any other. */
    static Family of(String label) {
      return Stream.of(values())
          .filter(each -> each.label.equals(label))
          .findFirst()
          .orElse(UNKNOWN);
    }

    /** The name in messages. */
    public String label() {
      return label;
    }
  }
}
