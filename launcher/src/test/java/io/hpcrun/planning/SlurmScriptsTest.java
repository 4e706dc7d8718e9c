package io.hpcrun.planning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hpcrun.failure.Failure;
import io.hpcrun.plan.Advice;
import io.hpcrun.planning.Slurmctld.Answer;
import io.hpcrun.policy.Policy;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.spec.Staging;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What slurmctld says of jobs, by the Lua that `hpcrun policy export` writes. */
class SlurmScriptsTest {
  private static final String ENFORCE =
      "contact: help@site\nenforce:\n  partitions: [containers]\n";

  private static final Policy PLAIN = PolicyLaunch.policy(ENFORCE);

  private static final String NOT_OURS = "policy job-script: only jobs that hpcrun writes run here";

  @TempDir Path directory;

  static List<String> luas() {
    return Slurmctld.LUAS;
  }

  private static Map<String, Object> job(String partition, String script) {
    Map<String, Object> job = new HashMap<>();
    job.put("partition", partition);
    job.put("user_name", "alice");
    if (script != null) {
      job.put("script", ByteString.ofLatin1(script));
    }
    return job;
  }

  private Answer ask(String lua, Policy policy, Map<String, Object> request) {
    return new Slurmctld(lua, directory, policy).submit(request).answers().getFirst();
  }

  private static PolicyLaunch full() {
    PolicyLaunch launch = new PolicyLaunch();
    launch.command.addAll(
        List.of(
            ByteString.of("two words"),
            ByteString.of("it's $HOME `id` \\ \"x\""),
            ByteString.of(""),
            ByteString.of("two\nlines\tand\r"),
            ByteString.of("größe"),
            ByteString.ofLatin1("\u00ff\u0001"),
            ByteString.of("#SBATCH --nodes=99")));
    launch.binds.addAll(List.of("/scratch", "/data/in:/in:ro", "/odd\\,dir:/odd"));
    launch.environment.addAll(List.of("A=b", "M=$(id) `id` 'y'\n"));
    launch.byName.addAll(List.of("TOKEN", "LICENSE"));
    launch.srun.add("--kill-on-bad-exit=1");
    launch.mpi = "pmix";
    launch.staging = Staging.From.NODE;
    return launch.in("containers").with(SlurmOption.CPUS_PER_TASK, "2");
  }

  @ParameterizedTest
  @MethodSource("luas")
  void whatHpcrunWritesPasses(String lua) {
    for (PolicyLaunch launch : List.of(new PolicyLaunch().in("containers"), full())) {
      assertThat(ask(lua, PLAIN, job("containers", launch.scriptText()))).matches(Answer::passes);
    }
  }

  @ParameterizedTest
  @MethodSource("luas")
  void jobsOfOtherPartitionsAreNotLookedAt(String lua) {
    Slurmctld slurm = new Slurmctld(lua, directory, PLAIN);
    slurm.submit(job("main", "#!/bin/sh\nrm -rf /\n"));
    slurm.submit(job("main", null));
    slurm.submit(Map.of("script", "#!/bin/sh\n")); // the default partition
    assertThat(slurm.answers()).allMatch(Answer::passes);
  }

  @ParameterizedTest
  @MethodSource("luas")
  void jobsThatMayRunInAContainerPartitionAreJudged(String lua) {
    Slurmctld slurm = new Slurmctld(lua, directory, PLAIN);
    slurm.submit(job("main,containers", "#!/bin/sh\n"));
    slurm.submit(job("containers", null));
    slurm.submit(job("containers,".repeat(1000), "#!/bin/sh\n"));
    Map<String, Object> oci = job("containers", new PolicyLaunch().scriptText());
    oci.put("container", "/home/alice/bundle");
    slurm.submit(oci);
    assertThat(slurm.answers())
        .allMatch(Answer::isRefused)
        .allMatch(each -> each.messages().startsWith(NOT_OURS));
  }

