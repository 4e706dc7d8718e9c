package io.hpcrun.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hpcrun.Tool;
import io.hpcrun.failure.Failure;
import io.hpcrun.image.ImageProfile.Family;
import io.hpcrun.image.ImageProfile.Library;
import io.hpcrun.image.ImageProfile.Mpi;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Profiles of small images whose libraries a compiler makes here. */
class ProfileReaderTest {
  private static final String LIB = "usr/lib/x86_64-linux-gnu/";
  private static final int SQUASHFS = 1;
  private static final int ENCRYPTED = 5;

  @TempDir Path directory;
  private Path root;

  @BeforeEach
  void makeRoot() throws IOException {
    root = Files.createDirectories(directory.resolve("root"));
    Files.createDirectories(root.resolve("etc"));
    Files.createDirectories(root.resolve("bin"));
  }

  private void text(String path, String text) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private void link(String path, String target) throws IOException {
    Files.createSymbolicLink(root.resolve(path), Path.of(target));
  }

  /** A shared library with this source. */
  private void library(String path, String soname, String source, String... options)
      throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    Path code = Files.writeString(directory.resolve("library.c"), source);
    List<String> words = new ArrayList<>(List.of("cc", "-shared", "-fPIC", "-nostdlib"));
    words.addAll(List.of("-Wl,-soname," + soname, "-o", file.toString(), code.toString()));
    words.addAll(List.of(options));
    Tool.run(words);
  }

  private static String constants(String... texts) {
    StringBuilder source = new StringBuilder();
    int i = 0;
    for (String text : texts) {
      source.append("const char c").append(i++).append("[] = \"").append(text).append("\";\n");
    }
    return source.toString();
  }

  private ImageProfile sandbox() throws IOException {
    return ProfileReader.read(ImageReader.read(root));
  }

  /** A SIF file with one part (sylabs/sif, pkg/sif). */
  private Path sif(int fileSystem, byte[] part) throws IOException {
    Path file = directory.resolve("image.sif");
    int at = 36 << 10;
    ByteBuffer head = ByteBuffer.allocate(at).order(ByteOrder.LITTLE_ENDIAN);
    head.put("#!/usr/bin/env run-singularity\n\0".getBytes(StandardCharsets.US_ASCII));
    head.put("SIF_MAGIC\0".getBytes(StandardCharsets.US_ASCII)).put("01\0".getBytes());
    head.put("02\0".getBytes());
    head.putLong(88, 48).putLong(96, 4096).putLong(104, 48 * 585);
    head.putLong(112, at).putLong(120, part.length);
    int second = 4096 + 585;
    head.putInt(second, 0x4004).put(second + 4, (byte) 1);
    head.putLong(second + 17, at).putLong(second + 25, part.length);
    head.putInt(second + 201, fileSystem).putInt(second + 205, 2);
    try (OutputStream out = Files.newOutputStream(file)) {
      out.write(head.array());
      out.write(part);
    }
    return file;
  }

  private ImageProfile sif() throws IOException {
    Path squashfs = directory.resolve("root.squashfs");
    Tool.run(List.of("mksquashfs", root.toString(), squashfs.toString(), "-quiet", "-no-progress"));
    return ProfileReader.read(ImageReader.read(sif(SQUASHFS, Files.readAllBytes(squashfs))));
  }

  private void makeOpenMpi() throws IOException {
    library(
        LIB + "libmpi.so.40.30.4",
        "libmpi.so.40",
        "int ompi_mpi_comm_world;\n"
            + constants("OMPI/MPI coll sync MCA component version 4.1.4, from MPICH v3.4.1"));
    link(LIB + "libmpi.so.40", "libmpi.so.40.30.4");
    library(LIB + "openmpi/mca_pmix_ext3x.so", "", "");
    library(
        LIB + "libpmix.so.2.9.2",
        "libpmix.so.2",
        "int PMIx_Init, pmix_mca_psec_native_component;\n" + constants("2.9.1", "4.2.2"));
    library(LIB + "pmix/pmix_mca_psec_munge.so", "", "");
    library(
        LIB + "libc.so.6",
        "libc.so.6",
        constants("GNU C Library (X) stable release version 2.36."));
    text("etc/os-release", "NAME=x\nPRETTY_NAME=\"Debian 12\"\n");
    text(".singularity.d/labels.json", "{\"maintainer\":\"A \\\"B\\\"\",\"n\":1}");
  }

  @Test
  void readsASifFileAsItReadsADirectory() throws IOException {
    makeOpenMpi();
    ImageProfile profile = sif();
    assertThat(profile).isEqualTo(sandbox());
    assertThat(profile.system()).contains("Debian 12");
    assertThat(profile.libc())
        .contains(new Library("glibc", Optional.of("2.36"), LIB + "libc.so.6", List.of()));
    assertThat(profile.mpi())
        .containsExactly(
            new Mpi(
                Family.OPEN_MPI,
                Optional.of("4.1.4"),
                LIB + "libmpi.so.40.30.4",
                "libmpi.so.40",
                List.of("pmix"),
                ""));
    assertThat(profile.pmi())
        .containsExactly(
            new Library(
                "pmix",
                Optional.of("4.2.2"),
                LIB + "libpmix.so.2.9.2",
                List.of("psec_munge", "psec_native")));
    assertThat(profile.labels()).containsExactly(java.util.Map.entry("maintainer", "A \"B\""));
  }

  @Test
  void namesTheProgramsThatNeedMpi() throws IOException {
    library("opt/mpi/libmpi.so.40.30.4", "libmpi.so.40", "int ompi_mpi_comm_world, MPI_Init;");
    library(
        "opt/app/bin/app",
        "",
        "int x;",
        "-Wl,--no-as-needed",
        root.resolve("opt/mpi/libmpi.so.40.30.4").toString());
    library("usr/bin/other", "", "int x;");
    text("usr/bin/script", "#!/bin/sh\n");
    assertThat(sif()).isEqualTo(sandbox());
    assertThat(sandbox().programs())
        .containsExactly(java.util.Map.entry("opt/app/bin/app", "libmpi.so.40"));
  }

  @ParameterizedTest
  @CsvSource({
    "libmpich.so.12.1.8, libmpich.so.12, 'int MPI_Init;', MPICH, 4.0.2, pmi2",
    "libmpi.so.12.0.0, libmpi.so.12, 'extern int PMIx_Init(); int MPI_Init() { return PMIx_Init(); }', MPICH, 4.3.0, pmi2 pmix",
    "libmpi.so.12.0.7, libmpi.so.12, 'int ompi_mpi_comm_world;', OPEN_MPI, 1.10.7, ''",
    "libmpi.so.40.40.7, libmpi.so.40, 'int ompi_mpi_comm_world;', OPEN_MPI, 5.0.7, ''"
  })
  void tellsFamiliesApart(
      String name, String soname, String source, Family family, String version, String speaks)
      throws IOException {
    String constants =
        family == Family.MPICH ? constants("x\\000" + version + "\\000", "\\000PMI_FD\\000") : "";
    library(
        "opt/mpi/" + name,
        soname,
        source + "\n" + constants,
        "-Wl,--unresolved-symbols=ignore-all");
    assertThat(sandbox().mpi())
        .containsExactly(
            new Mpi(
                family,
                Optional.of(version),
                "opt/mpi/" + name,
                soname,
                speaks.isEmpty() ? List.of() : List.of(speaks.split(" ")),
                family == Family.OPEN_MPI ? "" : "0:0:-"));
  }

  @Test
  void readsTheVersionOfUcxFromTheLibraryWhereThereIsNoPackageDatabase() throws IOException {
    library(LIB + "libucp.so.0.0.0", "libucp.so.0", constants("x", "A1.13.1") + "int ucp_init;");
    assertThat(sandbox().network())
        .containsExactly(
            new Library("ucx", Optional.of("1.13.1"), LIB + "libucp.so.0.0.0", List.of()));
  }

  @Test
  void aSandboxIsRememberedUntilSoftwareIsInstalled() throws IOException {
    ProfileStore store = new ProfileStore(new UserCache(directory.resolve("cache")));
    makeOpenMpi();
    Files.createDirectories(root.resolve("home/alice"));
    Image image = ImageReader.read(root);
    ImageProfile before = store.of(image);
    assertThat(before.mpi()).hasSize(1);
    Files.delete(root.resolve("etc/os-release"));
    text("etc/os-release", "PRETTY_NAME=other\n");
    library("usr/local/lib/libmpich.so.12.4.1", "libmpich.so.12", "int MPI_Init;");
    assertThat(store.of(image).mpi()).hasSize(2);
    String state = ImageState.of(image);
    text("home/alice/data", "x");
    assertThat(ImageState.of(image)).isEqualTo(state);
    text("opt/tool/lib/libx.so", "x");
    assertThat(ImageState.of(image)).isNotEqualTo(state);
  }

  /** The state that the world-size guard reads: the variable's place in the mapped file. */
  @ParameterizedTest
  @CsvSource({
    "'int ompi_mpi_comm_world = 1, ompi_mpi_state = 7;', 1:2:",
    "'int MPIR_Process[99] = {7};', 1:2:",
    "'int MPIR_Process[99] = {1}, MPIR_world_model_state = 7;', 1:1:"
  })
  void findsTheStateOfMpi(String source, String range) throws IOException {
    library("opt/libmpi.so.12.0.0", "libmpi.so.12", source);
    Mpi mpi = sandbox().mpi().getFirst();
    assertThat(mpi.state()).startsWith(range);
    byte[] file = Files.readAllBytes(root.resolve("opt/libmpi.so.12.0.0"));
    // The linker maps .data one page further on than it is in the file, at the most.
    int at = Integer.parseInt(mpi.state().substring(range.length()));
    assertThat(List.of(at, at - 4096, at - 8192))
        .anyMatch(
            place ->
                place > 0
                    && place < file.length - 4
                    && ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt(place) == 7);
  }

  @ParameterizedTest
  @ValueSource(strings = {"MVAPICH2 Version", "Intel(R) MPI Library", "CRAY MPICH"})
  void tellsMpichsRelativesApart(String mark) throws IOException {
    library("opt/libmpi.so.12.0.0", "libmpi.so.12", "int MPI_Init;\n" + constants(mark));
    assertThat(sandbox().mpi())
        .singleElement()
        .extracting(Mpi::family)
        .isEqualTo(
            switch (mark.charAt(0)) {
              case 'M' -> Family.MVAPICH;
              case 'I' -> Family.INTEL_MPI;
              default -> Family.CRAY_MPICH;
            });
  }

  @Test
  void anImageWithoutLibrariesHasAProfile() throws IOException {
    text("bin/app", "x");
    ImageProfile profile = sif();
    assertThat(profile.libc()).isEmpty();
    assertThat(profile.mpi()).isEmpty();
    assertThat(ProfileJson.read(ProfileJson.write(profile))).contains(profile);
  }

  @Test
  void whatOnlyLooksLikeALibraryIsNone() throws IOException {
    text(LIB + "libmpi.so.40", "/* GNU ld script */ INPUT(libother.so)");
    text(LIB + "libpmix.so", "");
    text(LIB + "libc.so.6", "\u007fELF and then nothing");
    assertThat(sandbox().mpi()).isEmpty();
    assertThat(sandbox().pmi()).isEmpty();
    assertThat(sandbox().libc().orElseThrow().version()).isEmpty();
  }

  @Test
  void aLinkIsNotFollowedOutOfTheImage() throws IOException {
    Files.createDirectories(root.resolve(LIB));
    library("../outside.so", "libmpi.so.12", "int MPI_Init;");
    link(LIB + "libmpi.so.12", directory.resolve("outside.so").toString());
    assertThat(sandbox().mpi()).isEmpty();
    assertThat(sif().mpi()).isEmpty();
  }

  @Test
  void anEncryptedImageIsNamed() throws IOException {
    Path image = sif(ENCRYPTED, new byte[100]);
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> ProfileReader.read(ImageReader.read(image)))
        .withMessageContaining("is encrypted");
  }

  @Test
  void aDamagedFileSystemIsNamed() throws IOException {
    Path image = sif(SQUASHFS, "hsqs and nothing else".getBytes(StandardCharsets.US_ASCII));
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> ProfileReader.read(ImageReader.read(image)))
        .withMessageContaining("cannot be read by unsquashfs");
  }

  @Test
  void aProfileIsRememberedByTheHeader() throws IOException {
    makeOpenMpi();
    ProfileStore store = new ProfileStore(new UserCache(directory.resolve("cache")));
    ImageProfile profile = sif();
    Image image = ImageReader.read(directory.resolve("image.sif"));
    assertThat(store.of(image)).isEqualTo(profile);
    Path remembered =
        directory.resolve("cache/profiles-2/" + image.header().orElseThrow() + ".json");
    Files.writeString(remembered, Files.readString(remembered).replace("Debian 12", "remembered"));
    assertThat(store.of(image).system()).contains("remembered");
    Files.writeString(remembered, "{\"schema\":\"hpcrun.profile/1\"");
    assertThat(store.of(image)).isEqualTo(profile);
  }
}
