package io.hpcrun.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hpcrun.Tool;
import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** MPI libraries of a host and of small images: what is shown, and what is against it. */
class HostMpiReaderTest {
  private static final String OPEN_MPI = "int ompi_mpi_comm_world, MPI_Init;";
  private static final String MPICH = "int MPI_Init;";

  @TempDir Path directory;
  private Path host;
  private Path root;

  @BeforeEach
  void makeDirectories() throws IOException {
    host = Files.createDirectories(directory.resolve("host"));
    root = Files.createDirectories(directory.resolve("root"));
    Files.createDirectories(root.resolve("etc"));
    Files.createDirectories(root.resolve("usr/lib"));
  }

  /** A shared library; a link of its soname leads to it. */
  private Path library(Path place, String soname, String source, String... options)
      throws IOException {
    Files.createDirectories(place.getParent());
    Path code = Files.writeString(directory.resolve("code.c"), source);
    List<String> words =
        new ArrayList<>(
            List.of("cc", "-fPIC", "-shared", "-Wl,-soname," + soname, "-o", place.toString()));
    words.add(code.toString());
    words.addAll(List.of(options));
    Tool.run(words);
    Path link = place.resolveSibling(soname);
    if (!Files.exists(link)) {
      Files.createSymbolicLink(link, place.getFileName());
    }
    return link;
  }

  private HostMpi read(String glibc, Path... libraries) throws IOException {
    return read(Program.unknown("app"), glibc, libraries);
  }

  private HostMpi read(Program program, String glibc, Path... libraries) throws IOException {
    Image image = ImageReader.read(root);
    ImageProfile found = ProfileReader.read(image);
    ImageProfile profile =
        new ImageProfile(
            found.architecture(),
            found.system(),
            Optional.of(
                new ImageProfile.Library("glibc", Optional.of(glibc), "lib/libc.so.6", List.of())),
            found.mpi(),
            found.pmi(),
            found.network(),
            found.gpu(),
            found.programs(),
            found.labels());
    return HostMpiReader.read(
        List.of(libraries),
        image,
        profile,
        program,
        profile.mpi(),
        new ProgramRequest("app", "/", Map.of("LD_LIBRARY_PATH", "/opt/lib"), Map.of()));
  }

  private static List<String> binds(HostMpi mpi) {
    return mpi.binds().stream().map(bind -> bind.source() + ":" + bind.destination()).toList();
  }

  @Test
  void showsTheLibraryUnderBothNamesAndOverTheImages() throws IOException {
    Path library = library(host.resolve("libmpi.so.12.4.1"), "libmpi.so.12", MPICH);
    library(root.resolve("usr/lib/libmpich.so.12.2.0"), "libmpich.so.12", MPICH);
    HostMpi mpi = read("2.99", library);
    assertThat(binds(mpi))
        .containsExactlyInAnyOrder(
            library + ":/.hpcrun/mpi/libmpi.so.12",
            library + ":/.hpcrun/mpi/libmpich.so.12",
            library + ":/usr/lib/libmpich.so.12.2.0");
    assertThat(mpi.libraryPath()).isEqualTo("/.hpcrun/mpi:/opt/lib");
    assertThat(mpi.abi()).isTrue();
    assertThat(mpi.older()).isEmpty();
    assertThat(mpi.tooNew()).isEmpty();
    assertThat(mpi.missing()).isEmpty();
    assertThat(mpi.provides("libmpich.so.12")).isTrue();
    assertThat(mpi.mapped())
        .extracting(ImageProfile.Mpi::path)
        .contains("usr/lib/libmpich.so.12.2.0", ".hpcrun/mpi/libmpich.so.12");
  }