  @ParameterizedTest
  @MethodSource("luas")
  void aReservationsPartitionIsJudged(String lua) {
    Map<String, Object> course = job("x", "#!/bin/sh\n");
    course.remove("partition");
    course.put("reservation", "other,course");
    Slurmctld slurm = new Slurmctld(lua, directory, PLAIN);
    slurm.submit(course);
    assertThat(slurm.answers())
        .allMatch(Answer::isRefused)
        .allMatch(each -> each.messages().startsWith(NOT_OURS));
    Map<String, Object> named = new HashMap<>(course);
    named.put("partition", "main");
    slurm.submit(named);
    for (String reservation : List.of("other", "unheard-of", "")) {
      Map<String, Object> other = new HashMap<>(course);
      other.put("reservation", reservation);
      slurm.submit(other);
    }
    assertThat(slurm.answers()).allMatch(Answer::passes);
  }

  @ParameterizedTest
  @MethodSource("luas")
  void nodesAndTasksCountAsTheyAreAskedFor(String lua) {
    Policy policy =
        PolicyLaunch.policy(
            ENFORCE
                + "rules:\n"
                + "  - {id: few, reason: r, require: {nodes: {at-most: 1}}}\n"
                + "  - {id: little, reason: r, forbid: {memory: {at-least: 16G}}}\n");
    Map<String, Object> small = job("containers", new PolicyLaunch().scriptText());
    small.put("min_mem_per_cpu", 1 << 10);
    Slurmctld slurm = new Slurmctld(lua, directory, policy);
    slurm.submit(small);
    slurm.submit(with(small, "req_nodes", "c1"));
    slurm.change(Map.of("priority", 1, "ntasks_per_node", 65534), small, 1001);
    assertThat(slurm.answers()).allMatch(Answer::passes);
    slurm.submit(with(small, "req_nodes", "c1,c2"));
    slurm.submit(with(small, "req_nodes", "c[1-2]"));
    slurm.submit(with(small, "ntasks_per_node", 32));
    slurm.submit(with(small, "pn_min_cpus", 32));
    slurm.change(Map.of("req_nodes", "c1,c2"), small, 1001);
    slurm.change(Map.of("ntasks_per_node", 32), small, 1001);
    slurm.change(Map.of("pn_min_cpus", 32), small, 1001);
    assertThat(slurm.answers())
        .extracting(
            each -> each.messages().replaceFirst(" \\| .*", "").replaceFirst(",? and .*", ""))
        .containsExactly(
            "policy few: r (nodes is 2",
            "policy few: r (nodes is not known: the list of nodes has brackets or is in a file;"
                + " name fewer nodes, each by itself); contact: help@site",
            "policy little: r (memory is 32G",
            "policy little: r (memory is 32G",
            "policy few: r (nodes is 2",
            "policy little: r (memory is not known: it is not known of a job that waits);"
                + " contact: help@site",
            "policy little: r (memory is not known: it is not known of a job that waits);"
                + " contact: help@site");
  }

  private static Map<String, Object> with(Map<String, Object> job, String field, Object value) {
    Map<String, Object> other = new HashMap<>(job);
    other.put(field, value);
    return other;
  }

