package io.hpcrun.script;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.image.Image;
import io.hpcrun.image.ImageProfile;
import io.hpcrun.image.ImageProfile.Family;
import io.hpcrun.image.ImageProfile.Mpi;
import io.hpcrun.image.Program;
import io.hpcrun.plan.Knowledge;
import io.hpcrun.plan.Planner;
import io.hpcrun.spec.BindMount;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.ContainerFlag;
import io.hpcrun.spec.ContainerOptions;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.FabricChoice;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.Mode;
import io.hpcrun.spec.MpiChoice;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.spec.SlurmSetting;
import io.hpcrun.spec.Staging;
import io.hpcrun.spec.UserScript;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JobScriptTest {
  private static final Path ENTER_PROGRAM =
      Path.of("/home/alice/.cache/hpcrun/hpcrun-enter-" + "a".repeat(64));
  private static final Image SIF =
      new Image(
          Path.of("/home/alice/hello-openmpi.sif"),
          Image.Format.SIF,
          Optional.of("amd64"),
          Optional.of("0f8fad5b-d9cb-469f-a165-70867728950e"),
          1000,
          Optional.of("d".repeat(64)),
          "ext4");
  private static final ClusterFacts CLUSTER =
      new ClusterFacts(
          "24.11.5",
          "pmix",
          Optional.of(List.of("none", "pmi2", "pmix")),
          "/var/spool/slurmd",
          "/tmp",
          "",
          "amd64");

  private static final Mpi OPEN_MPI =
      new Mpi(
          Family.OPEN_MPI,
          Optional.of("5.0.7"),
          "usr/lib/x86_64-linux-gnu/libmpi.so.40.40.7",
          "libmpi.so.40",
          List.of("pmix"),
          "1:2:3722276");

  private static final String[] PARTS = {
    "agent", "container", "guard", "topology", "binding", "fabric", "transport", "stage"
  };

  /** What is known of the quick start's image and program. */
  private static Knowledge known(Image image) {
    ImageProfile profile =
        new ImageProfile(
            Optional.of("amd64"),
            Optional.empty(),
            Optional.empty(),
            List.of(OPEN_MPI),
            List.of(),
            List.of(),
            List.of(),
            Map.of(),
            Map.of());
    Program program =
        new Program(
            "hello-mpi",
            Optional.of("/usr/local/bin/hello-mpi"),
            Program.Reach.CLOSED,
            Optional.of(OPEN_MPI),
            List.of());
    return new Knowledge(
        image, Optional.of(profile), Optional.empty(), program, Optional.empty(), CLUSTER);
  }

  private static final Map<String, Supplier<LaunchSpec>> KINDS =
      Map.of(
          "hello", JobScriptTest::hello,
          "everything", JobScriptTest::everything,
          "script", JobScriptTest::script,
          "step", () -> step(List.of()),
          "shell", () -> step(List.of("--partition=main", "--job-name=hpcrun-shell")));

  @TempDir private Path directory;

  /** Golden files: the script without the agent, which has its own tests. */
  @ParameterizedTest
  @ValueSource(strings = {"hello", "everything", "script", "step", "shell"})
  void rendersTheGoldenScript(String name) throws IOException {
    String script = render(KINDS.get(name).get(), "# agent");
    Path golden = Path.of("src/test/resources/scripts/" + name + ".sh");
    if (Boolean.getBoolean("golden.write")) {
      Files.writeString(golden, script, StandardCharsets.ISO_8859_1);
    }
    assertThat(script).isEqualTo(Files.readString(golden, StandardCharsets.ISO_8859_1));
  }

  /** The script in the documentation is the one that hpcrun writes. */
  @Test
  void theDocumentationShowsTheScript() throws IOException {
    Path page = Path.of("../docs/job-script.md");
    String text = Files.readString(page);
    int from = text.indexOf("```bash\n") + "```bash\n".length();
    int to = text.indexOf("\n```\n", from) + 1;
    String script =
        new String(
            JobScript.render(
                Planner.plan(hello(), known(SIF)),
                System.getProperty("project.version"),
                AgentSource.of(agent("agent", "container", "guard")),
                "",
                Optional.of(ENTER_PROGRAM)),
            StandardCharsets.UTF_8);
    if (Boolean.getBoolean("golden.write")) {
      Files.writeString(page, text.substring(0, from) + script + text.substring(to));
    }
    assertThat(Files.readString(page)).contains("```bash\n" + script + "```\n");
  }

  @Test
  void sameInputGivesTheSameBytes() throws IOException {
    assertThat(render(everything(), agent(PARTS))).isEqualTo(render(everything(), agent(PARTS)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"bash -n", "shellcheck"})
  void passesBashAndShellcheck(String check) throws Exception {
    for (Supplier<LaunchSpec> kind : KINDS.values()) {
      LaunchSpec spec = kind.get();
      Path file = directory.resolve("job.sh");
      Files.writeString(file, render(spec, agent(PARTS)), StandardCharsets.ISO_8859_1);
      Process process =
          new ProcessBuilder((check + " " + file).split(" ")).redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor()).as(output).isZero();
    }
  }

  @Test
  void noValueBecomesADirective() {
    LaunchSpec spec =
        spec(
            List.of(ByteString.of("app"), ByteString.of("\n#SBATCH --nodes=99\n")),
            List.of(new SlurmSetting(SlurmOption.COMMENT, "a \"b\" #SBATCH c\\")),
            new ContainerOptions(
                List.of(),
                List.of(new EnvironmentVariable("A", ByteString.of("x\n#SBATCH -n 9"))),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                List.of()));
    assertThat(render(spec, "# agent").lines().filter(line -> line.startsWith("#SBATCH")))
        .containsExactly("#SBATCH --comment=\"a \\\"b\\\" #SBATCH c\\\\\"");
  }

  private static LaunchSpec hello() {
    return spec(
        List.of(ByteString.of("hello-mpi")),
        List.of(
            new SlurmSetting(SlurmOption.JOB_NAME, "hello-mpi"),
            new SlurmSetting(SlurmOption.NODES, "2"),
            new SlurmSetting(SlurmOption.NTASKS, "4"),
            new SlurmSetting(SlurmOption.NTASKS_PER_NODE, "2")),
        new ContainerOptions(
            List.of(), List.of(), Optional.empty(), Optional.empty(), List.of(), List.of()));
  }

  @Test
  void aScriptThatStartsNothingInTheImageIsWarnedOf() {
    String bare = "#!/bin/bash\n#HPCRUN --image=x\n# hpcrun exec\nsrun ./app\n";
    assertThat(Planner.plan(script(bare), known(SIF)).warnings())
        .singleElement()
        .satisfies(each -> assertThat(each.text()).contains("runs outside of the image"));
    assertThat(Planner.plan(script(), known(SIF)).warnings()).isEmpty();
  }

  private static LaunchSpec script() {
    return script(
        "#!/bin/bash -l\n#SBATCH -N 2\n#HPCRUN --image=x\nhpcrun exec -- ./app 'a b' \\n\n");
  }

  private static LaunchSpec script(String text) {
    return of(
        LaunchSpec.Kind.SCRIPT,
        List.of(),
        Optional.of(
            new UserScript(
                List.of(ByteString.of("#SBATCH --job-name=s.sh"), ByteString.of("#SBATCH -N 2")),
                List.of(ByteString.of("/bin/bash"), ByteString.of("-l")),
                List.of(ByteString.of("one"), ByteString.of("two words")),
                ByteString.of(text))),
        List.of(),
        List.of());
  }

  private static LaunchSpec step(List<String> allocation) {
    return of(
        LaunchSpec.Kind.STEP,
        List.of(ByteString.of("./app")),
        Optional.empty(),
        List.of(
            new SlurmSetting(SlurmOption.NODELIST, "c[1-2]"),
            new SlurmSetting(SlurmOption.NTASKS, "4")),
        allocation);
  }

  private static LaunchSpec of(
      LaunchSpec.Kind kind,
      List<ByteString> command,
      Optional<UserScript> script,
      List<SlurmSetting> slurm,
      List<String> verbatim) {
    return new LaunchSpec(
        SIF.path(),
        kind,
        command,
        script,
        slurm,
        verbatim,
        List.of(),
        new ContainerOptions(
            List.of(), List.of(), Optional.empty(), Optional.empty(), List.of(), List.of()),
        MpiChoice.AUTO,
        FabricChoice.AUTO,
        Mode.AUTO,
        new Staging(Staging.From.AUTO, Optional.empty(), Staging.DEFAULT_LIMIT),
        Path.of("/home/alice/.local/state/hpcrun/records"),
        Optional.empty());
  }

  private static LaunchSpec everything() {
    return new LaunchSpec(
        SIF.path(),
        LaunchSpec.Kind.JOB,
        List.of(
            ByteString.of("./app"),
            ByteString.of("two words"),
            ByteString.of("it's $HOME `id` \\ \"x\""),
            ByteString.of(""),
            ByteString.of("-n"),
            ByteString.of("two\nlines"),
            ByteString.of("größe"),
            ByteString.of("a rather long argument that makes the list go on in a line of its own"),
            ByteString.of("#SBATCH --nodes=99")),
        Optional.empty(),
        List.of(
            new SlurmSetting(SlurmOption.CPUS_PER_TASK, "8"),
            new SlurmSetting(SlurmOption.EXCLUSIVE, ""),
            new SlurmSetting(SlurmOption.JOB_NAME, "a job's \"name\" # 1"),
            new SlurmSetting(SlurmOption.NODELIST, "c[1-4,7]"),
            new SlurmSetting(SlurmOption.TIME, "1-12:00")),
        List.of("--licenses=matlab:1", "--mail-user=a b@c"),
        List.of("--kill-on-bad-exit"),
        new ContainerOptions(
            List.of(
                new BindMount(ByteString.of("/scratch"), ByteString.of("/scratch"), false),
                new BindMount(ByteString.of("/data/in"), ByteString.of("/in"), true),
                new BindMount(ByteString.of("/odd, \"dir\":x"), ByteString.of("/odd"), true)),
            List.of(
                new EnvironmentVariable("OMP_NUM_THREADS", ByteString.of("8")),
                new EnvironmentVariable("MESSAGE", ByteString.of("$(id) `id` \"x\" 'y'\n"))),
            Optional.of(ByteString.of("/work dir")),
            Optional.empty(),
            List.of("tmp", "cwd"),
            List.of(ContainerFlag.NV, ContainerFlag.WRITABLE_TMPFS)),
        MpiChoice.AUTO,
        FabricChoice.AUTO,
        Mode.EXEC,
        new Staging(
            Staging.From.NODE, Optional.of(ByteString.of("/local scratch")), Staging.DEFAULT_LIMIT),
        Path.of("/home/alice/.local/state/hpcrun/records"),
        Optional.of(Path.of("/shared/spool of hpcrund")));
  }

  private static LaunchSpec spec(
      List<ByteString> command, List<SlurmSetting> slurm, ContainerOptions container) {
    return new LaunchSpec(
        SIF.path(),
        LaunchSpec.Kind.JOB,
        command,
        Optional.empty(),
        slurm,
        List.of(),
        List.of(),
        container,
        MpiChoice.AUTO,
        FabricChoice.AUTO,
        Mode.AUTO,
        new Staging(Staging.From.AUTO, Optional.empty(), Staging.DEFAULT_LIMIT),
        Path.of("/home/alice/.local/state/hpcrun/records"),
        Optional.empty());
  }

  private static String render(LaunchSpec spec, String agent) {
    return new String(
        JobScript.render(
            Planner.plan(spec, known(SIF)),
            "1.2.3",
            AgentSource.of(agent),
            "e".repeat(64),
            Optional.of(ENTER_PROGRAM)),
        StandardCharsets.ISO_8859_1);
  }

  private static String agent(String... parts) throws IOException {
    StringBuilder agent = new StringBuilder();
    for (String part : parts) {
      String resource = "/io/hpcrun/agent/" + part + ".bash";
      try (InputStream in = JobScriptTest.class.getResourceAsStream(resource)) {
        agent.append(new String(in.readAllBytes(), StandardCharsets.UTF_8)).append('\n');
      }
    }
    return agent.toString();
  }
}
