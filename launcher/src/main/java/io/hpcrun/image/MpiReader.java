package io.hpcrun.image;

import io.hpcrun.image.ImageProfile.Family;
import io.hpcrun.image.ImageProfile.Mpi;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Tells from the file of an MPI library whose it is, its release, and what wires its ranks. */
final class MpiReader {
  /** Names of MPI libraries. */
  static final Pattern NAME =
      Pattern.compile(
          "lib(mpi|mpich|mpi_abi|mpi_ilp64|mpi_(cray|gnu|intel|nvidia|amd)\\w*)\\.so(\\.[0-9.]+)?");

  /** Open MPI's plug-ins for process-management interfaces, beside the library. */
  static final Pattern OPEN_MPI_PART = Pattern.compile("mca_pmix_(\\w+)\\.so");

  /** MPICH's own version, a string by itself; the first one whose release is from 3 on. */
  static final Pattern PLAIN_VERSION =
      Pattern.compile("(?<=\\x00)([3-9]\\.\\d+(?:\\.\\d+)?(?:(?:rc|b|a)\\d+)?)(?=\\x00)");

  private static final String PMIX = "pmix";
  private static final String PMI2 = "pmi2";
  private static final String LIBPMIX = "libpmix.so";
  private static final Pattern OPEN_MPI_VERSION =
      Pattern.compile(
          "OMPI/MPI \\w+ \\w+ MCA component version (\\d+\\.\\d+\\.\\d+\\w*)|Open MPI v(\\d+\\.\\d+\\.\\d+\\w*)");

  /** MPICH's own client of PMI-1 and PMI-2, which talks through the descriptor of this variable. */
  private static final Pattern PMI_WIRE = Pattern.compile("\\x00PMI_FD\\x00");

  private static final Pattern OTHER_MPI =
      Pattern.compile("(MVAPICH)2? ?(?:Version)?|(Intel\\(R\\) MPI Library)|(CRAY MPICH)");
  private static final Pattern REAL_NAME = Pattern.compile(".*\\.so\\.(\\d+)\\.(\\d+)\\.(\\d+)");

  private MpiReader() {}

  /**
   * Reads an MPI library.
   *
   * @param path where it is
   * @param elf the file
   * @param plugins names of the files in and below its directory that may be its plug-ins
   */
  static Mpi read(String path, Elf elf, Collection<String> plugins) throws IOException {
    Family family = Family.UNKNOWN;
    Optional<String> version = Optional.empty();
    // libmpi.so.12 is MPICH's soname and that of Open MPI 1.10; only Open MPI has this symbol.
    if (!elf.symbols("ompi_mpi_comm_world"::equals).isEmpty()) {
      family = Family.OPEN_MPI;
      version =
          elf.find(OPEN_MPI_VERSION)
              .map(match -> match.group(1) != null ? match.group(1) : match.group(2))
              .or(() -> openMpiFromName(path));
    } else if (elf.soname().startsWith("libmpi")) {
      family = elf.find(OTHER_MPI).map(MpiReader::family).orElse(Family.MPICH);
      version = elf.find(PLAIN_VERSION).map(match -> match.group(1));
    }
    Set<String> speaks = family == Family.OPEN_MPI ? openMpiSpeaks(elf, plugins) : mpichSpeaks(elf);
    return new Mpi(family, version, path, elf.soname(), List.copyOf(speaks), state(family, elf));
  }

  /** Names of the files in and below the directory beside a library where Open MPI has plug-ins. */
  static List<String> pluginsBeside(Path library) throws IOException {
    Path directory = library.toRealPath().resolveSibling("openmpi");
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(directory, 3)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  /**
   * Open MPI, ompi/mpi/c/initialized.c: INIT_STARTED and INIT_COMPLETED; MPICH,
   * src/include/mpir_process.h: initialised, or before 4.0 in and after MPI_Init.
   */
  private static String state(Family family, Elf elf) {
    return elf.address(List.of("ompi_mpi_state", "MPIR_world_model_state", "MPIR_Process"))
        .map(
            symbol ->
                (symbol.getKey().equals("MPIR_world_model_state") ? "1:1:" : "1:2:")
                    + symbol.getValue())
        // Most builds of MPICH hide theirs; then only what MPI_Init loads can tell.
        .orElse(family == Family.OPEN_MPI || family == Family.UNKNOWN ? "" : "0:0:-");
  }

  private static Set<String> mpichSpeaks(Elf elf) throws IOException {
    Set<String> speaks = new TreeSet<>();
    List<String> needed = elf.needed();
    if (!elf.symbols("PMIx_Init"::equals).isEmpty()
        || needed.stream().anyMatch(name -> name.startsWith(LIBPMIX))) {
      speaks.add(PMIX);
    }
    if (elf.find(PMI_WIRE).isPresent()
        || needed.stream().anyMatch(name -> name.matches("libpmi2?\\.so.*"))) {
      speaks.add(PMI2);
    }
    return speaks;
  }

  /**
   * Open MPI from 5.0 on speaks PMIx only (ompi, docs/launching-apps/slurm.rst). Older ones have a
   * plug-in for each interface: s1 and s2 for Slurm's PMI-1 and PMI-2, ext* and pmix* for PMIx.
   */
  private static Set<String> openMpiSpeaks(Elf elf, Collection<String> plugins) {
    Set<String> speaks = new TreeSet<>();
    if (elf.needed().stream().anyMatch(name -> name.startsWith(LIBPMIX))) {
      speaks.add(PMIX);
    }
    plugins.stream()
        .map(OPEN_MPI_PART::matcher)
        .filter(Matcher::matches)
        .forEach(
            matcher -> {
              if (matcher.group(1).matches("s[12]|cray")) {
                speaks.add(PMI2);
              } else if (matcher.group(1).matches("(ext|pmix).*")) {
                speaks.add(PMIX);
              }
            });
    return speaks;
  }

  private static Family family(MatchResult match) {
    if (match.group(1) != null) {
      return Family.MVAPICH;
    }
    return match.group(2) != null ? Family.INTEL_MPI : Family.CRAY_MPICH;
  }

  /** libmpi.so.40.30.6 is Open MPI 4.1.6 (Open MPI's VERSION files, v1.10 to v6.0). */
  private static Optional<String> openMpiFromName(String path) {
    Matcher matcher = REAL_NAME.matcher(path);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    String release =
        switch (matcher.group(1) + "." + matcher.group(2)) {
          case "40.0" -> "3.0";
          case "40.10" -> "3.1";
          case "40.20" -> "4.0";
          case "40.30" -> "4.1";
          case "40.40" -> "5.0";
          default ->
              matcher.group(1).equals("20") ? "2" : matcher.group(1).equals("12") ? "1.10" : "";
        };
    return release.isEmpty()
        ? Optional.empty()
        : Optional.of(release.contains(".") ? release + "." + matcher.group(3) : release);
  }
}