  static Stream<String> forgeries() {
    String good = full().scriptText();
    String plain = new PolicyLaunch().scriptText();
    String data = "hpcrun_kind=job\n";
    List<String> bad = new ArrayList<>();
    bad.add("#!/bin/sh\necho hpcrun\n");
    bad.add("#!/bin/sh\n# This script was created by sbatch --wrap.\n\nsrun x\n");
    bad.add(good.replaceFirst("#!/bin/bash -p", "#!/bin/bash"));
    bad.add(good.replaceFirst("#!/bin/bash -p", "#!/home/alice/bash"));
    bad.add(good.replaceFirst("#!/bin/bash -p\n", "#!/bin/bash -p -i\n"));
    bad.add(good + "id\n");
    bad.add(good.replace("hpcrun_main \"$@\"\n", "id; hpcrun_main \"$@\"\n"));
    bad.add(good.replace("\nhpcrun_main \"$@\"\n", "\nhpcrun_main \"$@\""));
    bad.add(good.replace("\nhpcrun_main \"$@\"\n", "\n"));
    bad.add(good.replace("# ---- the node agent\n", "id\n# ---- the node agent\n"));
    bad.add(good.replace("# ---- the node agent\n", "# ---- the node  agent\n"));
    bad.add(good.replaceFirst("hpcrun_say\\(\\) \\{", "hpcrun_say() { id;"));
    bad.add(good.replaceFirst("# The node agent", "# the node agent"));
    bad.add(good.replace("\n", "\r\n"));
    bad.add(good.substring(1));
    bad.add(good.substring(0, good.length() / 2));
    for (String line :
        List.of(
            "id",
            "id #",
            "hpcrun_kind=$(id)",
            "hpcrun_kind=`id`",
            "hpcrun_kind=job; id",
            "hpcrun_kind=job id",
            "hpcrun_kind=job\\",
            "hpcrun_kind=\"$(id)\"",
            "hpcrun_kind='job'$(id)",
            "hpcrun_kind='job'\"$(id)\"",
            "hpcrun_kind=$'job'$'\\x41'",
            "hpcrun_kind=$\"job\"",
            "hpcrun_kind=job&",
            "hpcrun_kind=<(id)",
            "hpcrun_kind=~root",
            "hpcrun_kind=",
            "hpcrun_kind+=job",
            "hpcrun_kind[0]=job",
            "hpcrun_kind=(job)",
            " hpcrun_kind=job",
            "export hpcrun_kind=job",
            "hpcrun_kind=step",
            "hpcrun_kind=job\t#",
            "hpcrun_kind=job\nhpcrun_kind=job",
            "PATH=/home/alice/bin\nhpcrun_kind=job",
            "hpcrun_kind=job\nhpcrun_other=x",
            "hpcrun_kind=job\nhpcrun_script=x",
            "hpcrun_kind=job\nhpcrun_=x",
            "hpcrun_kind=job\nLD_PRELOAD=x",
            "hpcrun_kind=job\nfunction srun { id; }",
            "hpcrun_kind=job\n: $(id)")) {
      bad.add(plain.replace(data, line + "\n"));
    }
    for (String line :
        List.of(
            "hpcrun_srun=(--task-prolog=/home/alice/x)",
            "hpcrun_srun=(--mpi=none --multi-prog)",
            "hpcrun_srun=([0]=x)",
            "hpcrun_srun=(--mpi=none  --label)",
            "hpcrun_srun=(--mpi=none\n--label)",
            "hpcrun_srun=(--mpi=none",
            "hpcrun_srun=(--mpi=none) id")) {
      bad.add(plain.replaceFirst("hpcrun_srun=\\(.*\\)", line.replace("$", "\\$")));
    }
    for (String line :
        List.of(
            "hpcrun_container=(--no-eval --fakeroot)",
            "hpcrun_container=(--no-eval --overlay /home/alice/o)",
            "hpcrun_container=(--no-eval --bind)",
            "hpcrun_container=(--no-eval --security uid:0)",
            "hpcrun_container=(--no-eval --bind '/scratch/a,/secret')",
            "hpcrun_container=(--no-eval --bind '/scratch:/data,/secret')",
            "hpcrun_container=(--no-eval --bind '/scratch:/data:ro,/secret')",
            "hpcrun_container=(--no-eval --bind /scratch:/data:rw)",
            "hpcrun_container=(--no-eval --bind '/scratch\\\\,/secret')",
            "hpcrun_container=(--no-eval --bind scratch:/data)",
            "hpcrun_container=(--no-eval --bind /scratch:)",
            "hpcrun_container=(--no-eval --mount 'type=bind,\"source=/scratch\","
                + "\"destination=/data\",\"source=/secret\"')",
            "hpcrun_container=(--no-eval --mount 'type=bind,\"source=/a\",\"source=/secret\","
                + "\"destination=/data\"')",
            "hpcrun_container=(--no-eval --home /a:/b:/c)",
            "hpcrun_container=(/home/alice/other.sif)")) {
      bad.add(plain.replaceFirst("hpcrun_container=\\(.*\\)", line));
    }
    bad.add(plain.replaceFirst("hpcrun_stage_limit=\\d+", "hpcrun_stage_limit='a[\\$(id)]'"));
    bad.add(plain.replaceFirst("hpcrun_memlock=\\d+", "hpcrun_memlock='a[\\$(id)]'"));
    bad.add(plain.replaceFirst("hpcrun_image_size=\\d+", "hpcrun_image_size='a[\\$(id)]'"));
    bad.add(plain.replaceFirst("hpcrun_driver=''", "hpcrun_driver='a[\\$(id)]:12'"));
    bad.add(
        plain.replaceFirst("hpcrun_guard=\\(.*\\)", "hpcrun_guard=('a[\\$(id)]:1:2:never:x:y')"));
    bad.add(plain.replaceFirst("hpcrun_defaults=\\(.*\\)", "hpcrun_defaults=(LD_PRELOAD=/x)"));
    bad.add(plain.replaceFirst("hpcrun_alone=\\(.*\\)", "hpcrun_alone=(PATH=/x)"));
    bad.add(plain.replaceFirst("hpcrun_environment=\\(.*\\)", "hpcrun_environment=('a b=c')"));
    bad.add(plain.replaceFirst("hpcrun_by_name=\\(.*\\)", "hpcrun_by_name=('a[\\$(id)]')"));
    bad.add(plain.replaceFirst("hpcrun_variables=\\(", "hpcrun_variables=('+\\$(id)' "));
    bad.add(plain.replaceFirst("hpcrun_gpu_flags=\\(.*\\)", "hpcrun_gpu_flags=(--overlay)"));
    bad.add(plain.replaceFirst("hpcrun_header=d+", "hpcrun_header=dd"));
    bad.add(plain.replaceFirst("hpcrun_spool='?[^\n]*", "hpcrun_spool=/etc"));
    bad.add(
        plain.replaceFirst(
            "hpcrun_program=.*", "hpcrun_program=/home/alice/evil-" + "b".repeat(64)));
    bad.add(plain.replaceFirst("hpcrun_stage_directory=.*", "hpcrun_stage_directory=/tmp/\\$(id)"));
    bad.add(plain.replaceFirst("hpcrun_records=[^\n]*\n", ""));
    return bad.stream();
  }

