package io.hpcrun.request;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hpcrun.cluster.NodeType;
import io.hpcrun.cluster.Partition;
import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.yaml.YamlFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResourceOptionsTest {
  private static final List<Partition> CLUSTER =
      Partition.parse(
          "PartitionName=cpu Default=YES State=UP MaxTime=1-00:00:00\nPartitionName=gpu State=UP\n",
          NodeType.parse(
              """
              cpu*|100|64|256000|(null)|(null)|1-00:00:00|up|2:32:1|idle
              gpu|10|64|512000|gpu:a100:4|(null)|infinite|up|2:32:1|idle
              """));

  @TempDir Path directory;

  @Test
  void becomeOptionsOfSbatchThatSayWhy() {
    Requests.Requested requested = launch(Map.of(), SiteOptions.NONE, "--resources=cores=100");
    assertThat(
            requested.spec().slurm().stream()
                .map(setting -> setting.option().option() + "=" + setting.value()))
        .containsExactly(
            "job-name=a", "nodes=2", "ntasks=100", "ntasks-per-node=50", "partition=cpu");
    assertThat(
            requested.settings().stream()
                .map(setting -> setting.name() + " [" + setting.origin() + "]"))
        .contains(
            "resources [option: command line]",
            "nodes [packing: 100 cores: 2 nodes of 64 cores, 28 cores idle]",
            "partition [packing: Slurm's default]");
  }

  @Test
  void areNotAskedForWhereNobodyNamesThem() {
    Requests requests =
        new Requests(
            parser(),
            new Requests.Caller(
                directory,
                Map.of(),
                SiteOptions.NONE,
                source -> null,
                () -> {
                  throw new AssertionError("Slurm was asked");
                }));
    assertThat(requests.job(List.of("-N", "2", "i.sif", "a")).spec().slurm(SlurmOption.NODES))
        .contains("2");
  }

  @Test
  void cannotStandBesideNodes() {
    refuses(
        "--nodes (option: command line) and --resources (option: command line) both say how large",
        "--resources=cores=4",
        "-N2");
    refuses("--mem-per-cpu (option: command line)", "--resources=cores=4", "--mem-per-cpu=1G");
    assertThatThrownBy(
            () ->
                launch(
                    Map.of("SBATCH_MEM_PER_NODE", "4G"), SiteOptions.NONE, "--resources=cores=4"))
        .hasMessageContaining("--mem (variable: SBATCH_MEM_PER_NODE) and --resources");
  }

  @Test
  void cannotStandBesideDirectivesOfAScriptEither() throws IOException {
    Files.writeString(
        directory.resolve("s.sh"), "#!/bin/bash\n#SBATCH -N 3\n#HPCRUN --image=i.sif\n");
    assertThatThrownBy(
            () -> requests(Map.of(), SiteOptions.NONE).job(List.of("--resources=cores=4", "s.sh")))
        .hasMessageContaining("--nodes (")
        .hasMessageContaining("both say how large the job is");
  }

  @Test
  void takeThePlaceOfWhatTheSiteSaysOfNodes() {
    SiteOptions site = site("nodes: 1\nmem: 4G\ntime: 60\n", Map.of());
    Requests.Requested requested = launch(Map.of(), site, "--resources=cores=100,memory=300G");
    assertThat(requested.spec().slurm(SlurmOption.NODES)).contains("2");
    assertThat(requested.spec().slurm(SlurmOption.MEM)).contains("153600M");
    assertThat(requested.spec().slurm(SlurmOption.TIME)).contains("60");
  }

  @Test
  void whatTheSiteSaysOfThePartitionThatIsChosenCounts() {
    SiteOptions site = site("{}", Map.of("gpu", "account: ai\nmem: 1G\n"));
    Requests.Requested requested = launch(Map.of(), site, "--resources=gpus=8,memory=64G");
    assertThat(requested.spec().slurm(SlurmOption.PARTITION)).contains("gpu");
    assertThat(requested.spec().slurm(SlurmOption.ACCOUNT)).contains("ai");
    assertThat(requested.spec().slurm(SlurmOption.MEM)).contains("32768M");
    assertThat(requested.spec().slurm(SlurmOption.GPUS_PER_NODE)).contains("4");
    assertThat(launch(Map.of(), site, "--resources=cores=8").spec().slurm(SlurmOption.ACCOUNT))
        .isEmpty();
  }

  @Test
  void theShellsPartitionIsTheUsers() {
    Requests.Requested requested =
        launch(Map.of("SBATCH_PARTITION", "gpu"), SiteOptions.NONE, "--resources=cores=65");
    assertThat(requested.spec().slurm(SlurmOption.PARTITION)).as("the variable says it").isEmpty();
    assertThat(shown(requested)).contains("nodes=2");
    assertThatThrownBy(
            () -> launch(Map.of("SBATCH_PARTITION", "cpu"), SiteOptions.NONE, "--resources=gpus=1"))
        .hasMessageContaining("cpu: its nodes have no GPUs")
        .extracting(failure -> ((Failure) failure).exitCode())
        .isEqualTo(ExitCode.REFUSED);
    assertThatThrownBy(
            () ->
                launch(
                    Map.of("SBATCH_PARTITION", "cpu", "SBATCH_TIMELIMIT", "2-0"),
                    SiteOptions.NONE,
                    "--resources=cores=1"))
        .hasMessageContaining("cpu: jobs end there after 1-00:00:00");
  }

  @Test
  void aMapInAFileSaysTheSame() {
    Layer layer =
        OptionBlock.read(
            YamlFile.parse(
                    "job.yaml",
                    "resources: {cores: 1000, memory: 10T, gpus: a100:16}\n"
                        .getBytes(StandardCharsets.UTF_8))
                .map(),
            Origin.Kind.JOB_FILE);
    assertThat(layer.settings().getFirst().values())
        .containsExactly("cores=1000,memory=10T,gpus=a100:16");
    assertThatThrownBy(
            () ->
                OptionBlock.read(
                    YamlFile.parse(
                            "job.yaml",
                            "resources: {core: 1000}\n".getBytes(StandardCharsets.UTF_8))
                        .map(),
                    Origin.Kind.JOB_FILE))
        .hasMessageContaining("job.yaml")
        .hasMessageContaining("'core' is none of cores, memory, gpus");
  }

  @Test
  void aStepHasWhatItsJobHas() {
    GetoptParser parser =
        new GetoptParser(
            OptionTable.add(new org.apache.commons.cli.Options(), OptionTable.OF_STEPS), "exec");
    assertThatThrownBy(() -> parser.parse(List.of("--resources=cores=4", "i.sif", "a")))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("--resources");
    Requests requests =
        new Requests(
            parser,
            new Requests.Caller(
                directory,
                Map.of(),
                site("resources: {cores: 4}", Map.of()),
                source -> null,
                () -> CLUSTER));
    for (boolean inJob : new boolean[] {true, false}) {
      assertThat(
              requests
                  .step(parser.parse(List.of("i.sif", "a")), List.of(), inJob)
                  .spec()
                  .slurm(SlurmOption.NODES))
          .isEmpty();
    }
  }

  private static String shown(Requests.Requested requested) {
    return requested.spec().slurm().stream()
        .map(setting -> setting.option().option() + "=" + setting.value())
        .collect(Collectors.joining(" "));
  }

  private void refuses(String message, String... options) {
    assertThatThrownBy(() -> launch(Map.of(), SiteOptions.NONE, options))
        .hasMessageContaining(message)
        .extracting(failure -> ((Failure) failure).exitCode())
        .isEqualTo(ExitCode.USAGE);
  }

  private static SiteOptions site(String defaults, Map<String, String> partitions) {
    return new SiteOptions(
        layer(defaults, Origin.Kind.SITE),
        partitions.entrySet().stream()
            .collect(
                Collectors.toMap(
                    Map.Entry::getKey, each -> layer(each.getValue(), Origin.Kind.PARTITION))),
        Map.of());
  }

  private static Layer layer(String text, Origin.Kind kind) {
    return OptionBlock.read(
        YamlFile.parse("site.yaml", text.getBytes(StandardCharsets.UTF_8)).map(), kind);
  }

  private Requests.Requested launch(
      Map<String, String> environment, SiteOptions site, String... options) {
    List<String> words = new java.util.ArrayList<>(List.of(options));
    words.addAll(List.of("i.sif", "a"));
    return requests(environment, site).job(words);
  }

  private Requests requests(Map<String, String> environment, SiteOptions site) {
    return new Requests(
        parser(), new Requests.Caller(directory, environment, site, source -> null, () -> CLUSTER));
  }

  private static GetoptParser parser() {
    return new GetoptParser(OptionTable.ofJobs(), "submit");
  }
}