  @Test
  void takesTheOneOfTheImagesAbi() throws IOException {
    Path mpich = library(host.resolve("libmpich.so.12.4.1"), "libmpich.so.12", MPICH);
    Path openMpi = library(host.resolve("libmpi.so.40.40.7"), "libmpi.so.40", OPEN_MPI);
    library(root.resolve("usr/lib/libmpi.so.40.30.4"), "libmpi.so.40", OPEN_MPI);
    assertThat(read("2.99", mpich, openMpi).library()).isEqualTo(openMpi);
    HostMpi other = read("2.99", mpich);
    assertThat(other.abi()).isFalse();
    assertThat(binds(other)).noneMatch(bind -> bind.contains(":/usr/lib"));
  }

  /** The image has another MPI than the program, which was built elsewhere. */
  @Test
  void takesTheOneThatTheProgramNeeds() throws IOException {
    Path openMpi = library(host.resolve("libmpi.so.40.40.7"), "libmpi.so.40", OPEN_MPI);
    Path mpich = library(host.resolve("libmpi.so.12.4.1"), "libmpi.so.12", MPICH);
    library(root.resolve("usr/lib/libmpi.so.40.30.4"), "libmpi.so.40", OPEN_MPI);
    Program program =
        new Program(
            "app",
            Optional.of("/app"),
            Program.Reach.OPEN,
            Optional.empty(),
            List.of("libmpich.so.12"));
    HostMpi mpi = read(program, "2.99", openMpi, mpich);
    assertThat(mpi.library()).isEqualTo(mpich);
    assertThat(mpi.abi()).isTrue();
    assertThat(mpi.provides("libmpich.so.12")).isTrue();
    assertThat(binds(mpi)).noneMatch(bind -> bind.contains(":/usr/lib"));
    assertThat(read(program, "2.99", openMpi).abi()).isFalse();
  }

  @Test
  void tellsOpenMpi1FromMpich() throws IOException {
    Path mpich = library(host.resolve("libmpi.so.12.4.1"), "libmpi.so.12", MPICH);
    library(root.resolve("usr/lib/libmpi.so.12.0.3"), "libmpi.so.12", OPEN_MPI);
    assertThat(read("2.99", mpich).abi()).isFalse();
  }

  @Test
  void findsAnOlderRelease() throws IOException {
    Path library = library(host.resolve("libmpich.so.12.2.0"), "libmpich.so.12", MPICH);
    library(root.resolve("usr/lib/libmpich.so.12.4.1"), "libmpich.so.12", MPICH);
    assertThat(read("2.99", library).older())
        .contains("MPICH at " + library, "the image's is MPICH at /usr/lib/libmpich.so.12.4.1");
  }

  @Test
  void namesTheSymbolThatTheImagesCLibraryLacks() throws IOException {
    Path library =
        library(
            host.resolve("libmpi.so.12.4.1"),
            "libmpi.so.12",
            "#include <pthread.h>\n"
                + "int MPI_Init(pthread_t *t, void *(*f)(void *))\n"
                + "{ return pthread_create(t, 0, f, 0); }");
    library(root.resolve("usr/lib/libmpi.so.12.2.0"), "libmpi.so.12", MPICH);
    assertThat(read("2.17", library).tooNew())
        .containsExactly(
            library
                + " needs pthread_create@GLIBC_2.34 of libc.so.6, and the image's glibc is 2.17");
    assertThat(read("2.34", library).tooNew()).isEmpty();
  }

  @Test
  void namesWhatIsMissingOnTheHost() throws IOException {
    Path absent = library(host.resolve("libabsent.so.1.0"), "libabsent.so.1", "int x;");
    Path library =
        library(
            host.resolve("libmpi.so.12.4.1"),
            "libmpi.so.12",
            "extern int x; int *MPI_Init = &x;",
            absent.toString());
    Files.delete(absent);
    assertThat(read("2.99", library).missing()).containsExactly(library + " needs libabsent.so.1");
  }