  @ParameterizedTest
  @MethodSource("luas")
  void forgeriesAreRefused(String lua) {
    Slurmctld slurm = new Slurmctld(lua, directory, PLAIN);
    List<String> all = forgeries().toList();
    String good = full().scriptText();
    String plain = new PolicyLaunch().scriptText();
    assertThat(all).doesNotContain(good, plain).doesNotHaveDuplicates();
    all.forEach(script -> slurm.submit(job("containers", script)));
    List<Answer> answers = slurm.answers();
    assertThat(answers).hasSize(all.size());
    for (int i = 0; i < all.size(); i++) {
      String script = all.get(i);
      assertThat(answers.get(i))
          .as("number %d: %s", i, script.substring(0, Math.min(900, script.length())))
          .matches(Answer::isRefused)
          .matches(each -> each.messages().startsWith(NOT_OURS))
          .matches(each -> each.messages().endsWith("contact: help@site"));
    }
  }

  /** Each byte that is changed in the program is found; in the data it changes what is known. */
  @Test
  void changedBytesAreFound() {
    Random random = new Random(7);
    String good = new PolicyLaunch().scriptText();
    int agent = good.indexOf("\n# ---- the node agent\n");
    Slurmctld slurm = new Slurmctld("lua5.1", directory, PLAIN);
    int count = 300;
    for (int i = 0; i < count; i++) {
      int at = agent + 1 + random.nextInt(good.length() - agent - 1);
      char other = (char) (' ' + (good.charAt(at) - ' ' + 1 + random.nextInt(94)) % 95);
      slurm.submit(job("containers", good.substring(0, at) + other + good.substring(at + 1)));
    }
    assertThat(slurm.answers()).hasSize(count).allMatch(Answer::isRefused);
  }

