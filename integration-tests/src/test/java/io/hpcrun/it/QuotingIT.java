package io.hpcrun.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Words reach the application byte for byte: through the command line, the job script, sbatch,
 * srun, and a real container. {@code -Dhpcrun.quoting.seed} repeats a run.
 */
@Timeout(1800)
class QuotingIT {
  private static final int VECTORS = Integer.getInteger("hpcrun.quoting.vectors", 30);
  private static final long SEED = Long.getLong("hpcrun.quoting.seed", System.nanoTime());
  private static final int AT_ONCE = 20;
  private static final int VARIABLES = 40;
  private static final int REFUSED = 3;
  private static final String DIRECTORY = "/home/alice/quoting/";

  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);
  private final Login alice = lab.alice();
  private final Jobs jobs = new Jobs(alice);
  private final String tiny = lab.image("tiny");

  /** Words, each followed by NUL, as writeargs of the image tiny leaves them. */
  private static byte[] dump(List<String> words) {
    ByteArrayOutputStream dump = new ByteArrayOutputStream();
    for (String word : words) {
      dump.writeBytes(word.getBytes(UTF_8));
      dump.write(0);
    }
    return dump.toByteArray();
  }

  @BeforeAll
  void makeDirectory() {
    alice.bash("rm -rf \"$1\" && mkdir \"$1\"", DIRECTORY).succeeded();
  }

  @Test
  void passesRandomWordsByteForByte() {
    HostileWords words = new HostileWords(new Random(SEED));
    List<List<String>> vectors = new ArrayList<>();
    for (int i = 0; i < VECTORS; i++) {
      vectors.add(words.vector());
    }
    check(vectors);
  }

  @Test
  void passesEveryByteThatWordsCanHold() {
    StringBuilder ascii = new StringBuilder();
    for (char c = 1; c < 0x80; c++) {
      ascii.append(c);
    }
    // All first bytes of characters (c2 to f4) and all following ones (80 to bf) occur.
    StringBuilder unicode = new StringBuilder();
    for (int c = 0x80; c < 0x800; c++) {
      unicode.appendCodePoint(c);
    }
    for (int c = 0x800; c <= Character.MAX_CODE_POINT; c += 0x400) {
      if (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE) {
        unicode.appendCodePoint(c);
      }
    }
    check(List.of(List.of(ascii.toString(), unicode.toString())));
  }

  /** srun(1) takes a colon by itself for the next component of a heterogeneous job. */
  @Test
  void passesColonsThatAreWordsOfTheirOwn() {
    check(List.of(List.of(":"), List.of("a", ":", ":", "--", ":", "b", ":")));
  }

  @Test
  void passesEverySpecialTextAsAWordOfItsOwn() {
    check(List.of(HostileWords.SPECIAL.stream().filter(word -> !word.equals(":")).toList()));
  }

  @Test
  void passesLongAndManyWords() {
    List<String> many = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      many.add("word " + i);
    }
    check(List.of(List.of("x'".repeat(30_000)), many, List.of("", "", "")));
  }

  /** One job for each vector, some at a time. */
  private void check(List<List<String>> vectors) {
    for (int from = 0; from < vectors.size(); from += AT_ONCE) {
      Map<String, List<String>> submitted = new LinkedHashMap<>();
      for (List<String> vector : vectors.subList(from, Math.min(from + AT_ONCE, vectors.size()))) {
        String file = DIRECTORY + "words-" + System.nanoTime();
        List<String> words =
            new ArrayList<>(List.of("-o", DIRECTORY + "%j.out", tiny, "--", "writeargs", file));
        words.addAll(vector);
        submitted.put(jobs.submit(words.toArray(String[]::new)) + ":" + file, vector);
      }
      jobs.awaitEnd(submitted.keySet().stream().map(key -> key.split(":")[0]).toList());
      submitted.forEach(this::compare);
    }
    assertThat(alice.run("test", "-e", "pwned").exitCode()).as("a word was executed").isEqualTo(1);
  }

  private void compare(String jobAndFile, List<String> expected) {
    String[] parts = jobAndFile.split(":");
    Outcome arrived = alice.run("cat", parts[1]);
    String what =
        "seed %d, job %s, words %s, the job said: %s"
            .formatted(
                SEED, parts[0], expected, alice.run("cat", DIRECTORY + parts[0] + ".out").output());
    assertThat(arrived.exitCode()).as(what).isZero();
    assertThat(arrived.out()).as(what).isEqualTo(dump(expected));
  }

  /** Ranks that join get their words from nsenter, not through Apptainer's JSON. */
  @Test
  void passesBytesThatAreNotUtf8() {
    HostileWords words = new HostileWords(new Random(SEED));
    List<byte[]> all = new ArrayList<>();
    for (int value = 1; value < 256; value++) {
      all.add(new byte[] {(byte) value});
    }
    for (int i = 0; i < 50; i++) {
      all.add(words.brokenWord());
    }
    String file = DIRECTORY + "bytes";
    List<byte[]> command = command("hpcrun", "run", tiny, "--", "writeargs", file);
    command.addAll(all);
    alice.runBytes(command).succeeded();
    ByteArrayOutputStream expected = new ByteArrayOutputStream();
    all.forEach(
        word -> {
          expected.writeBytes(word);
          expected.write(0);
        });
    assertThat(alice.read(file)).as("seed %d", SEED).isEqualTo(expected.toByteArray());
  }

  /** Apptainer would turn such bytes into U+FFFD without a word. */
  @Test
  void refusesWordsThatApptainerWouldChange() {
    HostileWords words = new HostileWords(new Random(SEED));
    List<String> before = jobs.known();
    for (int i = 0; i < 10; i++) {
      byte[] broken = words.brokenWord();
      List<byte[]> exec =
          command("hpcrun", "run", "--mode=exec", tiny, "--", "argdump", words.word());
      exec.add(broken);
      refusesAsNotUtf8(alice.runBytes(exec));
      byte[] variable = "X=".getBytes(UTF_8);
      byte[] assignment = java.util.Arrays.copyOf(variable, variable.length + broken.length);
      System.arraycopy(broken, 0, assignment, variable.length, broken.length);
      List<byte[]> env = command("hpcrun", "run", "--env");
      env.add(assignment);
      env.addAll(command(tiny, "envdump"));
      refusesAsNotUtf8(alice.runBytes(env));
    }
    assertThat(before).as("jobs before and after").containsAll(jobs.known());
  }

  private static List<byte[]> command(String... words) {
    return new ArrayList<>(List.of(words).stream().map(word -> word.getBytes(UTF_8)).toList());
  }

  private static void refusesAsNotUtf8(Outcome outcome) {
    assertThat(outcome.exitCode()).as("seed %d: %s", SEED, outcome).isEqualTo(REFUSED);
    assertThat(outcome.error()).contains("not UTF-8").contains("what to do: ");
  }

  @Test
  void setsVariablesToRandomValuesByteForByte() {
    HostileWords words = new HostileWords(new Random(SEED));
    List<String> expected = new ArrayList<>();
    List<String> command = new ArrayList<>(List.of("-o", DIRECTORY + "environment"));
    for (int i = 0; i < VARIABLES; i++) {
      String variable = "QUOTED_" + i + "=" + words.word();
      expected.add(variable);
      command.add("--env=" + variable);
    }
    command.addAll(List.of(tiny, "--", "envdump"));
    jobs.awaitEnd(jobs.submit(command.toArray(String[]::new)));
    String environment = new String(alice.read(DIRECTORY + "environment"), UTF_8);
    assertThat(environment.split("\000")).as("seed %d", SEED).containsAll(expected);
  }

  @Test
  void bindsDirectoriesOfAnyName() {
    List<String> names =
        List.of(
            "plain",
            "two words",
            "colon:colon",
            "comma,comma",
            "back\\slash",
            "it's",
            "\"quoted\"",
            "a=b",
            "$(id)",
            "größe",
            " edges ",
            "new\nline",
            "*",
            "#",
            "end\\");
    List<String> command = new ArrayList<>(List.of("-o", DIRECTORY + "binds"));
    List<String> wanted = new ArrayList<>();
    StringBuilder expected = new StringBuilder();
    for (String name : names) {
      alice
          .bash(
              "mkdir \"$1/bind $2\" && printf '%s\\n' \"$3\" >\"$1/bind $2/here\"",
              DIRECTORY, name, "I am " + wanted.size())
          .succeeded();
      String escaped = name.replaceAll("[\\\\:,]", "\\\\$0");
      command.add("--bind=" + DIRECTORY + "bind " + escaped + ":/bound/" + escaped);
      expected.append("I am ").append(wanted.size()).append('\n');
      wanted.add("/bound/" + name + "/here");
    }
    command.addAll(List.of(tiny, "--", "cat"));
    command.addAll(wanted);
    jobs.awaitEnd(jobs.submit(command.toArray(String[]::new)));
    assertThat(new String(alice.read(DIRECTORY + "binds"), UTF_8)).endsWith(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"read-only", "read only, too"})
  void bindsReadOnlyWhenAskedTo(String name) {
    alice.run("mkdir", DIRECTORY + name).succeeded();
    String escaped = name.replace(",", "\\,");
    Outcome outcome =
        alice.run(
            "hpcrun",
            "run",
            "--bind",
            DIRECTORY + escaped + ":/bound:ro",
            tiny,
            "--",
            "sh",
            "-c",
            "echo x >/bound/file");
    assertThat(outcome.exitCode()).as("%s", outcome).isNotZero();
    assertThat(outcome.output()).contains("Read-only file system");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "two words",
        "it's",
        "say \"hello\"",
        "back\\slash",
        "two\\\\",
        "#hash",
        "a # b",
        "$HOME `id` $(id)",
        "größe",
        "a;b|c&d,e:f",
        "%j %x",
        "-dash",
        "a=b",
        " edges ",
        "*"
      })
  void namesJobsAsTheUserSays(String name) {
    String job = jobs.submit("--hold", "-o", "/dev/null", "--job-name=" + name, tiny, "--", "true");
    try {
      assertThat(alice.run("squeue", "--noheader", "--jobs=" + job, "--format=%j").output())
          .isEqualTo(name + "\n");
    } finally {
      alice.run("scancel", job).succeeded();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"two words.out", "it's.out", "say \"x\".out", "# hash.out", "$HOME $(id).out"})
  void writesOutputToFilesOfAnyName(String name) {
    Outcome outcome =
        alice.run("hpcrun", "run", "-o", DIRECTORY + name, tiny, "--", "echo", "written");
    assertThat(outcome.exitCode()).as("%s", outcome).isZero();
    assertThat(outcome.lines()).contains("written");
    assertThat(alice.read(DIRECTORY + name)).isEqualTo(outcome.out());
  }
}
