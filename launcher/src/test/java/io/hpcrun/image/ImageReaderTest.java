package io.hpcrun.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ImageReaderTest {
  @TempDir private Path directory;

  /** The codes are those of sylabs/sif, pkg/sif/arch.go. */
  @ParameterizedTest
  @CsvSource({
    "01,386",
    "02,amd64",
    "03,arm",
    "04,arm64",
    "05,ppc64",
    "06,ppc64le",
    "07,mips",
    "08,mipsle",
    "09,mips64",
    "10,mips64le",
    "11,s390x",
    "12,riscv64"
  })
  void readsTheArchitecture(String code, String architecture) throws IOException {
    Image image = ImageReader.read(write("a.sif", sif(code, 128, 0)));
    assertThat(image.architecture()).contains(architecture);
    assertThat(image.id()).contains("01020304-0506-0708-090a-0b0c0d0e0f10");
    assertThat(image.format()).isEqualTo(Image.Format.SIF);
    assertThat(image.size()).isEqualTo(128);
  }

  @Test
  void namesAnUnknownArchitecture() throws IOException {
    assertThat(ImageReader.read(write("a.sif", sif("77", 128, 0))).architecture())
        .contains("unknown (SIF code 77)");
  }

  @Test
  void takesADirectoryWithARootFileSystem() throws IOException {
    Path sandbox = Files.createDirectory(directory.resolve("sandbox"));
    Files.createDirectory(sandbox.resolve(".singularity.d"));
    assertThat(ImageReader.read(sandbox).format()).isEqualTo(Image.Format.SANDBOX);
  }

  @Test
  void refusesWhatIsNoImage() throws IOException {
    refuses(directory.resolve("none.sif"), "does not exist");
    refuses(directory.resolve("no/such/none.sif"), "does not exist");
    refuses(write("empty.sif", new byte[0]), "is empty");
    refuses(write("text.sif", "hello, this is no image\n".getBytes()), "is not a SIF file");
    refuses(write("squash.sif", "hsqs and more".getBytes()), "a bare squashfs file");
    refuses(write("tar.gz", latin1("\u001f\u008b\u0008")), "a gzip archive");
    refuses(write("elf", latin1("\u007fELF")), "a program");
    refuses(Files.createDirectory(directory.resolve("dir")), "is not a sandbox image");
    refuses(Path.of("/dev/null"), "neither a file nor a directory");
  }

  @Test
  void refusesAnImageThatIsCutOff() throws IOException {
    refuses(write("short.sif", java.util.Arrays.copyOf(sif("02", 128, 0), 100)), "is cut off");
    refuses(write("cut.sif", sif("02", 4096, 100_000)), "cut off: 4096 bytes of 104096");
  }

  private void refuses(Path path, String why) {
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> ImageReader.read(path))
        .withMessageContaining(path.toString())
        .withMessageContaining(why)
        .matches(failure -> failure.exitCode() == ExitCode.IMAGE)
        .matches(failure -> !failure.remedy().isEmpty());
  }

  private Path write(String name, byte[] bytes) throws IOException {
    return Files.write(directory.resolve(name), bytes);
  }

  private static byte[] latin1(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static byte[] sif(String architecture, int size, long dataSize) {
    ByteBuffer header = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    header.put(latin1("#!/usr/bin/env run-singularity\n")).position(32);
    header.put(latin1("SIF_MAGIC\0")).put(latin1("01\0")).put(latin1(architecture + "\0"));
    for (byte b = 1; b <= 16; b++) {
      header.put(b);
    }
    header.putLong(112, size - (dataSize > 0 ? 0 : 128)).putLong(120, dataSize);
    return header.array();
  }
}