  /** bash reads what was let through: no command but the assignments runs. */
  @Test
  void whatIsLetThroughIsDataToBash() throws Exception {
    Random random = new Random(11);
    String good = full().scriptText();
    int agent = good.indexOf("\n# ---- the node agent\n");
    int begin = good.indexOf("# ---- the launch\n") + "# ---- the launch\n".length();
    String[] pieces = {
      "$(touch pwned)",
      "`touch pwned`",
      "'",
      "\"",
      "\\",
      "\n",
      ")",
      "(",
      " ",
      ";",
      "#",
      "$'",
      "\\'",
      "touch pwned",
      "&",
      "|",
      "<",
      "\u00a0",
      "\u00c3\u00a9",
      "a[$(touch pwned)]",
      "$((1))",
      "=",
      "~"
    };
    Slurmctld slurm = new Slurmctld("lua5.1", directory, PLAIN);
    List<String> scripts = new ArrayList<>();
    for (int i = 0; i < 800; i++) {
      StringBuilder script = new StringBuilder(good);
      for (int n = 1 + random.nextInt(3); n > 0; n--) {
        int at = begin + random.nextInt(agent - begin);
        String piece = pieces[random.nextInt(pieces.length)];
        script.replace(at, at + random.nextInt(3), piece);
      }
      scripts.add(script.toString());
      slurm.submit(job("containers", script.toString()));
    }
    List<Answer> answers = slurm.answers();
    int through = 0;
    for (int i = 0; i < scripts.size(); i++) {
      if (answers.get(i).passes()) {
        through++;
        String script = scripts.get(i);
        String data = script.substring(0, script.indexOf("\n# ---- the node agent\n"));
        Path file =
            Files.write(
                directory.resolve("data.sh"),
                (data + "\nexec -c /usr/bin/true\n").getBytes(StandardCharsets.ISO_8859_1));
        Process bash =
            new ProcessBuilder("bash", "-p", file.toString())
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .start();
        String said = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(bash.waitFor()).as(said).isZero();
        assertThat(said).isEmpty();
        assertThat(directory.resolve("pwned")).doesNotExist();
      }
    }
    assertThat(through).as("let through of %d", scripts.size()).isBetween(20, 600);
  }

  @ParameterizedTest
  @MethodSource("luas")
  void largeAndSlowInputIsShortWork(String lua) {
    String good = full().scriptText();
    int agent = good.indexOf("\n# ---- the node agent\n");
    String head = good.substring(0, agent);
    String tail = good.substring(agent);
    int size = 4 << 20;
    List<String> scripts =
        List.of(
            "a".repeat(size),
            "\n".repeat(size),
            head + "\n".repeat(size) + tail,
            head + "#\n".repeat(size / 2) + tail,
            head + "'\\''".repeat(size / 4) + tail,
            head.replace("hpcrun_command=(", "hpcrun_command=(" + "a ".repeat(size / 2)) + tail,
            head.replace("hpcrun_command=(", "hpcrun_command=('" + "'\\''".repeat(size / 4) + "' ")
                + tail,
            head.replace("hpcrun_command=(", "hpcrun_command=($'" + "\\n".repeat(size / 2) + "' ")
                + tail,
            head.replace("hpcrun_command=(", "hpcrun_command=('" + "a".repeat(size) + "' ") + tail,
            head.replace("hpcrun_kind=", "hpcrun_" + "a".repeat(size) + "=") + tail,
            tail.repeat(40));
    Slurmctld slurm = new Slurmctld(lua, directory, PLAIN);
    scripts.forEach(script -> slurm.submit(job("containers", script)));
    List<Answer> answers = slurm.answers();
    assertThat(answers).allMatch(Answer::isRefused);
    // Of the processor; far more than it needs, also here. Quadratic work would take hours.
    assertThat(answers).allMatch(each -> each.microseconds() < 10_000_000);
  }

  @ParameterizedTest
  @MethodSource("luas")
  void userScriptsAndInteractiveJobsAreTheSitesChoice(String lua) {
    String script =
        new PolicyLaunch().asScript("#!/bin/bash\necho 'it'\nhpcrun exec -- x\n").scriptText();
    assertThat(ask(lua, PLAIN, job("containers", script)).messages())
        .contains("it is a script that starts launches itself, a user's or a job file's");
    Policy open = PolicyLaunch.policy(ENFORCE + "  interactive: allow\n  user-scripts: allow\n");
    assertThat(ask(lua, open, job("containers", script))).matches(Answer::passes);
    assertThat(ask(lua, open, job("containers", null))).matches(Answer::passes);
  }

