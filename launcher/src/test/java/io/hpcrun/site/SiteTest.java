package io.hpcrun.site;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hpcrun.failure.Failure;
import io.hpcrun.request.GetoptParser;
import io.hpcrun.request.OptionTable;
import io.hpcrun.request.Requests;
import io.hpcrun.request.Setting;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.SlurmOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SiteTest {
  private static final String SITE =
      """
      defaults:
        bind: [/scratch, '/opt/site:/opt/site:ro']
        env: {SITE: yes, OMP_PROC_BIND: close}
        partition: batch
        mem: 4G
        fabric: infiniband
        require-fabric: true
        host-mpi: [/opt/a/libmpi.so.40, /opt/b/libmpi.so.12]
        nodelist: [n1, n2]
      partitions:
        gpu:
          time: 2:00:00
          env: {SITE: gpu}
          gres: [gpu:1, lustre:1]
      modules:
        nccl:
          description: NCCL over our network
          requires: gpu
          env: {NCCL_DEBUG: WARN}
        gpu: {nv: true, conflicts: cpu-only}
        cpu-only: {no-nv: true}
      records: {spool: /shared/spool, directory: ~/records}
      fabric: {locked-memory: 8M}
      """;

  @TempDir Path directory;

  @Test
  void aLaterPlaceWins() throws IOException {
    LaunchSpec spec = launch("-t 10 --env SITE=mine i.sif a");
    assertThat(spec.slurm(SlurmOption.PARTITION)).contains("batch");
    assertThat(spec.slurm(SlurmOption.TIME)).contains("10");
    assertThat(spec.slurm(SlurmOption.NODELIST)).contains("n1,n2");
    assertThat(spec.fabric().required()).isTrue();
    assertThat(spec.container().binds()).hasSize(2);
    assertThat(spec.mpi().hosts()).hasSize(2);
    assertThat(spec.container().environment().toString())
        .contains("OMP_PROC_BIND", "mine")
        .doesNotContain("yes");
    LaunchSpec gpu = launch("-p gpu i.sif a");
    assertThat(gpu.slurm(SlurmOption.TIME)).contains("2:00:00");
    assertThat(gpu.slurm(SlurmOption.GRES)).contains("gpu:1,lustre:1");
    assertThat(gpu.container().environment().toString()).contains("gpu").doesNotContain("yes");
  }

  @Test
  void whatExcludesAnotherTakesItsPlaceFromPlacesBefore() throws IOException {
    LaunchSpec spec = launch("--mem-per-cpu 1G --unset=bind,require-fabric --fabric=tcp i.sif a");
    assertThat(spec.slurm(SlurmOption.MEM)).isEmpty();
    assertThat(spec.slurm(SlurmOption.MEM_PER_CPU)).contains("1G");
    assertThat(spec.container().binds()).isEmpty();
    assertThatThrownBy(() -> launch("--mem 1G --mem-per-cpu 1G i.sif a"))
        .hasMessageContaining("exclude each other");
  }

  @Test
  void modulesBringTheirOptionsAndThoseTheyNeed() throws IOException {
    LaunchSpec spec = launch("--module=nccl i.sif a");
    assertThat(spec.container().flags().toString()).contains("NV");
    assertThat(spec.container().environment().toString()).contains("NCCL_DEBUG");
    assertThatThrownBy(() -> launch("--module=gpu,cpu-only i.sif a"))
        .hasMessage("the modules gpu and cpu-only exclude each other");
    assertThatThrownBy(() -> launch("--module=ncl i.sif a"))
        .hasMessage("there is no module 'ncl' here (option: command line)")
        .extracting(failure -> ((Failure) failure).remedy())
        .isEqualTo("write 'nccl'");
  }

  @Test
  void variablesOfTheShellWinOverTheSite() throws IOException {
    Site site = site(SITE);
    GetoptParser parser = new GetoptParser(OptionTable.ofJobs(), "submit");
    Requests requests =
        new Requests(
            parser,
            new Requests.Caller(
                directory, Map.of("SBATCH_PARTITION", "mine"), site.options(), source -> null));
    assertThat(requests.settings(parser.parse(List.of())))
        .filteredOn(setting -> setting.name().equals("partition"))
        .extracting(setting -> setting.shown() + " [" + setting.origin() + "]")
        .containsExactly("mine [variable: SBATCH_PARTITION]");
    assertThat(requests.settings(parser.parse(List.of())).stream().map(Setting::name))
        .contains("mem");
  }

  @Test
  void thePartitionOfAVariableHasItsOptions() throws IOException {
    Map<String, String> environment =
        Map.of("HOME", "/home/u", "SBATCH_PARTITION", "gpu", "SBATCH_MEM_PER_CPU", "1G");
    LaunchSpec spec = launch("i.sif a", environment);
    assertThat(spec.slurm(SlurmOption.TIME)).contains("2:00:00");
    assertThat(spec.slurm(SlurmOption.PARTITION)).isEmpty();
    assertThat(launch("-p batch i.sif a", environment).slurm(SlurmOption.TIME)).isEmpty();
  }

  @Test
  void aScriptsOwnDirectivesWinOverTheSite() throws IOException {
    Path script =
        Files.writeString(
            directory.resolve("s.sh"),
            "#!/bin/bash\n#SBATCH -pgpu --mem 9G\n#HPCRUN --image=i.sif --fabric=roce\n");
    LaunchSpec spec = launch(script.toString());
    assertThat(spec.slurm(SlurmOption.PARTITION)).isEmpty();
    assertThat(spec.slurm(SlurmOption.MEM)).isEmpty();
    assertThat(spec.slurm(SlurmOption.TIME)).contains("2:00:00");
    assertThat(spec.fabric().kind().label()).isEqualTo("roce");
  }

  @Test
  void dropInsAreReadInTheOrderOfTheirNames() throws IOException {
    Path file = Files.writeString(directory.resolve("site.yaml"), SITE);
    Path more = Files.createDirectory(directory.resolve("site.d"));
    Files.writeString(more.resolve("20-b.yaml"), "defaults: {partition: second, time: 5}\n");
    Files.writeString(more.resolve("10-a.yaml"), "defaults: {partition: first, time: 4}\n");
    Files.writeString(more.resolve("README"), "not: [read\n");
    Site site = Site.of(file, "/home/u");
    assertThat(site.options().defaults().settings())
        .filteredOn(setting -> setting.name().equals("partition"))
        .singleElement()
        .satisfies(
            setting -> {
              assertThat(setting.values()).containsExactly("second");
              assertThat(setting.origin().where()).endsWith("20-b.yaml, line 1, column 12");
            });
    assertThat(site.variables())
        .containsEntry("HPCRUN_SPOOL", "/shared/spool")
        .containsEntry("HPCRUN_RECORDS", "/home/u/records")
        .containsEntry("HPCRUN_MEMLOCK", "8M");
    Files.setPosixFilePermissions(
        more.resolve("10-a.yaml"), PosixFilePermissions.fromString("rw-rw-rw-"));
    assertThatThrownBy(() -> Site.of(file, "/home/u")).hasMessageContaining("written by everybody");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "default: {}|line 1, column 1: there is no key 'default' here|write 'defaults'",
        "defaults: {ntask: 2}|line 1, column 12: there is no key 'ntask' here|write 'ntasks'",
        "defaults: {ntasks: two}|line 1, column 20: --ntasks (-n): 'two' is not|give a whole number",
        "defaults: {bind: [x]}|line 1, column 18: --bind x: 'x' is not an absolute path|write the path",
        "defaults: {bind: []}|line 1, column 18: the list is empty|write a value",
        "defaults: {env: {A B: 1}}|line 1, column 17: --env: 'A B' is not a variable|use letters",
        "defaults: {nv: yes}|line 1, column 16: 'yes' stands where true or false belongs|write true",
        "defaults: [a]|line 1, column 11: a list stands where a map|write a map",
        "defaults: {fabric: ib}|line 1, column 20: --fabric=ib is not a value|use one of",
        "defaults: {mem: 4 GB}|line 1, column 17: --mem: '4 GB' is not a size|give a size",
        "defaults: {exclusive: yes}|line 1, column 23: --exclusive: 'yes' is not one of user|give one",
        "modules: {a: {module: b}}|line 1, column 15: there is no key 'module' here|the",
        "partitions: {a: {partition: b}}|line 1, column 18: there is no key 'partition' here|the",
        "modules: {a: {requires: b}}|line 1, column 25: there is no module 'b'|use one of: a",
        "modules: {'a b': {}}|line 1, column 11: 'a b' cannot name a module|write a name",
        "records: {spool: spool}|line 1, column 18: 'spool' stands where an absolute path|write",
        "fabric: {locked-memory: 8}|line 1, column 25: '8' stands where a size with its unit|write",
        "templates: ~|line 1, column 12: nothing stands where a text belongs|write a text",
        "a: [|line 1, column 5: this is not YAML|look at",
        "[1]|line 1, column 1: a list stands where a map|write a map",
      })
  void mistakesHavePlaceCauseAndRemedy(String text, String message, String remedy) {
    assertThatThrownBy(() -> site(text))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("site.yaml, " + message)
        .extracting(failure -> ((Failure) failure).remedy())
        .asString()
        .startsWith(remedy);
  }

  @Test
  void onlyAFileThatIsCertainlyNotThereIsNone() throws IOException {
    assertThat(SiteFiles.find(Map.of(), directory.resolve("none/site.yaml"))).isEmpty();
    Path loop = Files.createSymbolicLink(directory.resolve("loop"), directory.resolve("loop"));
    Path hidden = loop.resolve("site.yaml");
    assertThatThrownBy(() -> SiteFiles.find(Map.of(), hidden))
        .isInstanceOf(Failure.class)
        .hasMessageStartingWith(hidden + " cannot be looked at: ")
        .extracting(failure -> ((Failure) failure).remedy())
        .asString()
        .contains("chmod a+rx " + loop);
    assertThatThrownBy(() -> SiteFiles.find(Map.of(SiteFiles.VARIABLE, hidden.toString())))
        .hasMessageContaining("cannot be looked at");
    Path dangling =
        Files.createSymbolicLink(directory.resolve("site.yaml"), directory.resolve("gone"));
    assertThat(SiteFiles.find(Map.of(), dangling)).contains(dangling);
    assertThatThrownBy(() -> Site.of(dangling, "/home/u"))
        .hasMessage("there is no file " + dangling);
  }

  @Test
  void anEditorsLockIsNoDropInAndAnotherEndingIsRefused() throws IOException {
    Path file = Files.writeString(directory.resolve("site.yaml"), SITE);
    Path more = Files.createDirectory(directory.resolve("site.d"));
    Files.createSymbolicLink(more.resolve(".#50-x.yaml"), Path.of("user@host.1:2"));
    assertThat(Site.of(file, "/home/u").options().defaults().settings()).isNotEmpty();
    Files.writeString(more.resolve("60-y.yml"), "contact: me\n");
    assertThatThrownBy(() -> Site.of(file, "/home/u"))
        .hasMessageContaining("60-y.yml is not read: the files here end with .yaml")
        .extracting(failure -> ((Failure) failure).remedy())
        .asString()
        .startsWith("rename it to .yaml");
  }

  @Test
  void aPipeIsNoSiteFile() throws IOException, InterruptedException {
    Path pipe = directory.resolve("pipe.yaml");
    assertThat(new ProcessBuilder("mkfifo", "-m600", pipe.toString()).start().waitFor()).isZero();
    assertThatThrownBy(() -> Site.of(pipe, "/home/u"))
        .hasMessage(pipe + " is neither a file nor a directory");
  }

  @Test
  void whereEverybodyMayPutAnotherFileNoneIsUsed() throws IOException {
    Path open = Files.createDirectory(directory.resolve("open"));
    Path file = Files.writeString(open.resolve("site.yaml"), SITE);
    Path link = Files.createSymbolicLink(directory.resolve("site.yaml"), file);
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
    for (Path each : List.of(file, link)) {
      assertThatThrownBy(() -> Site.of(each, "/home/u"))
          .hasMessage(
              "%s is not used: everybody can put another file in its place, as everybody can write %s"
                  .formatted(each, open));
    }
    Files.setAttribute(open, "unix:mode", 01777);
    assertThat(Site.of(file, "/home/u").file()).contains(file);
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxr-x"));
    assertThat(Site.of(file, "/home/u").file()).contains(file);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "defaults: {module: [a, zz]}|line 1, column 11: there is no module 'zz' here",
        "partitions: {p: {module: zz}}|line 1, column 14: there is no module 'zz' here",
        "defaults: {module: 'a,b'}|line 1, column 11: the modules a and b exclude each other",
        "modules: {c: {requires: a, conflicts: a}}|the modules c and a exclude each other",
        "modules: {c: {requires: [a, b]}}|the modules a and b exclude each other",
      })
  void aSiteWithWhichEachLaunchFailsIsNotGood(String text, String message) throws IOException {
    String modules = "a: {conflicts: b}, b: {}";
    Site site =
        site(
            text.startsWith("modules: {")
                ? text.replace("modules: {", "modules: {" + modules + ", ")
                : text + "\nmodules: {" + modules + "}\n");
    assertThatThrownBy(site::check)
        .isInstanceOf(Failure.class)
        .hasMessageContaining("site.yaml, ")
        .hasMessageContaining(message);
  }

  @Test
  void aSiteWithWhichLaunchesGoIsGood() throws IOException {
    site(SITE).check();
    site("""
            defaults: {module: a}
            partitions: {p: {unset: module}, q: {module: b}}
            modules: {a: {}, b: {requires: a}}
            """)
        .check();
  }

  private LaunchSpec launch(String words) throws IOException {
    return launch(words, Map.of("HOME", "/home/u"));
  }

  private LaunchSpec launch(String words, Map<String, String> environment) throws IOException {
    return new Requests(
            new GetoptParser(OptionTable.ofJobs(), "submit"),
            new Requests.Caller(
                directory, environment, site(SITE).options(), source -> Path.of("/none")))
        .job(List.of(words.split(" ")))
        .spec();
  }

  private Site site(String text) throws IOException {
    return Site.of(Files.writeString(directory.resolve("site.yaml"), text), "/home/u");
  }
}
