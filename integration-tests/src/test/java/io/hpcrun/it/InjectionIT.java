package io.hpcrun.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Hostile values in every field of site files, job files, templates and policies, through to real
 * sbatch and the jobs that come of it: none is executed, none becomes an option.
 */
@Timeout(3600)
class InjectionIT {
  private static final boolean FULL = Boolean.getBoolean("hpcrun.full");

  /** Of a sample of the fields, another one each day. */
  private static final int EVERY = FULL ? 1 : 3;

  private static final String DIRECTORY = "/home/alice/hostile";

  /** Submits each case in a directory of its own; prints its exit code, and the job's number. */
  private static final String SUBMIT =
      """
      cd "$1" || exit
      mkdir home
      export HOME=$PWD/home
      while read -r number kind file value; do
        mkdir "$number" && cd "$number" || exit
        base64 -d <<<"$file" >f.yaml
        value=$(base64 -d <<<"$value"; printf x)
        case $kind in
          site | sitepartitions | policy) words=("$2" -- true) ;;
          sitemodules) words=(--module=m "$2" -- true) ;;
          set) words=(--template=f "--set=p=${value%x}") ;;
          job | test) words=(f.yaml) ;;
        esac
        site=none
        [[ $kind != site* ]] || site=$PWD/f.yaml
        if [[ $kind == policy ]]; then
          site=$PWD/site.yaml
          printf 'policy: %s/f.yaml\\n' "$PWD" >"$site"
        fi
        HPCRUN_SITE=$site HPCRUN_TEMPLATES=$PWD timeout 120 hpcrun submit --parsable "${words[@]}" >out 2>err </dev/null
        code=$?
        if [[ $kind == test ]]; then
          HPCRUN_SITE=none HPCRUN_TEMPLATES=$PWD timeout 120 hpcrun template test f >>out 2>>err </dev/null
        fi
        if [[ $kind == policy ]]; then
          for words in show test "export $PWD"; do
            HPCRUN_SITE=$site timeout 120 hpcrun policy $words >>out.policy 2>>err </dev/null
          done
        fi
        job=-
        if ((code == 0)); then
          job=$(tail -n 1 out)
          [[ $job == [0-9]* ]] || job=-
        fi
        [[ $job == - ]] || scontrol write batch_script "$job" script >/dev/null
        printf '%s %s %s\\n' "$number" "$code" "$job"
        cd ..
      done <cases
      """;

  private static final String LINES = "grep -lE '^[[:space:]]*#SBATCH --comment=pwned' */script";

  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);
  private final Login alice = lab.alice();
  private final Jobs jobs = new Jobs(alice);

  @Test
  void noValueIsExecutedAndNoneBecomesAnOption() {
    int first = (int) (LocalDate.now(ZoneOffset.UTC).toEpochDay() % EVERY);
    List<HostileFiles.Case> all =
        HostileFiles.all(lab.image("tiny"), FULL ? HostileFiles.VALUES.size() : 1);
    List<HostileFiles.Case> cases =
        IntStream.range(0, all.size()).filter(i -> i % EVERY == first).mapToObj(all::get).toList();
    alice.bash("rm -rf \"$1\" && mkdir \"$1\"", DIRECTORY).succeeded();
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < cases.size(); i++) {
      HostileFiles.Case each = cases.get(i);
      lines.append(
          "%d %s %s %s\n".formatted(i, each.kind(), base64(each.file()), base64(each.value())));
    }
    alice.write(DIRECTORY + "/cases", lines.toString().getBytes(UTF_8));

    List<String[]> ends =
        alice.bash(SUBMIT, DIRECTORY, lab.image("tiny")).succeeded().lines().stream()
            .map(line -> line.split(" "))
            .toList();
    assertThat(ends).hasSameSizeAs(cases);
    awaitEndOfAll();

    System.out.println(table(cases, ends));
    assertThat(where("an exit code that bad input does not have", cases, ends)).isEmpty();
    assertThat(alice.bash("cd \"$1\" && grep -E 'Exception|^\\s+at ' */err", DIRECTORY).output())
        .as("messages of Java")
        .isEmpty();
    assertThat(alice.bash("cd \"$1\" && " + LINES, DIRECTORY).output())
        .as("scripts with a line of a value's making")
        .isEmpty();
    assertThat(alice.run("squeue", "--me", "-h", "--states=all", "-o", "%k").succeeded().lines())
        .as("jobs' comments")
        .doesNotContain(HostileFiles.COMMENT);
    for (String node : List.of(LabCluster.LOGIN_NODE, "c1", "c2")) {
      assertThat(lab.as("root", node).run("ls", HostileFiles.MARK).exitCode())
          .as("a value was executed on " + node)
          .isNotZero();
    }
    assertThat(ends).anyMatch(end -> !end[2].equals("-"));
    alice.run("rm", "-rf", DIRECTORY).succeeded();
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(UTF_8));
  }

  /** Jobs that wait for what never comes are taken away; the others run. */
  private void awaitEndOfAll() {
    Jobs.await(
        "hostile jobs have ended",
        () -> {
          alice
              .bash(
                  """
                  squeue --me -h -t PD -o '%A %r' | awk '$2 !~ /^(None|Resources|Priority)$/ { print $1 }' |
                    sort -u | xargs -r scancel
                  """)
              .succeeded();
          return jobs.inQueue().isEmpty();
        });
  }

  private static List<String> where(
      String what, List<HostileFiles.Case> cases, List<String[]> ends) {
    return ends.stream()
        .filter(end -> !List.of("0", "2", "3", "4", "5").contains(end[1]))
        .map(end -> "%s: %s: %s".formatted(what, end[1], cases.get(Integer.parseInt(end[0]))))
        .toList();
  }

  private static CaseTable table(List<HostileFiles.Case> cases, List<String[]> ends) {
    CaseTable table = new CaseTable("file", "cases", "refused", "not taken by Slurm", "jobs");
    Map<String, List<String[]>> byKind =
        ends.stream()
            .collect(
                Collectors.groupingBy(
                    end -> cases.get(Integer.parseInt(end[0])).kind(),
                    TreeMap::new,
                    Collectors.toList()));
    Function<List<String[]>, Map<String, Long>> codes =
        some -> some.stream().collect(Collectors.groupingBy(e -> e[1], Collectors.counting()));
    byKind.forEach(
        (kind, some) ->
            table.row(
                kind,
                some.size(),
                Stream.of("2", "3", "5")
                    .mapToLong(c -> codes.apply(some).getOrDefault(c, 0L))
                    .sum(),
                codes.apply(some).getOrDefault("4", 0L),
                some.stream().filter(end -> !end[2].equals("-")).count()));
    return table;
  }
}
