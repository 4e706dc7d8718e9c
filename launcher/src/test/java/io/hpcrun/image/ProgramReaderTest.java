package io.hpcrun.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.Tool;
import io.hpcrun.image.ImageProfile.Family;
import io.hpcrun.image.ImageProfile.Mpi;
import io.hpcrun.image.Program.Reach;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Commands in small containers: which MPI library would the loader give them? */
class ProgramReaderTest {
  private static final String OPEN_MPI = "int ompi_mpi_comm_world, MPI_Init;";
  private static final String MPICH = "int MPIR_Process, MPI_Init;";

  @TempDir Path directory;
  private Path root;

  @BeforeEach
  void makeRoot() throws IOException {
    root = Files.createDirectories(directory.resolve("root"));
    text("etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n");
    text("etc/ld.so.conf.d/local.conf", "# none\n/opt/configured\n");
    Files.createDirectories(root.resolve("bin"));
  }

  private void text(String path, String text) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private void compile(Path file, String source, String... options) throws IOException {
    Files.createDirectories(file.getParent());
    Path code = Files.writeString(directory.resolve("code.c"), source);
    List<String> words = new ArrayList<>(List.of("cc", "-fPIC", "-nostdlib", "-o"));
    words.addAll(List.of(file.toString(), code.toString()));
    words.addAll(List.of(options));
    Tool.run(words);
  }

  private void library(String path, String soname, String source, String... options)
      throws IOException {
    List<String> all = new ArrayList<>(List.of("-shared", "-Wl,-soname," + soname));
    all.addAll(List.of(options));
    compile(root.resolve(path), source, all.toArray(String[]::new));
  }

  /** A program that needs a library of the root, and uses it. */
  private void program(Path file, String library, String... options) throws IOException {
    List<String> all =
        new ArrayList<>(
            List.of("-no-pie", "-Wl,--allow-shlib-undefined", root.resolve(library).toString()));
    all.addAll(List.of(options));
    compile(
        file, "extern int MPI_Init; int _start() { return MPI_Init; }", all.toArray(String[]::new));
  }

  private Program read(String command, Map<String, String> environment, Map<String, Path> mounts)
      throws IOException {
    Image image = ImageReader.read(root);
    return ProgramReader.read(
            image,
            ProfileReader.read(image),
            new ProgramRequest(command, "/work", environment, mounts))
        .program();
  }

  private Program read(String command) throws IOException {
    return read(command, Map.of(), Map.of());
  }

  private static String mpi(Program program) {
    return program.mpi().map(Mpi::path).orElse("none");
  }

  /** Two MPIs with one soname: Open MPI 1.10's and MPICH's. */
  private void makeBoth() throws IOException {
    library("opt/configured/libmpi.so.12.0.7", "libmpi.so.12", OPEN_MPI);
    library("opt/mpich/libmpi.so.12.1.8", "libmpi.so.12", MPICH);
    for (String link : List.of("opt/configured/libmpi.so.12", "opt/mpich/libmpi.so.12")) {
      Path real =
          link.contains("mpich") ? Path.of("libmpi.so.12.1.8") : Path.of("libmpi.so.12.0.7");
      Files.createSymbolicLink(root.resolve(link), real);
    }
  }

