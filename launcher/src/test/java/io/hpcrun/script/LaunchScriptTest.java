package io.hpcrun.script;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.Tool;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.EnvironmentVariable;
import java.io.IOException;
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

/** The scripts are run by bash, with an hpcrun that writes down how it was called. */
class LaunchScriptTest {
  private static final List<String> HOSTILE =
      List.of(
          "",
          "a b",
          "'",
          "\"",
          "\\",
          "$(touch pwned)",
          "`touch pwned`",
          "${value_0}",
          "$value_0",
          "'; touch pwned; '",
          "\"; touch pwned; \"",
          "\n#SBATCH --nodes=99\n",
          "#SBATCH",
          "*",
          "~",
          "--",
          "-n",
          "é漢🚀",
          "\u202e",
          "\t",
          "a\rb",
          "!!",
          "<(touch pwned)",
          "$'\\n'",
          ")",
          "(touch pwned)",
          "values_0=x");

  @TempDir Path directory;

  @BeforeEach
  void standIn() throws IOException {
    Path hpcrun = directory.resolve("hpcrun");
    Files.writeString(
        hpcrun,
        """
        #!/bin/bash
        {
          printf '%s\\0' "$#" "$@"
          for name in "${!HPCRUN_ENV_@}"; do printf '%s\\0' "$name=${!name}"; done
          printf 'end\\0'
        } >"$0.$BASHPID.call"
        for ((i = 1; i <= $#; i++)); do
          if [[ ${!i} == fail ]]; then i=$((i + 1)); exit "${!i}"; fi
        done
        """);
    Tool.run(List.of("chmod", "+x", hpcrun.toString()));
  }

  /** A call: its words and variables. */
  private record Call(List<String> words, List<String> variables) {}

  /** What the script's end was. */
  private record End(int code, String said, List<Call> calls) {}

  private End run(ByteString script, Map<String, String> environment) throws Exception {
    ProcessBuilder builder = new ProcessBuilder("/bin/bash", "-p", "-s");
    builder.directory(directory.toFile());
    builder.environment().put("PATH", directory + ":/usr/bin:/bin");
    builder.environment().putAll(environment);
    Path said = directory.resolve("said");
    Process process = builder.redirectErrorStream(true).redirectOutput(said.toFile()).start();
    try (var in = process.getOutputStream()) {
      in.write(script.bytes());
    }
    int code = process.waitFor();
    assertThat(directory.resolve("pwned")).doesNotExist();
    List<Call> calls = new ArrayList<>();
    try (var files = Files.newDirectoryStream(directory, "*.call")) {
      for (Path file : files) {
        List<String> parts = List.of(Files.readString(file).split("\0", -1));
        int count = Integer.parseInt(parts.getFirst());
        calls.add(
            new Call(
                parts.subList(1, count + 1),
                parts.subList(count + 1, parts.indexOf("end") < 0 ? 0 : parts.size() - 2)));
        Files.delete(file);
      }
    }
    return new End(code, Files.readString(said), calls);
  }

  private static LaunchScript.Launch launch(String name, String... command) {
    return new LaunchScript.Launch(
        name,
        List.of("--ntasks=2"),
        List.of(),
        List.of(command).stream().map(ByteString::of).toList());
  }

  @Test
  void launchesRunInOrderUntilOneFails() throws Exception {
    List<LaunchScript.Launch> launches =
        List.of(launch("one", "a"), launch("two", "fail", "7"), launch("three", "c"));
    End end = run(LaunchScript.inOrder("Launches", launches, Slots.NONE), Map.of());
    assertThat(end.code()).isEqualTo(7);
    assertThat(end.said()).isEqualTo("hpcrun: the launch two ended with 7, and the job with it\n");
    assertThat(end.calls().stream().map(Call::words))
        .containsExactlyInAnyOrder(
            List.of("exec", "--ntasks=2", "--job-name=one", "--", "a"),
            List.of("exec", "--ntasks=2", "--job-name=two", "--", "fail", "7"));
  }

  @Test
  void launchesRunTogetherToTheirEnd() throws Exception {
    List<LaunchScript.Launch> launches =
        List.of(launch("one", "fail", "3"), launch("two", "b"), launch("three", "fail", "5"));
    End end = run(LaunchScript.together("Launches", launches, Slots.NONE), Map.of());
    assertThat(end.code()).isEqualTo(3);
    assertThat(end.calls()).hasSize(3);
    assertThat(end.said()).contains("the launch one ended with 3", "the launch three ended with 5");
    assertThat(
            run(LaunchScript.together("L", List.of(launch("x", "y")), Slots.NONE), Map.of()).code())
        .isZero();
  }