  /** Of what is not MPI's, the image's programs may need the newer one. */
  @Test
  void takesTheNewerOfOtherLibrariesAndMpisOwnFromTheHost() throws IOException {
    String path = "-Wl,-rpath," + host;
    Path newer = library(host.resolve("liba.so.1.5"), "liba.so.1", "int a;");
    Path older = library(host.resolve("libb.so.1.2"), "libb.so.1", "int b;");
    Path ucx = library(host.resolve("libucp.so.0.0.0"), "libucp.so.0", "int c;");
    Path library =
        library(
            host.resolve("libmpi.so.12.4.1"),
            "libmpi.so.12",
            "extern int a, b, c; int *MPI_Init = &a, *y = &b, *z = &c;",
            newer.toString(),
            older.toString(),
            ucx.toString(),
            path);
    library(root.resolve("usr/lib/libmpi.so.12.2.0"), "libmpi.so.12", MPICH);
    library(root.resolve("usr/lib/liba.so.1.4"), "liba.so.1", "int a;");
    library(root.resolve("usr/lib/libb.so.1.10"), "libb.so.1", "int b;");
    library(root.resolve("usr/lib/libucp.so.0.0.1"), "libucp.so.0", "int c;");
    assertThat(binds(read("2.99", library)))
        .anyMatch(bind -> bind.endsWith(":/.hpcrun/mpi/liba.so.1"))
        .anyMatch(bind -> bind.endsWith(":/.hpcrun/mpi/libucp.so.0"))
        .noneMatch(bind -> bind.contains("libb.so") || bind.contains("libc.so.6"));
  }

  @Test
  void bringsPlugInsAndLeavesOutThoseThatLackSomething() throws IOException {
    String path = "-Wl,-rpath," + host;
    Path fabric = library(host.resolve("libfabric.so.1.2.3"), "libfabric.so.1", "int f;");
    Path absent = library(host.resolve("libabsent.so.1.0"), "libabsent.so.1", "int x;");
    library(host.resolve("libfabric/libgood-fi.so"), "libgood-fi.so", "int g;");
    library(
        host.resolve("libfabric/libbad-fi.so"),
        "libbad-fi.so",
        "extern int x; int *g = &x;",
        absent.toString());
    Files.delete(absent);
    Path library =
        library(
            host.resolve("libmpi.so.12.4.1"),
            "libmpi.so.12",
            "extern int f; int *MPI_Init = &f;",
            fabric.toString(),
            path);
    library(root.resolve("usr/lib/libmpi.so.12.2.0"), "libmpi.so.12", MPICH);
    HostMpi mpi = read("2.99", library);
    assertThat(binds(mpi))
        .contains(host + "/libfabric/libgood-fi.so:/.hpcrun/mpi/libfabric/libgood-fi.so");
    assertThat(mpi.variables())
        .extracting(variable -> variable.name() + "=" + variable.value())
        .containsExactly("FI_PROVIDER_PATH=/.hpcrun/mpi/libfabric");
    assertThat(mpi.leftOut())
        .containsExactly(host + "/libfabric/libbad-fi.so, which needs libabsent.so.1");
    assertThat(mpi.missing()).isEmpty();
  }

  @Test
  void replacesFortranWithTheHostsAndNamesWhatItLacks() throws IOException {
    Path library = library(host.resolve("libmpi.so.12.4.1"), "libmpi.so.12", MPICH);
    library(host.resolve("libmpifort.so.12.4.1"), "libmpifort.so.12", "int f;");
    library(root.resolve("usr/lib/libmpich.so.12.2.0"), "libmpich.so.12", MPICH);
    library(root.resolve("usr/lib/libmpichfort.so.12.2.0"), "libmpichfort.so.12", "int f;");
    library(root.resolve("usr/lib/libmpichcxx.so.12.2.0"), "libmpichcxx.so.12", "int f;");
    HostMpi mpi = read("2.99", library);
    assertThat(binds(mpi))
        .contains(
            host + "/libmpifort.so.12:/usr/lib/libmpichfort.so.12.2.0",
            host + "/libmpifort.so.12:/.hpcrun/mpi/libmpichfort.so.12");
    assertThat(mpi.lacking()).containsExactly("libmpichcxx.so.12");
  }