  @Test
  void takesTheConfiguredDirectory() throws IOException {
    makeBoth();
    program(root.resolve("bin/app"), "opt/mpich/libmpi.so.12");
    Program program = read("app");
    assertThat(program.path()).contains("/bin/app");
    assertThat(program.reach()).isEqualTo(Reach.CLOSED);
    assertThat(mpi(program)).isEqualTo("opt/configured/libmpi.so.12.0.7");
    assertThat(program.mpi().get().family()).isEqualTo(Family.OPEN_MPI);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-Wl,--disable-new-dtags,-rpath,/opt/mpich",
        "-Wl,--enable-new-dtags,-rpath,/opt/mpich",
        "-Wl,--enable-new-dtags,-rpath,$ORIGIN/../opt/mpich",
        "-Wl,--disable-new-dtags,-rpath,/nowhere:${ORIGIN}/../opt/mpich"
      })
  void followsRpathAndRunpath(String option) throws IOException {
    makeBoth();
    program(root.resolve("bin/app"), "opt/mpich/libmpi.so.12", option);
    assertThat(mpi(read("app"))).isEqualTo("opt/mpich/libmpi.so.12.1.8");
  }

  @Test
  void anRpathBeatsTheLibraryPathAndARunpathDoesNot() throws IOException {
    makeBoth();
    Map<String, String> path = Map.of("LD_LIBRARY_PATH", "/opt/configured");
    program(
        root.resolve("bin/old"),
        "opt/mpich/libmpi.so.12",
        "-Wl,--disable-new-dtags,-rpath,/opt/mpich");
    assertThat(mpi(read("old", path, Map.of()))).startsWith("opt/mpich/");
    program(
        root.resolve("bin/new"),
        "opt/mpich/libmpi.so.12",
        "-Wl,--enable-new-dtags,-rpath,/opt/mpich");
    assertThat(mpi(read("new", path, Map.of()))).startsWith("opt/configured/");
  }

  @Test
  void readsTheImagesOwnEnvironment() throws IOException {
    makeBoth();
    text(
        ".singularity.d/env/90-environment.sh",
        "export LD_LIBRARY_PATH=\"/opt/mpich:${LD_LIBRARY_PATH:-}\"\nexport PATH=/opt/bin:$PATH\n");
    text(
        ".singularity.d/env/99-runtimevars.sh",
        "if [ -n \"${SING_USER_DEFINED_PATH:-}\" ]; then\n\tPATH=\"${SING_USER_DEFINED_PATH}\"\nfi\n");
    program(root.resolve("opt/bin/app"), "opt/mpich/libmpi.so.12");
    Program program = read("app");
    assertThat(program.path()).contains("/opt/bin/app");
    assertThat(mpi(program)).isEqualTo("opt/mpich/libmpi.so.12.1.8");
  }

  @Test
  void findsMpiBehindAnotherLibrary() throws IOException {
    makeBoth();
    library(
        "usr/lib/libsolver.so",
        "libsolver.so",
        "extern int MPI_Init; int solve() { return MPI_Init; }",
        root.resolve("opt/mpich/libmpi.so.12").toString(),
        "-Wl,--enable-new-dtags,-rpath,/opt/mpich");
    compile(
        root.resolve("bin/app"),
        "extern int solve(); int _start() { return solve(); }",
        "-no-pie",
        "-Wl,--allow-shlib-undefined",
        root.resolve("usr/lib/libsolver.so").toString());
    assertThat(mpi(read("app"))).isEqualTo("opt/mpich/libmpi.so.12.1.8");
  }

  @Test
  void looksAtProgramsThatAreMounted() throws IOException {
    makeBoth();
    Path home = directory.resolve("home");
    program(home.resolve("build/app"), "opt/mpich/libmpi.so.12");
    Map<String, Path> mounts = Map.of("/work", home);
    assertThat(mpi(read("build/app", Map.of(), mounts))).startsWith("opt/configured/");
    assertThat(read("./build/../build/app", Map.of(), mounts).path()).contains("/work/build/app");
    assertThat(read("/work/nothing", Map.of(), mounts).reach()).isEqualTo(Reach.UNKNOWN);
  }

  @Test
  void tellsWhatIsMissing() throws IOException {
    library("opt/elsewhere/libmpi.so.12", "libmpi.so.12", MPICH);
    program(root.resolve("bin/app"), "opt/elsewhere/libmpi.so.12");
    Program program = read("app");
    assertThat(mpi(program)).isEqualTo("none");
    assertThat(program.missing()).containsExactly("libmpi.so.12");
  }

  @Test
  void followsLinksAsTheyAreInside() throws IOException {
    makeBoth();
    Files.createDirectories(root.resolve("usr"));
    Files.createSymbolicLink(root.resolve("usr/bin"), Path.of("/bin"));
    Files.createSymbolicLink(root.resolve("usr/loop"), Path.of("loop"));
    program(root.resolve("bin/real-app"), "opt/mpich/libmpi.so.12");
    Files.createSymbolicLink(root.resolve("bin/app"), Path.of("../usr/bin/real-app"));
    assertThat(read("/usr/bin/app").path()).contains("/bin/real-app");
    assertThat(read("/usr/loop/app").path()).isEmpty();
  }

  @Test
  void scriptsAndProgramsThatLoadOthersAreOpen() throws IOException {
    text("bin/script", "#!/bin/sh\n");
    assertThat(read("script").reach()).isEqualTo(Reach.OPEN);
    compile(
        root.resolve("bin/python"),
        "extern int dlopen(); int _start() { return dlopen(); }",
        "-shared");
    library("usr/lib/libother.so", "libother.so", "int dlopen() { return 0; }");
    compile(
        root.resolve("bin/python"),
        "extern int dlopen(); int _start() { return dlopen(); }",
        "-no-pie",
        root.resolve("usr/lib/libother.so").toString());
    assertThat(read("python").reach()).isEqualTo(Reach.OPEN);
    text("bin/data", "no program");
    assertThat(read("data").reach()).isEqualTo(Reach.UNKNOWN);
    assertThat(read("nothing")).isEqualTo(Program.unknown("nothing"));
  }

  /** Whatever is broken in a file: it is looked at, and that is all. */
  @Test
  void damagedFilesAreNoDefect() throws IOException {
    makeBoth();
    Path app = root.resolve("bin/app");
    program(app, "opt/mpich/libmpi.so.12");
    byte[] good = Files.readAllBytes(app);
    for (int length : new int[] {0, 1, 16, 63, 64, 200, 1000, good.length / 2, good.length - 1}) {
      Files.write(app, java.util.Arrays.copyOf(good, length));
      assertThat(read("app").path()).contains("/bin/app");
    }
    for (int at = 16; at < 64; at++) {
      byte[] bad = good.clone();
      java.util.Arrays.fill(bad, at, Math.min(64, at + 4), (byte) 0x7f);
      Files.write(app, bad);
      assertThat(read("app").path()).as("changed at %d", at).contains("/bin/app");
    }
    try (var channel = Files.newByteChannel(app, java.nio.file.StandardOpenOption.WRITE)) {
      channel.position(3L << 30).write(java.nio.ByteBuffer.wrap(new byte[1]));
    }
    assertThat(read("app").reach()).isEqualTo(Reach.UNKNOWN);
  }

  @Test
  void remembersUntilAFileChanges() throws IOException {
    makeBoth();
    Path home = Files.createDirectories(directory.resolve("home"));
    program(home.resolve("app"), "opt/mpich/libmpi.so.12");
    ProgramJson.Remembered remembered =
        new ProgramJson.Remembered(
            read("./app", Map.of(), Map.of("/work", home)), Map.of("/x", "1 2 3"));
    assertThat(ProgramJson.read(ProgramJson.write(remembered))).contains(remembered);
    assertThat(ProgramJson.read("{}".getBytes(StandardCharsets.UTF_8))).isEmpty();
  }
}
