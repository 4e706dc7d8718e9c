package io.hpcrun.request;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.LaunchSpec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EnvironmentOptionsTest {
  private static final String VALUE = "s3cret-$(id)";

  @TempDir private Path directory;

  private final Map<String, String> environment = new HashMap<>(Map.of("HOME", "/home/u"));
  private SiteOptions site = SiteOptions.NONE;
  private Requests.Requested requested;

  @Test
  void valuesOfSecretsAreKeptOutOfTheSpec() {
    LaunchSpec spec = parse("--env", "A=b", "--env", "API_KEY=" + VALUE, "--env", "B=c=d");
    assertThat(spec.container().environment())
        .containsExactly(
            new EnvironmentVariable("A", ByteString.of("b")),
            new EnvironmentVariable("B", ByteString.of("c=d")));
    assertThat(spec.container().choice().byName()).containsExactly("API_KEY");
    assertThat(spec.toString()).doesNotContain(VALUE);
    assertThat(requested.secrets().environment())
        .containsExactly(Map.entry("HPCRUN_ENV_API_KEY", VALUE));
    assertThat(requested.secrets().toString()).doesNotContain(VALUE);
  }

  @Test
  void whatLooksLikeAKeyIsKeptOutWhateverItsName() {
    String key = "ghp_0123456789abcdefghij";
    LaunchSpec spec = parse("--env", "MINE=" + key, "--env=URL=https://me:pw@host/");
    assertThat(spec.container().environment()).isEmpty();
    assertThat(spec.container().choice().byName()).containsExactly("MINE", "URL");
    assertThat(requested.secrets().environment()).containsEntry("HPCRUN_ENV_MINE", key);
    assertThat(requested.settings())
        .extracting(Setting::shown)
        .noneMatch(shown -> shown.contains(key));
  }

  @Test
  void aNameAlonePassesTheCallersOn() {
    environment.put("DISPLAY", ":0");
    LaunchSpec spec = parse("--env", "DISPLAY");
    assertThat(spec.container().choice().byName()).containsExactly("DISPLAY");
    assertThat(spec.container().environment()).isEmpty();
    assertThat(requested.secrets().environment()).isEmpty();
    fails(
        "--env WAYLAND_DISPLAY passes on your WAYLAND_DISPLAY, and it is not set here",
        "--env",
        "WAYLAND_DISPLAY");
  }

  @Test
  void aScriptMaySetWhatItPassesOn() throws IOException {
    Path script = script("#HPCRUN --image=i.sif --env=SET_LATER --clean-env");
    LaunchSpec spec = job(script.toString());
    assertThat(spec.container().choice().byName()).containsExactly("SET_LATER");
    assertThat(spec.container().choice().clean()).isTrue();
  }

  @Test
  void aScriptThatSlurmKeepsHoldsNoSecret() throws IOException {
    Path script = script("#HPCRUN --image=i.sif --env=HF_TOKEN=" + VALUE);
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> job(script.toString()))
        .withMessageContaining("gives the value of HF_TOKEN, which looks like a secret")
        .matches(failure -> !failure.getMessage().contains(VALUE))
        .matches(failure -> failure.remedy().contains("#HPCRUN --env=HF_TOKEN'"));
    LaunchSpec spec = job("--env", "HF_TOKEN=" + VALUE, script("#HPCRUN --image=i.sif").toString());
    assertThat(spec.container().choice().byName()).containsExactly("HF_TOKEN");
  }

  @Test
  void aFileIsReadNotRun() throws IOException {
    Path file =
        write(
            """
            # a comment

            A=one two\s
            B="quoted" 'too' # no comment
            C=$(id) `id` ${A} \\n
            D=
            E==x=
              \t
            _f1=größe
            """
                + "LAST=no newline");
    LaunchSpec spec = parse("--env-file", file.toString());
    assertThat(spec.container().environment())
        .extracting(
            each -> each.name() + "=" + new String(each.value().bytes(), StandardCharsets.UTF_8))
        .containsExactly(
            "A=one two ",
            "B=\"quoted\" 'too' # no comment",
            "C=$(id) `id` ${A} \\n",
            "D=",
            "E==x=",
            "_f1=größe",
            "LAST=no newline");
  }

  @Test
  void anOptionWinsOverAFile() throws IOException {
    environment.put("C", "mine");
    Path file = write("A=file\nB=file\nC=file\nTOKEN=" + VALUE + "\n");
    LaunchSpec spec = parse("--env", "A=option", "--env-file=" + file, "--env", "C");
    assertThat(spec.container().environment())
        .containsExactlyInAnyOrder(
            new EnvironmentVariable("A", ByteString.of("option")),
            new EnvironmentVariable("B", ByteString.of("file")));
    assertThat(spec.container().choice().byName()).containsExactly("TOKEN", "C");
    assertThat(requested.secrets().environment()).containsEntry("HPCRUN_ENV_TOKEN", VALUE);
  }

  @Test
  void severalFilesAddUpAndNoneSaysWhatAnotherDid() throws IOException {
    Path one = write("A=1\nB=1\n");
    Path two = Files.writeString(directory.resolve("two"), "C=2\n");
    assertThat(parse("--env-file=" + one, "--env-file=" + two).container().environment())
        .extracting(EnvironmentVariable::name)
        .containsExactly("A", "B", "C");
    Files.writeString(two, "B=2\n");
    fails("line 1 sets B again, as " + one + ", line 2 did", "--env-file=" + one, "--env-file=two");
  }

  @Test
  void whatIsSaidLaterWinsOverWhatTheSiteSaid() throws IOException {
    write("A=site's file\nB=site's file\nC=site's file\n");
    Path mine = Files.writeString(directory.resolve("mine"), "B=my file\nD=my file\n");
    Origin origin = new Origin(Origin.Kind.SITE, "site.yaml");
    site =
        new SiteOptions(
            new Layer(
                List.of(
                    new Setting("env", List.of("C=site", "D=site", "E=site"), origin),
                    new Setting("env-file", List.of("variables"), origin))),
            Map.of(),
            Map.of());
    LaunchSpec spec = parse("--env-file=" + mine, "--env=E=mine");
    assertThat(spec.container().environment())
        .extracting(each -> each.name() + "=" + each.value())
        .containsExactlyInAnyOrder("A=site's file", "B=my file", "C=site", "D=my file", "E=mine");
    assertThat(parse("--unset=env-file").container().environment())
        .extracting(EnvironmentVariable::name)
        .containsExactly("C", "D", "E");
    assertThat(requests().settings(new GetoptParser(OptionTable.ofJobs(), "run").parse(List.of())))
        .extracting(Setting::name)
        .containsExactly("env-file", "env");
  }

  @Test
  void noSettingShowsASecret() {
    parse("--env=HF_TOKEN=" + VALUE, "--env=A=b");
    assertThat(requested.settings()).extracting(Setting::shown).contains("HF_TOKEN=***", "A=b");
  }

  @Test
  void aRelativeFileIsInTheWorkingDirectory() throws IOException {
    Files.writeString(directory.resolve("my.env"), "A=1\n");
    assertThat(parse("--env-file=my.env").container().environment())
        .containsExactly(new EnvironmentVariable("A", ByteString.of("1")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "A=1\\nB | line 2 is not NAME=VALUE",
        "export A=1 | line 1 is not NAME=VALUE",
        "A=1\\n\\n A=2 | line 3: ' A' is not a variable name",
        "1A=s3cret | line 1: '1A' is not a variable name",
        "=s3cret | line 1: '' is not a variable name",
        "HOME=/x | line 1 cannot set HOME",
        "A=1\\nB=2\\nA=s3cret | line 3 sets A again, as FILE, line 1 did",
        "A=1\\r\\nB=2 | line 1 holds a carriage return",
        "A=1\\0 | line 1 holds a NUL"
      })
  void whatIsWrongInAFileIsSaidWithItsLine(String text, String why) throws IOException {
    Path file = write(text.strip().replace("\\n", "\n").replace("\\r", "\r").replace("\\0", "\0"));
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> parse("--env-file", file.toString()))
        .withMessageStartingWith("--env-file " + file + ", ")
        .withMessageContaining(why.replace("FILE", file.toString()))
        .matches(failure -> !failure.getMessage().contains("s3cret"))
        .matches(failure -> failure.exitCode() == ExitCode.USAGE);
  }

  @Test
  void aFileThatIsNotThereOrTooLargeIsNamed() throws IOException {
    fails("--env-file /no/such/file is not there", "--env-file", "/no/such/file");
    fails("cannot be read", "--env-file", directory.toString());
    Path large = write("A=" + "x".repeat(1 << 20));
    fails("--env-file " + large + " is larger than 1 MiB", "--env-file", large.toString());
  }

  @Test
  void secretsAreCheckedAsOtherValuesAre() {
    refused(
        "the value of --env TOKEN is too long: 131072 bytes of at most",
        "--env",
        "TOKEN=" + "x".repeat(1 << 17));
    refused("the value of --env TOKEN holds bytes that are not UTF-8", "--env", "TOKEN=\u00ff");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--env|1TOKEN=s3cret",
        "--env|=s3cret",
        "--env|TO KEN=s3cret",
        "--env|TOKEN=s3cret|--env|TOKEN=s3cret"
      })
  void noMessageShowsAValue(String words) {
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> parse(words.split("\\|")))
        .matches(failure -> !(failure.getMessage() + failure.remedy()).contains("s3cret"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--export=NONE | --export=NONE keeps the value of TOKEN from the job",
        "--export=A,B | --export=A,B keeps the value",
        "--export=TOKEN | --export=TOKEN keeps the value",
        "--export=NIL | --export=NIL keeps the value",
        "--sbatch=--export=NONE | --export=NONE keeps the value",
      })
  void aJobWithoutTheEnvironmentIsRefused(String export, String why) {
    fails(why, export.strip(), "--env", "TOKEN=" + VALUE);
  }

  @Test
  void theVariableThatSaysSoIsNamed() {
    environment.put("SBATCH_EXPORT", "NONE");
    fails("SBATCH_EXPORT=NONE keeps the value of TOKEN from the job", "--env", "TOKEN=" + VALUE);
    assertThat(parse("--export=ALL", "--env", "TOKEN=" + VALUE)).isNotNull();
    assertThat(parse("--env", "A=b")).isNotNull();
  }

  @Test
  void whatIsExportedComesByName() {
    environment.put("OWN", "x");
    assertThat(parse("--export=OWN,X=1", "--env", "OWN")).isNotNull();
    assertThat(parse("--export=ALL,X=1", "--env", "TOKEN=" + VALUE)).isNotNull();
    fails("--export=X=... keeps the value of OWN", "--export=X=1", "--env", "OWN");
  }

  @Test
  void anExportedListHoldsNoSecret() {
    fails(
        "--export=ALL,TOKEN=... gives the value of TOKEN, which looks like a secret",
        "--export=ALL,TOKEN=" + VALUE);
    fails(
        "--srun=--export=ALL,TOKEN=... gives the value of TOKEN, which looks like a secret",
        "--srun=--export=ALL,TOKEN=" + VALUE);
    fails("--srun=--export=A=...,TOKEN=... gives", "--srun=--expor=A=b,TOKEN=" + VALUE);
    assertThat(parse("--srun=--export=ALL,A=b", "--srun=--exclusive")).isNotNull();
  }

  @Test
  void theVariablesValueIsNotShown() {
    environment.put("SBATCH_EXPORT", "ALL,TOKEN='" + VALUE + ",x'");
    fails("SBATCH_EXPORT=ALL,TOKEN=... gives the value of TOKEN");
    environment.put("SBATCH_EXPORT", "A='" + VALUE);
    fails("SBATCH_EXPORT=A=... keeps the value of TOKEN", "--env", "TOKEN=" + VALUE);
  }

  @Test
  void configShowsNoExportedValues() {
    environment.put("SBATCH_EXPORT", "ALL,TOKEN=" + VALUE);
    GetoptParser parser = new GetoptParser(OptionTable.ofJobs(), "config");
    assertThat(requests().settings(parser.parse(List.of("--srun=--export=TOKEN=" + VALUE))))
        .extracting(setting -> setting.shown() + " [" + setting.origin() + "]")
        .containsExactlyInAnyOrder(
            "--export=TOKEN=... [option: command line]", "ALL,TOKEN=... [variable: SBATCH_EXPORT]");
  }

  private Requests requests() {
    return new Requests(
        new GetoptParser(OptionTable.ofJobs(), "run"),
        new Requests.Caller(directory, environment, site, source -> Path.of("/none")));
  }

  private Path script(String line) throws IOException {
    Path script = Files.createTempFile(directory, "job", ".sh");
    Files.writeString(script, "#!/bin/bash\n" + line + "\nhpcrun exec -- a\n");
    return script;
  }

  private Path write(String text) throws IOException {
    Path file = directory.resolve("variables");
    Files.writeString(file, text);
    return file;
  }

  private LaunchSpec parse(String... options) {
    List<String> words = new ArrayList<>(Arrays.asList(options));
    words.addAll(List.of("i.sif", "a"));
    return job(words.toArray(String[]::new));
  }

  private LaunchSpec job(String... words) {
    requested = requests().job(List.of(words));
    return requested.spec();
  }

  private void fails(String why, String... options) {
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> parse(options))
        .withMessageContaining(why)
        .matches(failure -> !failure.getMessage().contains(VALUE))
        .matches(failure -> failure.exitCode() == ExitCode.USAGE);
  }

  private void refused(String why, String... options) {
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> parse(options))
        .withMessageContaining(why)
        .matches(failure -> failure.exitCode() == ExitCode.REFUSED);
  }
}
