package io.hpcrun.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.jobfile.JobFile;
import io.hpcrun.manifest.ManifestMaker.Planned;
import io.hpcrun.process.Programs;
import io.hpcrun.request.GetoptParser;
import io.hpcrun.request.OptionTable;
import io.hpcrun.request.Requests;
import io.hpcrun.request.Requests.Requested;
import io.hpcrun.spec.ByteString;
import io.hpcrun.template.TemplatePath;
import io.hpcrun.template.Templates;
import io.hpcrun.timing.RecordDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ManifestTest {
  private static final String SECRET = "correct-horse-battery";
  private static final String OTHER_SECRET = "s3cr3t";

  @TempDir private Path directory;

  private Submissions submissions() {
    return Submissions.of(directory);
  }

  @Test
  void isReadAsItWasWritten() throws IOException {
    Files.writeString(
        directory.resolve("job.sh"),
        "#!/bin/bash\n#SBATCH -N 2\n#HPCRUN --image=/a.sif\necho gr\u00f6\u00dfe\n");
    for (Manifest manifest :
        List.of(
            submissions()
                .with("OMP_NUM_THREADS", "4")
                .with("MINE", "x")
                .manifest(
                    "-N", "2", "--env=A=b", "--bind", "/a:/b", "/a.sif", "--", "app", "\u00ff"),
            submissions().manifest("job.sh", "first"))) {
      assertThat(ManifestJson.read(ManifestJson.write(manifest))).contains(manifest);
    }
    assertThat(ManifestJson.read("{}".getBytes(StandardCharsets.UTF_8))).isEmpty();
    assertThat(
            ManifestJson.read(
                "{\"schema\":\"hpcrun.manifest/1\"}".getBytes(StandardCharsets.UTF_8)))
        .isEmpty();
  }

  @Test
  void holdsNoSecret() throws IOException {
    Files.writeString(
        directory.resolve("job.sh"),
        "#!/bin/bash\n#HPCRUN --image=/a.sif\nexport SCRIPT_TOKEN=%s\nexport DB_PASSWORD=%s\n"
            .formatted(SECRET, OTHER_SECRET));
    Submissions user = submissions().with("MY_TOKEN", SECRET).with("UNKNOWN", OTHER_SECRET);
    for (Manifest manifest :
        List.of(
            user.manifest(
                "--env=DB_PASSWORD=" + OTHER_SECRET,
                "--comment=" + SECRET,
                "/a.sif",
                "--",
                "app",
                "--password",
                OTHER_SECRET,
                "--header=Bearer " + SECRET),
            user.manifest("job.sh", "--password=" + OTHER_SECRET))) {
      assertThat(new String(ManifestJson.write(manifest), StandardCharsets.UTF_8))
          .doesNotContain(SECRET)
          .doesNotContain(OTHER_SECRET)
          .contains("DB_PASSWORD");
    }
  }

  @Test
  void keepsValuesOnlyOfVariablesThatAreKnownToMatter() {
    Map<String, String> kept =
        submissions()
            .with("OMP_NUM_THREADS", "4")
            .with("MINE", "private")
            .with("SSH_CONNECTION", "a b")
            .with("HPCRUN_DAEMON", "/x")
            .with("UCX_SECRET", "private")
            .manifest("/a.sif", "app")
            .surroundings()
            .variables();
    assertThat(kept)
        .containsEntry("OMP_NUM_THREADS", "4")
        .doesNotContainKeys("SSH_CONNECTION", "HPCRUN_DAEMON")
        .doesNotContainValue("private");
    assertThat(kept.get("MINE"))
        .matches("\\*\\*\\*:[0-9a-f]{16}")
        .isEqualTo(kept.get("UCX_SECRET"));
  }

  @Test
  void theHeadOfTheScriptHasItsDirectivesAndDecisionsAndNoWordsOfTheUsers() {
    Manifest manifest =
        submissions().manifest("-N", "2", "--env=A=b", "/a.sif", "--", "app", "x".repeat(200), "y");
    assertThat(manifest.outcome().head())
        .startsWith("#!/bin/bash")
        .contains("#SBATCH --nodes=2", "# mpi = pmix", "hpcrun_command=(...)", "hpcrun_mode=")
        .doesNotContain("xxx", "A=b", "hpcrun_main");
    assertThat(manifest.outcome().script()).matches("[0-9a-f]{64}");
  }

  @Test
  void aReplayMakesTheSameScript() throws IOException {
    for (String[] words :
        List.of(
            new String[] {
              "-N", "2", "--mem=0", "--env=A=b=c", "--bind=/a,/b:/c", "--exclusive",
                  "--no-mount=tmp",
              "--sbatch=--licenses=m:1", "--mpi=none", "/a.sif", "--", "app", "$x", "\u00e4 'b'"
            },
            new String[] {"-n", "3", "job.sh", "an argument"})) {
      Files.writeString(
          directory.resolve("job.sh"),
          "#!/bin/bash\n#SBATCH -N 2\n#HPCRUN --image=/a.sif --mpi=none\nhpcrun exec -- app\n");
      Submissions user = submissions().with("OMP_NUM_THREADS", "4").with("SBATCH_QOS", "high");
      Planned first = user.planned(user.requested(words));
      Manifest then = user.manifest(first, words);
      // Another shell: other variables, and the script's file is gone.
      Files.deleteIfExists(directory.resolve("job.sh"));
      Restoration restoration =
          new Restoration(
              then, user.masking(), Map.of("HOME", "/home/alice", "OMP_PROC_BIND", "close"));
      assertThat(restoration.toSet())
          .isEqualTo(Map.of("OMP_NUM_THREADS", "4", "SBATCH_QOS", "high", "PATH", "/usr/bin"));
      assertThat(restoration.toUnset()).containsExactly("OMP_PROC_BIND");
      Planned again = user.planned(again(restoration, user));
      assertThat(text(again)).isEqualTo(text(first));
      Manifest now = user.in(restoration.variables()).manifest(again, words);
      assertThat(now).isEqualTo(then);
    }
  }

  private static String text(Planned planned) {
    return new String(planned.script(), StandardCharsets.ISO_8859_1);
  }

  private static Requested again(Restoration restoration, Submissions user) {
    var settings = restoration.settings();
    var command = restoration.command();
    var script = restoration.script();
    restoration.requireSecrets();
    return user.in(restoration.variables())
        .requests()
        .again(settings, command, script, new Requests.Named("/a.sif", () -> Path.of("/a.sif")));
  }

  @Test
  void aReplayTakesSecretsFromTheShellIfTheyAreTheSame() {
    Submissions user = submissions().with("MY_TOKEN", SECRET);
    Planned first =
        user.planned(
            user.requested("--env=DB_PASSWORD=" + OTHER_SECRET, "/a.sif", "app", "--pass", SECRET));
    Manifest then = user.manifest(first);
    Map<String, String> shell = Map.of("HOME", "/h", "MY_TOKEN", SECRET, "ANY_NAME", OTHER_SECRET);
    Restoration same = new Restoration(then, user.masking(), shell);
    assertThat(same.otherSecrets()).isEmpty();
    assertThat(text(user.planned(again(same, user)))).isEqualTo(text(first));

    Restoration other =
        new Restoration(then, user.masking(), Map.of("HOME", "/h", "MY_TOKEN", "another"));
    assertThat(other.otherSecrets()).containsExactly("MY_TOKEN has another value");
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> again(other, user))
        .matches(failure -> failure.exitCode() == ExitCode.REFUSED)
        .withMessageContaining("--env=DB_PASSWORD=***")
        .withMessageNotContaining(OTHER_SECRET);
    assertThat(new Restoration(then, user.masking(), Map.of("HOME", "/h")).otherSecrets())
        .containsExactly("MY_TOKEN is not set");
  }

  @Test
  void whatAJobFileSaidIsReplayedWithoutTheFile() throws IOException {
    Path file = directory.resolve("job.yaml");
    for (String asked :
        List.of(
            "command: [app, -x]\nntasks: 3\nenv: {A: b, DB_PASSWORD: %s}\n",
            "env: {A: all, B: job, HF_TOKEN: %1$s}\nlaunches:\n"
                + "  - {name: one, ntasks: 2, command: [a, 'b c'], env: {B: \"it's %1$s\"}}\n"
                + "  - {name: two, command: [c], env: {B: it}}\n",
            "command: [app, '${n}']\nenv: {N: 'x${n}', A: b}\n"
                + "sweep: {parameters: {n: [1, 2, %s]}}\n")) {
      Files.writeString(file, "image: /a.sif\n" + asked.formatted(OTHER_SECRET));
      Submissions user = submissions();
      Planned first = user.planned(jobFile(user));
      Manifest then = user.manifest(first);
      assertThat(ManifestJson.read(ManifestJson.write(then))).contains(then);
      Files.delete(file);
      Restoration restoration =
          new Restoration(then, user.masking(), user.with("S", OTHER_SECRET).environment());
      assertThat(text(user.planned(again(restoration, user)))).isEqualTo(text(first));
      if (asked.contains("PASSWORD") || asked.contains("TOKEN")) {
        assertThat(new String(ManifestJson.write(then), StandardCharsets.UTF_8))
            .doesNotContain(OTHER_SECRET);
        assertThatExceptionOfType(Failure.class)
            .isThrownBy(
                () -> again(new Restoration(then, user.masking(), user.environment()), user))
            .matches(failure -> failure.exitCode() == ExitCode.REFUSED);
      }
    }
  }

  private Requested jobFile(Submissions user) {
    JobFile file =
        new Templates(TemplatePath.of(user.environment(), List.of()), directory)
            .jobFile("job.yaml");
    var values = file.values(List.of());
    var typed = new GetoptParser(OptionTable.ofJobs(), "submit").parse(List.of());
    var sweep = file.sweep(values);
    return (sweep.isPresent() ? file.array(values, sweep.get()) : file.job(values))
        .requested(user.requests(), typed);
  }

  @Test
  void whatAFileOfVariablesHeldIsReplayedWithoutTheFile() throws IOException {
    Path file = directory.resolve("variables");
    Files.writeString(file, "A=1\nB=file\nHF_TOKEN=" + SECRET + "\n");
    Submissions user = submissions();
    Planned first =
        user.planned(user.requested("--env-file=variables", "--env=B=option", "/a.sif", "app"));
    assertThat(first.requested().secrets().environment())
        .containsExactly(Map.entry("HPCRUN_ENV_HF_TOKEN", SECRET));
    assertThat(text(first)).doesNotContain(SECRET);
    Manifest then = user.manifest(first, "submit", "--env-file=variables");
    assertThat(new String(ManifestJson.write(then), StandardCharsets.UTF_8))
        .contains("A=1", "B=option", "HF_TOKEN=***")
        .doesNotContain("B=file", SECRET);
    Files.delete(file);
    Restoration restoration =
        new Restoration(then, user.masking(), user.with("ANY", SECRET).environment());
    Requested again = again(restoration, user);
    assertThat(text(user.planned(again))).isEqualTo(text(first));
    assertThat(again.secrets().environment()).isEqualTo(first.requested().secrets().environment());
  }

  @Test
  void whatIsPassedOnByNameMustBeAsItWas() {
    Submissions user = submissions().with("MINE", "private").with("OTHER", "x");
    Manifest then = user.manifest("--env=MINE", "/a.sif", "app");
    assertThat(new String(ManifestJson.write(then), StandardCharsets.UTF_8))
        .doesNotContain("private");
    for (var now :
        Map.of("private", List.of(), "x", List.of("MINE has another value")).entrySet()) {
      assertThat(
              new Restoration(then, user.masking(), user.with("MINE", now.getKey()).environment())
                  .otherSecrets())
          .isEqualTo(now.getValue());
    }
    assertThat(new Restoration(then, user.masking(), submissions().environment()).otherSecrets())
        .containsExactly("MINE is not set");
  }

  @Test
  void aScriptThatHeldSecretsNeedsItsFile() throws IOException {
    Path file = directory.resolve("job.sh");
    Files.writeString(
        file, "#!/bin/bash\n#HPCRUN --image=/a.sif\nexport DB_PASSWORD=" + SECRET + "\n");
    Submissions user = submissions();
    Planned first = user.planned(user.requested("job.sh"));
    Manifest then = user.manifest(first);
    Restoration restoration = new Restoration(then, user.masking(), user.environment());
    assertThat(restoration.isScriptUnchanged()).isTrue();
    assertThat(text(user.planned(again(restoration, user)))).isEqualTo(text(first));
    Files.writeString(file, "#!/bin/bash\n#HPCRUN --image=/a.sif\nexport DB_PASSWORD=x\n");
    assertThat(restoration.isScriptUnchanged()).isFalse();
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(restoration::script)
        .withMessageContaining("has changed since");
  }

  @Test
  void onlyTheOwnerCanReadTheFiles() throws IOException {
    Path records = directory.resolve("state/records");
    ManifestFiles files = new ManifestFiles(new RecordDirectory(records));
    Masking masking = files.masking();
    Manifest manifest =
        new Submissions(submissions().environment(), directory, masking, "24.11", "d".repeat(64))
            .manifest("/a.sif", "app");
    files.write(manifest);
    files.write(manifest);
    assertThat(files.read("12")).contains(manifest);
    assertThat(files.read("12_3")).as("an element's").contains(manifest);
    assertThat(files.read("13")).isEmpty();
    assertThat(files.masking().keyId()).as("the key stays").isEqualTo(masking.keyId());
    try (Stream<Path> all = Files.walk(directory.resolve("state"))) {
      all.forEach(
          path -> {
            try {
              assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                  .as(path.toString())
                  .matches("rw[x-]------");
            } catch (IOException gone) {
              throw new java.io.UncheckedIOException(gone);
            }
          });
    }
    try (Stream<Path> all = Files.walk(records)) {
      assertThat(all.filter(Files::isRegularFile).map(path -> path.getFileName().toString()))
          .containsExactlyInAnyOrder("manifest.key", "manifest.json");
    }
  }

  @Test
  void aManifestThatIsBrokenIsSaid() throws IOException {
    Files.createDirectories(directory.resolve("12"));
    Files.writeString(directory.resolve("12/manifest.json"), "{\"schema\":");
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> new ManifestFiles(new RecordDirectory(directory)).read("12"))
        .withMessageContaining("is no hpcrun.manifest/1");
  }

  @Test
  void onlyARegularFileOfSensibleSizeIsRead() throws IOException {
    ManifestFiles files = new ManifestFiles(new RecordDirectory(directory));
    Path file = Files.createDirectories(directory.resolve("12")).resolve("manifest.json");
    Files.createSymbolicLink(file, Path.of("/dev/zero"));
    assertRefused(files, file, "it is not a regular file");
    Files.delete(file);
    Programs.run(List.of("mkfifo", file.toString()), Set.of(), new byte[0], Duration.ofSeconds(10));
    assertThat(file).exists();
    assertTimeoutPreemptively(
        Duration.ofSeconds(10), () -> assertRefused(files, file, "it is not a regular file"));
    Files.delete(file);
    try (SeekableByteChannel large =
        Files.newByteChannel(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      large.position(64 << 20).write(ByteBuffer.allocate(1));
    }
    assertRefused(files, file, "it is larger than 64 MiB");
    Files.delete(file);
    Files.createSymbolicLink(file, file.getFileName());
    assertRefused(files, file, "Too many levels of symbolic links");
    Files.createSymbolicLink(directory.resolve("manifest.key"), Path.of("/dev/zero"));
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(files::masking)
        .withMessageContaining("not a regular file");
  }

  private static void assertRefused(ManifestFiles files, Path file, String reason) {
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> files.read("12"))
        .matches(failure -> failure.exitCode() == ExitCode.USAGE)
        .withMessageStartingWith("the manifest " + file + " cannot be read: " + reason);
  }

  @Test
  void imagesAreComparedByWhatIsKnownOfBoth() {
    ImageLock image = submissions().manifest("/a.sif", "app").image();
    assertThat(image.compare(submissions().manifest("/a.sif", "app").image()))
        .isEqualTo(ImageLock.Likeness.SAME);
    assertThat(
            image.compare(
                submissions().withImage("e".repeat(64)).manifest("/a.sif", "app").image()))
        .isEqualTo(ImageLock.Likeness.OTHER);
    assertThat(ByteString.ofLatin1(image.given()).toString()).isEqualTo("/a.sif");
  }
}
