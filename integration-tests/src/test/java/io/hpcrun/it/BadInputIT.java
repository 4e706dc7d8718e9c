package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong input of every kind: a short message that says what to do, the right code, and no job. */
class BadInputIT {
  private static final int USAGE = 2;
  private static final int REFUSED = 3;
  private static final int SLURM = 4;
  private static final int IMAGE = 5;

  /** More would scroll away what matters. */
  private static final int MESSAGE_LINES = 4;

  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);
  private final Login alice = lab.alice();
  private final Jobs jobs = new Jobs(alice);
  private final String tiny = lab.image("tiny");

  /** A command line, the exit code it must have and words its message must hold. */
  private record Bad(String what, int exitCode, List<String> message, List<String> words) {
    @Override
    public String toString() {
      return what;
    }
  }

  private static Bad bad(String what, int exitCode, String message, String... words) {
    return new Bad(what, exitCode, List.of(message.split("\\|")), List.of(words));
  }

  /** A launch of something that is no image. */
  private static Bad image(String what, int exitCode, String message, String path) {
    return bad(what, exitCode, message, "run", path, "--", "true");
  }

  /** A launch with options before the image. */
  private Bad option(int exitCode, String message, String... options) {
    List<String> words = new ArrayList<>(List.of("run"));
    words.addAll(List.of(options));
    words.addAll(List.of(tiny, "--", "true"));
    return new Bad(
        String.join(" ", options).replace("\n", "\\n"),
        exitCode,
        List.of(message.split("\\|")),
        words);
  }

  @BeforeAll
  void makeWhatIsNoImage() {
    alice
        .bash(
            """
            set -e
            rm -rf bad; mkdir bad; cd bad
            mkdir directory closed
            : >empty.sif
            echo 'not an image' >text.sif
            printf 'hsqs%0200d' 0 >squash.img
            echo 'an archive' | gzip >archive.tar.gz
            head -c 100000 "$1" >truncated.sif
            head -c 64 "$1" >beginning.sif
            cp "$1" secret.sif; chmod 000 secret.sif
            cp "$1" closed/image.sif; chmod 000 closed
            mkfifo fifo.sif
            cp "$1" arm.sif; chmod 644 arm.sif
            printf '04\\0' | dd of=arm.sif bs=1 seek=45 conv=notrunc status=none
            mkdir coreutils; for name in env readlink cat setsid; do ln -s "/usr/bin/$name" coreutils/; done
            sed -e '$aSlurmctldPort=1' -e 's/^MessageTimeout=.*/MessageTimeout=2/' \
              /etc/slurm/slurm.conf >dead.conf
            """,
            tiny)
        .succeeded();
  }

  Stream<Bad> images() {
    return Stream.of(
        image("missing image", IMAGE, "bad/nosuch.sif|does not exist", "bad/nosuch.sif"),
        image("image in a missing directory", IMAGE, "only up to|/home/alice", "no/such/a.sif"),
        image("directory that is no sandbox", IMAGE, "not a sandbox", "bad/directory"),
        image("empty file", IMAGE, "empty", "bad/empty.sif"),
        image("text file", IMAGE, "not a SIF", "bad/text.sif"),
        image("squashfs file", IMAGE, "squashfs|apptainer build", "bad/squash.img"),
        image("gzip file", IMAGE, "gzip|apptainer build", "bad/archive.tar.gz"),
        image("program", IMAGE, "program", "/bin/true"),
        image("truncated image", IMAGE, "cut off", "bad/truncated.sif"),
        image("beginning of an image", IMAGE, "cut off", "bad/beginning.sif"),
        image("image of mode 000", IMAGE, "may not be read", "bad/secret.sif"),
        image("image in a directory of mode 000", IMAGE, "read", "bad/closed/image.sif"),
        image("directory of mode 000", IMAGE, "may not be read", "bad/closed"),
        image("fifo", IMAGE, "neither a file nor a directory", "bad/fifo.sif"),
        image("device", IMAGE, "neither a file nor a directory", "/dev/null"),
        image("image of another architecture", REFUSED, "arm64|amd64", "bad/arm.sif"),
        image(
            "registry that is not there",
            IMAGE,
            "127.0.0.1:1|cannot be reached",
            "docker://127.0.0.1:1/x"),
        image("empty name of an image", USAGE, "empty", ""));
  }

  Stream<Bad> commandLines() {
    return Stream.of(
        bad("run without arguments", USAGE, "image|command", "run"),
        bad("no command", USAGE, "no command", "run", tiny),
        bad("no command after --", USAGE, "no command", "run", tiny, "--"),
        bad("empty command", USAGE, "no command", "run", tiny, "--", ""),
        bad("unknown sub-command", USAGE, "launch|run, submit", "launch", tiny, "--", "true"),
        bad("option without value at the end", USAGE, "--ntasks|no value", "run", "-n"),
        bad("timing of nonsense", USAGE, "'nonsense' is not a job id", "timing", "nonsense"),
        bad("timing of two jobs", USAGE, "one job id", "timing", "1", "2"),
        bad("timing of an unknown job", USAGE, "no record of job 999999", "timing", "999999"),
        bad("help for nonsense", USAGE, "nonsense", "help", "nonsense"),
        option(USAGE, "--frobnicate|hpcrun help run", "--frobnicate"),
        option(USAGE, "--ntask-per-node", "--ntask-per-node=2"),
        option(USAGE, "--nt|could be", "--nt=2"),
        option(USAGE, "--no-home|takes no value", "--no-home=1"),
        option(USAGE, "--parsable", "--parsable"),
        option(USAGE, "--array|hpcrun submit", "--array=0-3"),
        option(USAGE, "--sbatch", "--sbatch=nodash"));
  }

  Stream<Bad> values() {
    return Stream.of(
        option(USAGE, "--ntasks|'0'", "-n", "0"),
        option(USAGE, "--ntasks|'x'", "-n", "x"),
        option(USAGE, "--ntasks|'-1'", "-n-1"),
        option(USAGE, "--nodes|'0'", "-N", "0"),
        option(SLURM, "sbatch refused", "-N", "4-2"),
        option(USAGE, "--time|nonsense", "-t", "nonsense"),
        option(USAGE, "--mem|lots", "--mem=lots"),
        option(USAGE, "--mem|--mem-per-cpu|exclude each other", "--mem=1G", "--mem-per-cpu=1G"),
        option(USAGE, "--signal|leave out B:", "--signal=B:USR1"),
        option(USAGE, "--job-name|one line of text", "-J", "two\nlines"),
        option(USAGE, "--job-name|one line of text", "-J", "x\n#SBATCH --nodes=2"),
        option(USAGE, "--output|one line of text", "-o", "two\nlines"),
        option(SLURM, "partition", "-p", "nosuch"),
        option(SLURM, "sbatch refused", "-N", "3"),
        option(SLURM, "sbatch refused", "--mem=10T"),
        option(REFUSED, "--mpi=nosuch|pmix", "--mpi=nosuch"),
        option(USAGE, "--mpi", "--mpi=p m"),
        option(USAGE, "--env NOVALUE passes on your NOVALUE|NOVALUE=VALUE", "--env", "NOVALUE"),
        option(USAGE, "'1A' is not a variable name", "--env", "1A=b"),
        option(USAGE, "'' is not a variable name", "--env", "=b"),
        option(USAGE, "--env sets A twice", "--env", "A=1", "--env", "A=2"),
        option(USAGE, "HOME|--home", "--env", "HOME=/x"),
        option(USAGE, "'relative' is not an absolute path", "--bind", "relative"),
        option(USAGE, "SOURCE[:DESTINATION", "--bind", "/a:/b:zz"),
        option(USAGE, "SOURCE[:DESTINATION", "--bind", "/a:/b:ro:ro"),
        option(USAGE, "--bind|not an absolute path", "--bind", "/a,"),
        option(USAGE, "--pwd|absolute", "--pwd", "relative"),
        option(USAGE, "--no-mount|nonsense", "--no-mount=nonsense"),
        option(USAGE, "--home|--no-home", "--home=/x", "--no-home"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("images")
  void refusesWhatIsNoImageForThisCluster(Bad bad) {
    check(bad, alice);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("commandLines")
  void refusesCommandLinesThatMakeNoSense(Bad bad) {
    check(bad, alice);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("values")
  void refusesOptionsWithWrongValues(Bad bad) {
    check(bad, alice);
  }

  @Test
  void saysWhatIsMissingWhereSlurmIsNotInstalled() {
    check(
        bad("no Slurm", SLURM, "not on the PATH", "run", tiny, "--", "true"),
        alice.with("PATH", "/opt/hpcrun/bin:/home/alice/bad/coreutils"));
  }

  @Test
  void saysThatTheControllerDoesNotAnswer() {
    check(
        bad("controller down", SLURM, "Slurm did not answer|sinfo", "run", tiny, "--", "true"),
        alice.with("SLURM_CONF", "/home/alice/bad/dead.conf"));
  }

  @Test
  void refusesRelativeRecordDirectory() {
    check(
        bad("records", USAGE, "HPCRUN_RECORDS=here|absolute", "run", tiny, "--", "true"),
        alice.with("HPCRUN_RECORDS", "here"));
  }

  @ParameterizedTest
  @CsvSource({"here,absolute", "'/a\tb',holds characters"})
  void refusesASpoolThatCannotBeOne(String spool, String said) {
    check(
        bad("spool", USAGE, "HPCRUN_SPOOL=|" + said, "run", tiny, "--", "true"),
        alice.with("HPCRUN_SPOOL", spool));
  }

  @Test
  void printsTheOverviewWhenNothingIsAskedFor() {
    Outcome outcome = alice.run("hpcrun");
    assertThat(outcome.exitCode()).isEqualTo(USAGE);
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.error()).contains("hpcrun run", "hpcrun submit", "hpcrun timing");
  }

  /** The nodes' own /tmp: only they can tell, so the job is submitted, and refused there. */
  @Test
  void refusesImageThatTheNodesLack() {
    alice.run("cp", tiny, "/tmp/only-on-login.sif").succeeded();
    Outcome outcome =
        alice.run(
            "hpcrun",
            "run",
            "-N",
            "2",
            "/tmp/only-on-login.sif",
            "--",
            "sh",
            "-c",
            "echo started >>started-without-image; echo started");
    alice.run("rm", "/tmp/only-on-login.sif").succeeded();
    assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(IMAGE);
    String said = outcome.output() + outcome.error();
    assertThat(said.lines().filter(line -> line.contains("only-on-login.sif is not there")))
        .singleElement()
        .asString()
        .contains("refused before any rank started")
        .containsPattern("c1,c2|c2,c1|c\\[1-2\\]");
    assertThat(outcome.lines()).doesNotContain("started");
    assertThat(alice.run("test", "-e", "started-without-image").exitCode())
        .as("the application started all the same")
        .isEqualTo(1);
  }

  private void check(Bad bad, Login login) {
    List<String> before = jobs.known();
    List<String> command = new ArrayList<>(List.of("hpcrun"));
    command.addAll(bad.words());
    Outcome outcome = login.run(command);
    assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(bad.exitCode());
    assertThat(outcome.output()).as("standard output").isEmpty();
    assertThat(outcome.error()).contains(bad.message());
    assertThat(outcome.errorLines())
        .hasSizeBetween(2, MESSAGE_LINES)
        .anyMatch(line -> line.startsWith("hpcrun: error: "))
        .anyMatch(line -> line.strip().startsWith("what to do: "))
        .noneMatch(line -> line.contains("Exception") || line.strip().startsWith("at "));
    assertThat(jobs.inQueue()).as("jobs that wait or run").isEmpty();
    if (bad.exitCode() != SLURM) {
      // What Slurm itself refuses it keeps for a while, as a failed job.
      assertThat(before).as("all jobs, before and after").containsAll(jobs.known());
    }
  }
}
