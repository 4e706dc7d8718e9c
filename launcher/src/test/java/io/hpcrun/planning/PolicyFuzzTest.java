package io.hpcrun.planning;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.policy.ExampleCheck;
import io.hpcrun.policy.Policy;
import io.hpcrun.policy.PolicyFile;
import io.hpcrun.policy.SlurmScripts;
import io.hpcrun.yaml.Mutations;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Policies that somebody could have mistyped. */
class PolicyFuzzTest {
  private static final String RIGHT =
      """
      contact: help@example.org
      enforce:
        partitions: [containers, 'containers-*']
        interactive: refuse
        user-scripts: allow
        srun-options: ['--exclusive*']
        reason: Only hpcrun's jobs.
        environment: {PATH: [/usr/*, /bin], LD_LIBRARY_PATH: []}
      rules:
        - id: images
          reason: Only images of the site.
          when: {partition: [containers, 'containers-*']}
          require: {image: [/apps/*, /shared/*], image-format: sif}
          examples:
            - pass: {partition: containers, image: /apps/a.sif, image-format: sif}
            - refuse: {partition: containers, image: /home/a.sif, image-format: sif}
        - id: limits
          severity: warn
          reason: 'Small jobs: "at most" two nodes.'
          contact: gpu@example.org
          forbid: {nodes: {at-least: 3}, time: {at-least: 1-00:00:00}, home: true}
          require: {memory: {at-most: 64G}, bind: {only: [/scratch/*]}, image-label.a.b: {given: true}}
          examples:
            - warn: {nodes: 4, time: 2h, home: false}
        - id: adds
          reason: Data is there.
          when: {account: {none: [teaching]}, gpus: 2}
          force: {bind: ['/scratch', '/data:/data:ro'], env: {SITE: lab, X: ''}}
      """;

  private static final String EVERYWHERE =
      """
      contact: TEXT
      enforce:
        partitions: [TEXT]
        srun-options: [TEXT]
        reason: TEXT
        environment: {PATH: [TEXT]}
      rules:
        - id: images
          reason: TEXT
          contact: TEXT
          when: {partition: TEXT, account: {none: [TEXT]}}
          forbid: {env: {all: [TEXT]}}
          require: {image: {only: [TEXT]}, command: TEXT}
          examples:
            - pass: {image: TEXT}
        - id: adds
          reason: TEXT
          force: {bind: [/data], env: {SITE: TEXT}}
      """;

  private static final SlurmScripts.Installation NO_AGENTS =
      new SlurmScripts.Installation("0.0.0", List.of(), Set.of(), List.of());

  @TempDir Path directory;

  private static Optional<Policy> read(Path file, long seed) throws IOException {
    try {
      Files.write(file, Mutations.of(RIGHT, seed));
      return Optional.of(PolicyFile.read(List.of(file), Optional.empty()));
    } catch (Failure refused) {
      assertThat(refused.exitCode()).isEqualTo(ExitCode.USAGE);
      assertThat(refused.getMessage())
          .startsWith(file + ", line ")
          .containsPattern("^[^,]*, line [0-9]+, column [0-9]+: .")
          .doesNotContain("Exception");
      assertThat(refused.remedy()).isNotBlank();
      return Optional.empty();
    }
  }

  @Property(tries = 3_000, shrinking = ShrinkingMode.OFF)
  void whateverStandsInAPolicyIsReadOrRefusedWithItsPlace(@ForAll long seed) throws IOException {
    Path file = Files.createTempFile("policy-fuzz", ".yaml");
    try {
      read(file, seed)
          .ifPresent(
              policy ->
                  assertThat(ExampleCheck.of(policy)).as("examples").hasSameSizeAs(policy.rules()));
    } finally {
      Files.delete(file);
    }
  }

  @Test
  void withoutMistakesItIsRight() throws IOException {
    Path file = Files.writeString(directory.resolve("policy.yaml"), RIGHT);
    assertThat(ExampleCheck.of(PolicyFile.read(List.of(file), Optional.empty())))
        .hasSize(3)
        .allSatisfy(each -> assertThat(each.wrong()).isEmpty());
  }

  /** No text of a policy ends the text that it stands in. */
  @Test
  void whateverIsReadIsWrittenAsLuaThatLoads() throws Exception {
    List<String> files = new ArrayList<>();
    for (long seed : new Random(1).longs(1_000).toArray()) {
      Optional<Policy> policy = read(directory.resolve("policy.yaml"), seed);
      if (policy.flatMap(Policy::enforcement).isPresent()) {
        Path file = directory.resolve(files.size() + ".lua");
        Files.write(file, SlurmScripts.jobSubmit(policy.get(), NO_AGENTS));
        files.add(file.toString());
      }
    }
    assertThat(files).hasSizeGreaterThan(50);
    load(files);
  }

  /** Nor is one executed, wherever it stands. */
  @Test
  void noTextOfAPolicyIsExecutedAsLua() throws Exception {
    Path mark = directory.resolve("executed");
    String call = "os.execute('touch " + mark + "')";
    List<String> files = new ArrayList<>();
    for (String text :
        List.of(
            "x\" .. " + call + " .. \"",
            "x\\\" .. " + call + " .. \"\\",
            "x' .. " + call + " .. '",
            "x]] " + call + " --[[",
            "x]=] " + call + " --[=[",
            "x\" } } } " + call + " local y = { { { \"",
            "x\n" + call + "\n--",
            "x\r" + call + "\u2028" + call)) {
      String value =
          '"'
              + text.replace("\\", "\\\\")
                  .replace("\"", "\\\"")
                  .replace("\n", "\\n")
                  .replace("\r", "\\r")
              + '"';
      Path policy = directory.resolve("policy.yaml");
      Files.writeString(policy, EVERYWHERE.replace("TEXT", value));
      Policy read = PolicyFile.read(List.of(policy), Optional.empty());
      Path file = directory.resolve("text" + files.size() + ".lua");
      Files.write(file, SlurmScripts.jobSubmit(read, NO_AGENTS));
      files.add(file.toString());
      file = directory.resolve("text" + files.size() + ".lua");
      Files.write(file, SlurmScripts.cliFilter(read, NO_AGENTS));
      files.add(file.toString());
    }
    load(files);
    assertThat(mark).doesNotExist();
  }

  private static void load(List<String> files) throws IOException, InterruptedException {
    for (String lua : Slurmctld.LUAS) {
      List<String> command = new ArrayList<>(List.of(lua, "-"));
      command.addAll(files);
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      try (var in = process.getOutputStream()) {
        in.write(
            "slurm = { SUCCESS = 0, log_info = function() end } for _, file in ipairs(arg) do assert(dofile(file) == 0, file) end"
                .getBytes(StandardCharsets.UTF_8));
      }
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor()).as(said).isZero();
    }
  }
}