  @ParameterizedTest
  @MethodSource("luas")
  void theCommandRefusesTheScriptsThatSlurmctldRefuses(String lua) {
    for (String choice : List.of("refuse", "allow")) {
      Policy policy =
          PolicyLaunch.policy(
              "contact: x\nenforce: {partitions: [containers, 'c-*'], user-scripts: "
                  + choice
                  + "}");
      for (String partition : List.of("containers", "main", "main,c-1", "c", "main,containers-2")) {
        PolicyLaunch script =
            new PolicyLaunch().in(partition).asScript("#!/bin/bash\nhpcrun exec -- x\n");
        for (PolicyLaunch launch : List.of(script, new PolicyLaunch().in(partition))) {
          assertThat(launch.planned(policy).refusals().isEmpty())
              .as("%s in %s, scripts: %s", launch.kind, partition, choice)
              .isEqualTo(ask(lua, policy, job(partition, launch.scriptText())).passes());
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("luas")
  void interactiveJobsKeepTheRulesThatAreAboutJobs(String lua) {
    Policy policy =
        PolicyLaunch.policy(
            ENFORCE
                + "  interactive: allow\n"
                + "rules:\n"
                + "  - {id: image, reason: r, require: {image: /apps/*}}\n"
                + "  - {id: small, reason: r, require: {nodes: {at-most: 1}}}\n");
    Map<String, Object> large = job("containers", null);
    large.put("min_nodes", 2);
    large.put("max_nodes", 2);
    assertThat(ask(lua, policy, job("containers", null))).matches(Answer::passes);
    assertThat(ask(lua, policy, large).messages())
        .isEqualTo("policy small: r (nodes is 2, and must be at most 1); contact: help@site");
  }

  @ParameterizedTest
  @MethodSource("luas")
  void variablesThatChangeWhatRunsAreRefused(String lua) {
    Policy policy =
        PolicyLaunch.policy(
            ENFORCE
                + "  environment: {PATH: [/usr/*, /bin], LD_LIBRARY_PATH: /usr/*,"
                + " LD_PRELOAD: /opt/site/lib.so}\n");
    Map<String, String> wrong = new LinkedHashMap<>();
    wrong.put("LD_AUDIT=/x", "LD_AUDIT holds /x; unset it");
    wrong.put("LD_PRELOAD=/x", "LD_PRELOAD holds /x; allowed are /opt/site/lib.so");
    wrong.put("SLURM_TASK_PROLOG=/x", "SLURM_TASK_PROLOG holds /x; unset it");
    wrong.put(
        "PATH=/usr/bin:/home/alice/bin", "PATH holds /home/alice/bin; allowed are /usr/*, /bin");
    wrong.put("PATH=.", "PATH holds .;");
    wrong.put(
        "PATH=/usr/../home/alice/bin:/bin", "PATH holds /usr/../home/alice/bin, and with '..'");
    String empty = " has an empty part, which stands for the working directory";
    wrong.put("PATH=:/bin", "PATH" + empty);
    wrong.put("PATH=/bin:", "PATH" + empty);
    wrong.put("PATH=/bin::/bin", "PATH" + empty);
    wrong.put("PATH=", "PATH" + empty);
    wrong.put("LD_LIBRARY_PATH=:/usr/lib", "LD_LIBRARY_PATH" + empty);
    wrong.put(
        "SLURM_CONF=/etc/slurm/../../home/alice/x.conf",
        "SLURM_CONF holds /etc/slurm/../../home/alice/x.conf, and with '..'");
    wrong.put("APPTAINER_WRITABLE_TMPFS=1", "APPTAINER_WRITABLE_TMPFS holds 1; unset it");
    wrong.put("SINGULARITY_NV=1", "SINGULARITY_NV holds 1; unset it");
    wrong.put("APPTAINER_OVERLAY=/x", "APPTAINER_OVERLAY holds /x; unset it");
    wrong.put("SLURM_GET_USER_ENV=1", "--export of all but ALL");
    wrong.forEach(
        (variable, message) -> {
          Map<String, Object> request = job("containers", new PolicyLaunch().scriptText());
          String[] parts = variable.split("=", 2);
          request.put("environment", Map.of(parts[0], parts[1]));
          assertThat(ask(lua, policy, request).messages()).contains(message);
        });
    Map<String, Object> good = job("containers", new PolicyLaunch().scriptText());
    good.put(
        "environment",
        Map.of(
            "PATH",
            "/usr/bin:/bin:/usr/a..b",
            "LD_PRELOAD",
            "/opt/site/lib.so",
            "LD_LIBRARY_PATH",
            "",
            "APPTAINER_NO_HOME",
            "1"));
    assertThat(ask(lua, policy, good)).matches(Answer::passes);
  }

  @ParameterizedTest
  @MethodSource("luas")
  void whatTheRulesForceMustBeThere(String lua) {
    Policy policy =
        PolicyLaunch.policy(
            ENFORCE
                + "rules:\n  - id: data\n    reason: Data is there.\n    force: {bind: /scratch, env: {MODE: site}}\n");
    assertThat(ask(lua, policy, job("containers", new PolicyLaunch().scriptText())).messages())
        .contains(
            "policy data: Data is there (bind is none, and must be all of /scratch, which hpcrun adds)");
    String script =
        new String(
            new PolicyLaunch().in("containers").planned(policy).script().orElseThrow(),
            StandardCharsets.ISO_8859_1);
    assertThat(ask(lua, policy, job("containers", script))).matches(Answer::passes);
  }

  @ParameterizedTest
  @MethodSource("luas")
  void changesOfWaitingJobs(String lua) {
    Policy policy =
        PolicyLaunch.policy(
            ENFORCE
                + "rules:\n"
                + "  - {id: image, reason: r, require: {image: /apps/*}}\n"
                + "  - {id: short, reason: r, require: {time: {at-most: 30min}}}\n"
                + "  - {id: account, reason: r, when: {image: /apps/images/*}, forbid: {account: bad}}\n");
    Map<String, Object> outside = job("main", new PolicyLaunch().scriptText());
    Map<String, Object> inside = job("containers", new PolicyLaunch().scriptText());
    inside.put("time_limit", 20);
    Slurmctld slurm = new Slurmctld(lua, directory, policy);
    slurm.change(Map.of("partition", "containers"), outside, 1001);
    slurm.change(Map.of("partition", "main,containers"), outside, 1001);
    slurm.change(Map.of("time_limit", 40), inside, 1001);
    slurm.change(Map.of("account", "bad"), inside, 1001);
    assertThat(slurm.answers())
        .satisfiesExactly(
            moved ->
                assertThat(moved.messages())
                    .contains(
                        "a job of another partition cannot be moved to containers; submit it anew"),
            listed -> assertThat(listed.messages()).contains("cannot be moved"),
            longer ->
                assertThat(longer.messages())
                    .isEqualTo(
                        "policy short: r (time is 00:40:00, and must be at most 00:30:00); contact: help@site"),
            other -> assertThat(other.messages()).contains("account is bad"));
    slurm.change(Map.of("partition", "containers"), outside, 0);
    slurm.change(Map.of("partition", "main"), inside, 1001);
    slurm.change(Map.of("time_limit", 10), inside, 1001);
    slurm.change(Map.of("account", "good"), inside, 1001);
    slurm.change(Map.of("priority", 1), inside, 1001);
    slurm.change(Map.of("partition", "main"), outside, 1001);
    assertThat(slurm.answers()).allMatch(Answer::passes);
  }

  @ParameterizedTest
  @MethodSource("luas")
  void anErrorRefusesJobsOfContainerPartitionsOnly(String lua) throws Exception {
    Slurmctld slurm = new Slurmctld(lua, directory, PLAIN);
    Path file = directory.resolve("job_submit.lua");
    String text = Files.readString(file, StandardCharsets.ISO_8859_1);
    Files.writeString(
        file,
        text.replace(
            "function script.read(text, agents)\n",
            "function script.read(text, agents)\n  text = nil .. text\n"),
        StandardCharsets.ISO_8859_1);
    slurm.submit(job("containers", new PolicyLaunch().scriptText()));
    slurm.submit(job("main", "#!/bin/sh\n"));
    List<Answer> answers = slurm.answers();
    assertThat(answers.get(0).code()).isEqualTo(-1);
    assertThat(answers.get(0).messages())
        .contains("LOG hpcrun policy: uid 1001: ")
        .contains("policy error: hpcrun's policy cannot be judged");
    assertThat(answers.get(1)).matches(Answer::passes);
  }

  /** Facts that both know, said by both with the same words. */
  @ParameterizedTest
  @MethodSource("luas")
  void slurmctldSaysWhatTheCommandSays(String lua) {
    List<String> rules =
        List.of(
            "require: {image: /apps/other/*}",
            "forbid: {image: [/x, '*app*']}",
            "require: {image-format: sandbox}",
            "require: {bind: {only: ['/scratch/*', /project*]}}",
            "forbid: {bind: [/etc*]}",
            "require: {bind: {all: [/scratch*, /nowhere]}}",
            "require: {bind: {none: ['/e*', '/s*']}}",
            "forbid: {bind-writable: {given: true}}",
            "require: {bind-destination: {only: /data*}}",
            "forbid: {env: [A, LD_*]}",
            "forbid: {env: TOK*}",
            "forbid: {home: true}",
            "require: {flags: {all: [contain, nv]}}",
            "forbid: {command: ['*app']}",
            "require: {mode: join}",
            "forbid: {mpi: none}",
            "forbid: {kind: job}",
            "forbid: {partition: [containers, x]}",
            "require: {user: bob}",
            "require: {nodes: {at-most: 1}}",
            "require: {tasks: {at-least: 2, at-most: 3}}",
            "require: {time: {at-most: 10min}}",
            "require: {gpus: 3}",
            "forbid: {gpus-per-task: {given: true}}",
            "require: {memory: {at-most: 1G}}",
            "when: {nodes: 99}\nforbid: {user: '*'}",
            "when: {command: ./app}\nforbid: {user: '*'}",
            "severity: warn\nrequire: {image: /no/*}");
    StringBuilder text = new StringBuilder(ENFORCE + "rules:\n");
    for (int i = 0; i < rules.size(); i++) {
      text.append("  - id: rule-%d\n    reason: Because %d.\n".formatted(i, i));
      text.append(rules.get(i).indent(4));
    }
    for (PolicyLaunch launch : launches()) {
      Map<String, Object> request = request(launch);
      for (int i = 0; i < rules.size(); i++) {
        Policy one =
            PolicyLaunch.policy(
                ENFORCE
                    + "rules:\n  - id: rule-%d\n    reason: Because %d.\n".formatted(i, i)
                    + rules.get(i).indent(4));
        PlanAnswer answer = launch.planned(one);
        String here =
            Stream.concat(answer.refusals().stream(), answer.warnings().stream())
                .filter(Advice::isOfSite)
                .map(
                    each ->
                        (answer.refusals().contains(each) ? "" : "warning: ")
                            + each.text()
                            + "; contact: help@site")
                .findFirst()
                .orElse("");
        assertThat(ask(lua, one, request).messages()).as(rules.get(i)).isEqualTo(here);
      }
    }
  }

  private static List<PolicyLaunch> launches() {
    PolicyLaunch plain =
        new PolicyLaunch().in("containers").with(SlurmOption.TIME, "5").with(SlurmOption.MEM, "1G");
    PolicyLaunch rich = full();
    rich.flags.add(io.hpcrun.spec.ContainerFlag.CONTAIN);
    rich.home = Optional.of(ByteString.of("/project/me:/data/me"));
    rich.variables.put("APPTAINER_BIND", "/etc/x:/y:ro,/scratch/é");
    rich.with(SlurmOption.NODES, "2-4")
        .with(SlurmOption.NTASKS, "4")
        .with(SlurmOption.TIME, "1-02:03:04")
        .with(SlurmOption.MEM_PER_CPU, "3G")
        .with(SlurmOption.GPUS_PER_TASK, "2");
    return List.of(plain, rich);
  }

  /** As sbatch sends it (seen with Slurm 24.11). */
  private static Map<String, Object> request(PolicyLaunch launch) {
    Map<String, Object> request = job("containers", launch.scriptText());
    boolean rich = launch.slurm.containsKey(SlurmOption.NODES);
    long none = 4294967294L;
    request.put("min_nodes", rich ? 2 : none);
    request.put("max_nodes", rich ? 4 : none);
    request.put("num_tasks", rich ? 4 : none);
    request.put("cpus_per_task", rich ? 2 : 65534);
    request.put("ntasks_per_node", 65534);
    request.put("time_limit", rich ? 26 * 60 + 4 : 5);
    if (rich) {
      request.put("min_mem_per_cpu", 3 << 10);
      request.put("tres_per_task", "gres/gpu=2");
      request.put("environment", launch.variables);
    } else {
      request.put("min_mem_per_node", 1 << 10);
    }
    return request;
  }

  @Test
  void anExportNeedsPartitions() {
    assertThatThrownBy(() -> Slurmctld.export(Policy.NONE))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("does not say in which partitions");
  }
}