  /** Below an RPATH the image's own files would be found before the host's. */
  @Test
  void bindsTheNetworksLibrariesOverTheImages() throws IOException {
    String path = "-Wl,-rpath," + host;
    Path ucx = library(host.resolve("libucp.so.0.0.0"), "libucp.so.0", "int c;");
    Path library =
        library(
            host.resolve("libmpi.so.12.4.1"),
            "libmpi.so.12",
            "extern int c; int *MPI_Init = &c;",
            ucx.toString(),
            path);
    library(root.resolve("lib/x86_64-linux-gnu/libc.so.6"), "libc.so.6", "int c;");
    library(root.resolve("opt/mpi/libmpi.so.12.2.0"), "libmpi.so.12", MPICH);
    library(root.resolve("opt/mpi/libucp.so.0.0.7"), "libucp.so.0", "int c;");
    assertThat(binds(read("2.99", library)))
        .contains(ucx + ":/opt/mpi/libucp.so.0.0.7", library + ":/opt/mpi/libmpi.so.12.2.0");
  }

  @Test
  void knowsWhatOpenMpi4SpeaksByItsPlugIns() throws IOException {
    Path library = library(host.resolve("libmpi.so.40.30.4"), "libmpi.so.40", OPEN_MPI);
    library(host.resolve("openmpi/lib/openmpi3/mca_pmix_ext3x.so"), "x", "int x;");
    library(root.resolve("usr/lib/libmpi.so.40.30.1"), "libmpi.so.40", OPEN_MPI);
    assertThat(read("2.99", library).mpi().speaks()).containsExactly("pmix");
  }

  @Test
  void namesFunctionsThatTheHostLacks() throws IOException {
    Path library = library(host.resolve("libmpi.so.12.0.0"), "libmpi.so.12", "int MPI_Init;");
    library(root.resolve("usr/lib/libmpi.so.12.0.0"), "libmpi.so.12", "int MPI_Init, MPI_Send_c;");
    library(
        root.resolve("usr/bin/app"),
        "app",
        "extern int MPI_Init, MPI_Send_c; int *a = &MPI_Init, *b = &MPI_Send_c;");
    Program program =
        new Program(
            "app", Optional.of("/usr/bin/app"), Program.Reach.CLOSED, Optional.empty(), List.of());
    HostMpi mpi = read(program, "2.99", library);
    assertThat(mpi.unknownFunctions()).containsExactly("MPI_Send_c");
    assertThat(mpi.isFit()).isFalse();
  }

  /** Before glibc 2.34, libc.so.6 is a link. */
  @Test
  void knowsTheOldNamesOfTheCLibrary() throws IOException {
    library(
        root.resolve("lib/x86_64-linux-gnu/libc-2.31.so"),
        "libc.so.6",
        "const char c[] = \"GNU C Library (X) stable release version 2.31.\";");
    assertThat(ProfileReader.read(ImageReader.read(root)).libc())
        .contains(
            new ImageProfile.Library(
                "glibc", Optional.of("2.31"), "lib/x86_64-linux-gnu/libc-2.31.so", List.of()));
  }

  @Test
  void refusesWhatIsNoMpiLibrary() throws IOException {
    Path text = Files.writeString(host.resolve("libmpi.so.12"), "no library");
    assertThatThrownBy(() -> read("2.99", text))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("is no shared library that can be read here");
    assertThatThrownBy(() -> read("2.99", host.resolve("none.so")))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("is no shared library");
    Path other = library(host.resolve("libz.so.1.2"), "libz.so.1", "int z;");
    assertThatThrownBy(() -> read("2.99", other))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("whose soname is libz.so.1");
  }
}