  @Test
  void wordsAndVariablesArriveUnchanged() throws Exception {
    List<EnvironmentVariable> variables = new ArrayList<>();
    for (int i = 0; i < HOSTILE.size(); i++) {
      variables.add(new EnvironmentVariable("V" + i, ByteString.of(HOSTILE.get(i))));
    }
    LaunchScript.Launch launch =
        new LaunchScript.Launch(
            "one",
            List.of("--comment=$(touch pwned) '\n"),
            variables,
            HOSTILE.stream().map(ByteString::of).toList());
    String what = "it's\n touch pwned\n";
    List<String> words = new ArrayList<>(List.of("exec", "--comment=$(touch pwned) '\n"));
    words.addAll(List.of("--job-name=one", "--"));
    words.addAll(HOSTILE);
    for (ByteString script :
        List.of(
            LaunchScript.inOrder(what, List.of(launch), Slots.NONE),
            LaunchScript.together(what, List.of(launch), Slots.NONE),
            LaunchScript.one(what, launch, Slots.NONE))) {
      End end = run(script, Map.of());
      assertThat(end.code()).as(end.said()).isZero();
      assertThat(end.calls())
          .singleElement()
          .satisfies(
              call -> {
                assertThat(call.words()).isEqualTo(words);
                assertThat(call.variables())
                    .containsExactlyInAnyOrderElementsOf(
                        variables.stream()
                            .map(v -> "HPCRUN_ENV_" + v.name() + "=" + v.value().utf8())
                            .toList());
              });
      assertThat(script.utf8().lines()).noneMatch(line -> line.startsWith("#SBATCH"));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void eachElementHasItsValues(boolean paired) throws Exception {
    Slots slots =
        new Slots(
            List.of(
                new Slots.Slot("a", HOSTILE),
                new Slots.Slot("b-c", paired ? HOSTILE.reversed() : List.of("1", "2", "3"))),
            paired);
    assertThat(slots.size()).isEqualTo(paired ? HOSTILE.size() : 3 * HOSTILE.size());
    LaunchScript.Launch launch =
        new LaunchScript.Launch(
            "",
            List.of(),
            List.of(new EnvironmentVariable("V", ByteString.of(Slots.mark(1) + "'"))),
            List.of(
                ByteString.of("app"),
                ByteString.of("--a=" + Slots.mark(0) + Slots.mark(1) + "$x"),
                ByteString.of(Slots.mark(0))));
    ByteString script = LaunchScript.one("job.yaml", launch, slots);
    for (int element = 0; element < slots.size(); element += 5) {
      List<String> values = slots.element(element);
      End end = run(script, Map.of("SLURM_ARRAY_TASK_ID", Integer.toString(element)));
      assertThat(end.calls())
          .containsExactly(
              new Call(
                  List.of(
                      "exec",
                      "--",
                      "app",
                      "--a=" + values.get(0) + values.get(1) + "$x",
                      values.get(0)),
                  List.of("HPCRUN_ENV_V=" + values.get(1) + "'")));
      assertThat(slots.filled(Slots.mark(1) + "-" + Slots.mark(0), element))
          .isEqualTo(values.get(1) + "-" + values.get(0));
    }
    End beyond = run(script, Map.of("SLURM_ARRAY_TASK_ID", Integer.toString(slots.size())));
    assertThat(beyond.code()).isEqualTo(2);
    assertThat(beyond.said()).contains("there is no element " + slots.size());
    assertThat(beyond.calls()).isEmpty();
    assertThat(run(script, Map.of()).said()).contains("this is a script of a job array");
  }

  @Test
  void theScriptsAreGoodBash() throws Exception {
    Slots slots = new Slots(List.of(new Slots.Slot("x", List.of("1", "two"))), false);
    for (ByteString script :
        List.of(
            LaunchScript.inOrder("L", List.of(launch("a", "b " + Slots.mark(0))), slots),
            LaunchScript.together("L", List.of(launch("a", "b")), Slots.NONE))) {
      Path file = Files.write(directory.resolve("script.sh"), script.bytes());
      Tool.run(List.of("shellcheck", file.toString()));
    }
  }
}
