package io.hpcrun.planning;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.image.ImageProfile;
import io.hpcrun.plan.Advice;
import io.hpcrun.plan.Decision;
import io.hpcrun.policy.Policy;
import io.hpcrun.script.LaunchScript;
import io.hpcrun.script.Slots;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.ContainerFlag;
import io.hpcrun.spec.SlurmOption;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The planner under rules: what they refuse, warn of and add, and what they look at. */
class PolicyPlanTest {
  private static String refusal(String rule, Consumer<PolicyLaunch> change) {
    PolicyLaunch launch = new PolicyLaunch().in("containers");
    change.accept(launch);
    PlanAnswer answer = launch.planned(PolicyLaunch.rule(rule));
    assertThat(answer.script().isPresent()).isEqualTo(answer.refusals().isEmpty());
    return answer.refusals().stream().map(Advice::text).findFirst().orElse("");
  }

  private static String refused(String what) {
    return "policy the-rule: The site says so (" + what + ")";
  }

  @Test
  void aRefusalHasTheRulesWordsAndNamesWhomToAsk() {
    Policy policy = PolicyLaunch.rule("require: {image: /apps/other/*}\n");
    PlanAnswer answer = new PolicyLaunch().planned(policy);
    assertThat(answer.refusals())
        .containsExactly(
            new Advice(
                refused("image is /apps/images/app.sif, and must be /apps/other/*"),
                "change that, or ask help@site",
                "policy the-rule (help@site)"));
    assertThat(answer.refusals().getFirst().isOfSite()).isTrue();
    assertThat(answer.script()).isEmpty();
  }

  @Test
  void forceDoesNotOverrideTheSite() {
    assertThat(refusal("require: {image: /apps/other/*}\n", launch -> launch.force = true))
        .isNotEmpty();
  }

  @Test
  void aWarningLetsTheLaunchPass() {
    Policy policy = PolicyLaunch.rule("severity: warn\nrequire: {image: /apps/other/*}\n");
    PlanAnswer answer = new PolicyLaunch().planned(policy);
    assertThat(answer.refusals()).isEmpty();
    assertThat(answer.warnings()).extracting(Advice::isOfSite).contains(true);
    assertThat(answer.script()).isPresent();
  }

  @Test
  void withoutRulesTheScriptIsTheSameByteForByte() {
    PolicyLaunch launch = new PolicyLaunch();
    Policy policy = PolicyLaunch.rule("require: {image: /apps/images/*}\n");
    assertThat(launch.planned(policy).script().orElseThrow())
        .isEqualTo(launch.planned(Policy.NONE).script().orElseThrow());
  }

  @Test
  void whatIsForcedStandsInTheScriptAndAmongTheDecisions() {
    Policy policy =
        PolicyLaunch.rule("force: {bind: '/scratch:/data:ro', env: {MODE: site, OWN: site}}\n");
    PolicyLaunch launch = new PolicyLaunch();
    launch.environment.add("OWN=mine");
    PlanAnswer answer = launch.planned(policy);
    String script = new String(answer.script().orElseThrow(), StandardCharsets.UTF_8);
    assertThat(script).contains("--bind /scratch:/data:ro").contains("(OWN=mine MODE=site)");
    assertThat(answer.decisions())
        .contains(
            new Decision("bind", "/scratch", "The site says so", "policy the-rule (help@site)"),
            new Decision("MODE", "site", "The site says so", "policy the-rule (help@site)"));
    launch.binds.add("/scratch:/data:ro");
    assertThat(launch.planned(policy).decisions())
        .noneMatch(each -> each.value().equals("/scratch"));
  }

  @Test
  void whatIsForcedInAnotherPartitionIsLeftOut() {
    Policy policy = PolicyLaunch.rule("when: {partition: gpu}\nforce: {bind: /scratch}\n");
    assertThat(new PolicyLaunch().in("cpu").planned(policy).decisions())
        .noneMatch(each -> each.value().equals("/scratch"));
    assertThat(new PolicyLaunch().in("gpu").planned(policy).decisions())
        .anyMatch(each -> each.value().equals("/scratch"));
  }

  @Test
  void whereItIsNotKnownWhetherARuleAppliesItWarns() {
    Policy policy =
        PolicyLaunch.rule("when: {partition: containers}\nrequire: {image: /apps/other/*}\n");
    PlanAnswer answer = new PolicyLaunch().planned(policy);
    assertThat(answer.refusals()).isEmpty();
    assertThat(answer.warnings())
        .extracting(Advice::text)
        .contains(
            refused(
                "partition is not known: it is not said; give --partition; if the rule applies,"
                    + " image is /apps/images/app.sif, and must be /apps/other/*"));
    assertThat(new PolicyLaunch().in("main").planned(policy).warnings())
        .noneMatch(Advice::isOfSite);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "time: {at-most: 1h}|time is not known: no limit is asked for; give --time",
        "memory: {at-most: 1G}|memory is not known: no size is asked for; give --mem",
        "qos: normal|qos is not known: it is not said; give --qos",
      })
  void whatIsNotKnownDoesNotPass(String condition, String what) {
    assertThat(refusal("require: {" + condition + "}\n", launch -> {})).isEqualTo(refused(what));
    assertThat(refusal("forbid: {" + condition + "}\n", launch -> {})).isEqualTo(refused(what));
  }

  @Test
  void anImageThatCannotBeLookedIntoDoesNotPass() {
    assertThat(refusal("forbid: {image-libraries: nccl}\n", launch -> launch.profile = false))
        .isEqualTo(refused("image-libraries is not known: hpcrun could not look into the image"));
  }

  @Test
  void factsOfTheImage() {
    assertThat(refusal("require: {image-age: {at-most: 9d}}\n", launch -> {}))
        .isEqualTo(refused("image-age is 10-00:00:00, and must be at most 9-00:00:00"));
    assertThat(refusal("require: {image-age: {at-most: 10d}}\n", launch -> {})).isEmpty();
    assertThat(
            refusal(
                "require: {image-age: {at-most: 9d}}\n", launch -> launch.built = Optional.empty()))
        .contains("image-age is not known");
    assertThat(refusal("require: {image-signed: true}\n", launch -> {}))
        .isEqualTo(refused("image-signed is no, and must be yes"));
    assertThat(refusal("require: {image-signed: true}\n", launch -> launch.signed = true))
        .isEmpty();
    assertThat(refusal("require: {image-label.scan: ok*}\n", launch -> {}))
        .isEqualTo(refused("image-label.scan is none, and must be ok*"));
    assertThat(
            refusal(
                "require: {image-label.scan: ok*}\n", launch -> launch.labels.put("scan", "ok 7")))
        .isEmpty();
    assertThat(
            refusal(
                "when: {image-libraries: nccl}\nforbid: {gpus-per-task: {given: true}}\n",
                launch -> {
                  launch.with(SlurmOption.GPUS_PER_TASK, "1");
                  launch.gpu.add(
                      new ImageProfile.Library("nccl", Optional.empty(), "lib", List.of()));
                }))
        .isEqualTo(refused("gpus-per-task is 1, and must not be given"));
  }

  @ParameterizedTest
  @CsvSource({
    "docker://docker.io/library/alpine:latest, image-tag: latest, true",
    "docker://docker.io/library/alpine:3.20, image-tag: latest, false",
    "docker://host:5000/x/alpine, image-tag: latest, true",
    "/apps/images/app.sif, image-tag: latest, false",
    "docker://docker.io/library/alpine:3.20, image-pinned: true, false",
    "docker://host/x@sha256:0000000000000000000000000000000000000000000000000000000000000000,"
        + " image-pinned: true, true",
    "docker://docker.io/library/alpine:3.20, image-source: docker://docker.io/*, true",
  })
  void factsOfTheImagesName(String source, String condition, boolean holds) {
    String forbidden = refusal("forbid: {" + condition + "}\n", launch -> launch.source = source);
    assertThat(!forbidden.isEmpty()).isEqualTo(holds);
  }

  @Test
  void factsOfTheContainer() {
    String binds = "require: {bind: {only: ['/scratch/*', '/project/*']}}\n";
    assertThat(refusal(binds, launch -> launch.binds.add("/scratch/a:/data"))).isEmpty();
    assertThat(
            refusal(
                binds,
                launch -> launch.binds.addAll(List.of("/scratch/a:/data", "/etc:/e:ro", "/opt"))))
        .isEqualTo(refused("bind is /etc, /opt, and must be only /scratch/*, /project/*"));
    assertThat(refusal(binds, launch -> launch.variables.put("APPTAINER_BIND", "/opt:/opt:ro")))
        .isEqualTo(refused("bind is /opt, and must be only /scratch/*, /project/*"));
    assertThat(refusal(binds, launch -> launch.variables.put("APPTAINER_MOUNT", "x")))
        .contains("bind is not known: the environment sets APPTAINER_MOUNT; unset it");
    assertThat(refusal(binds, launch -> launch.binds.add("/scratch/../etc:/x")))
        .contains("bind is not known: a path holds '..'");
    assertThat(refusal(binds, launch -> launch.variables.put("APPTAINER_BIND", "etc:/x")))
        .contains("bind is not known: a path does not begin with /");
    assertThat(refusal(binds, launch -> launch.variables.put("APPTAINER_BIND", "/scratch/a\\,b")))
        .contains("bind is not known: the environment sets APPTAINER_BIND with a backslash");
    assertThat(refusal(binds, launch -> launch.variables.put("APPTAINER_OVERLAYIMAGE", "x")))
        .contains("bind is not known: the environment sets APPTAINER_OVERLAYIMAGE; unset it");
    String writable = "forbid: {bind-writable: /apps*}\n";
    assertThat(refusal(writable, launch -> launch.binds.add("/apps:/apps:ro"))).isEmpty();
    assertThat(refusal(writable, launch -> launch.binds.add("/apps")))
        .isEqualTo(refused("bind-writable is /apps, and must not be /apps*"));
    assertThat(refusal(writable, launch -> launch.home = Optional.of(ByteString.of("/apps:/x"))))
        .isEqualTo(refused("bind-writable is /apps, and must not be /apps*"));
    assertThat(refusal(binds, launch -> launch.home = Optional.of(ByteString.of("/etc"))))
        .isEqualTo(refused("bind is /etc, and must be only /scratch/*, /project/*"));
    assertThat(
            refusal(
                "forbid: {bind-destination: /usr*}\n",
                launch -> launch.home = Optional.of(ByteString.of("/scratch/a:/usr/lib"))))
        .isEqualTo(refused("bind-destination is /usr/lib, and must not be /usr*"));
    String home = "require: {home: false}\n";
    assertThat(refusal(home, launch -> {})).isNotEmpty();
    assertThat(refusal(home, launch -> launch.flags.add(ContainerFlag.NO_HOME))).isEmpty();
    assertThat(refusal(home, launch -> launch.flags.add(ContainerFlag.CONTAIN))).isEmpty();
    assertThat(refusal("require: {flags: contain}\n", launch -> {}))
        .isEqualTo(refused("flags is none, and must be contain"));
    String flags = "forbid: {flags: writable-tmpfs}\n";
    assertThat(refusal(flags, launch -> launch.variables.put("APPTAINER_WRITABLE_TMPFS", "1")))
        .isEqualTo(refused("flags is writable-tmpfs, and must not be writable-tmpfs"));
    assertThat(refusal(flags, launch -> launch.variables.put("APPTAINER_WRITABLE_TMPFS", "0")))
        .isEmpty();
    assertThat(refusal(binds, launch -> launch.variables.put("SINGULARITY_NV", "1"))).isEmpty();
    assertThat(refusal("forbid: {env: LD_*}\n", launch -> launch.environment.add("LD_PRELOAD=/x")))
        .isEqualTo(refused("env is LD_PRELOAD, and must not be LD_*"));
    assertThat(
            refusal("require: {image: /apps/*}\n", launch -> launch.image = "/apps/../home/a.sif"))
        .isEqualTo(refused("image is not known: a path holds '..'"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "NODES=2-8|nodes is 8",
        "NTASKS=3|nodes is 3",
        "NTASKS=64,NODES=2|tasks is 64",
        "NODES=2,NTASKS_PER_NODE=4|tasks is 8",
        "TIME=90|time is 01:30:00",
        "TIME=1-12|time is 1-12:00:00",
        "TIME=2:30|time is 00:03:00",
        "TIME=1:00:00|time is 01:00:00",
        "TIME=UNLIMITED|time is unlimited",
        "GPUS=h100:4|gpus is 4",
        "GPUS_PER_NODE=4,NODES=3|gpus is 12",
        "GRES=gpu:h100:2,shard:9|gpus is 2",
        "GRES=gres/gpu=3|gpus is 3",
        "GPUS_PER_TASK=2,NTASKS=4|gpus is 8",
        "MEM=64G|memory is 64G",
        "MEM=100|memory is 100M",
        "MEM_PER_CPU=1G,CPUS_PER_TASK=4,NTASKS=2|memory is 8G",
        "NODES=1,MEM_PER_CPU=1G,NTASKS_PER_NODE=32|memory is 32G",
        "NODELIST=c1,c2|nodes is 2",
        "NODELIST=c1,c2,GPUS_PER_NODE=4|gpus is 8",
        "NODES=3,NODELIST=c1,c2|nodes is 3",
        "ACCOUNT=physics|account is physics",
        "PARTITION=a,b|partition is a, b",
      })
  void factsOfTheJob(String options, String said) {
    String fact = said.split(" ")[0];
    String never =
        switch (fact) {
          case "account", "partition" -> "{none: '*'}";
          case "memory" -> "{at-least: 100000T}";
          case "time" -> said.endsWith("unlimited") ? "{at-most: 1d}" : "{at-least: 999d}";
          default -> "{at-least: 999999}";
        };
    assertThat(
            refusal(
                "require: {" + fact + ": " + never + "}\n",
                launch -> {
                  launch.slurm.remove(SlurmOption.PARTITION);
                  for (String option : options.split(",(?=[A-Z])")) {
                    String[] parts = option.split("=", 2);
                    launch.with(SlurmOption.valueOf(parts[0]), parts[1]);
                  }
                }))
        .startsWith("policy the-rule: The site says so (" + said + ", and must be ");
  }

  @Test
  void nodesThatAreNotWrittenOutAreNotKnown() {
    for (String list : List.of("c[1-4]", "./hosts")) {
      assertThat(
              refusal(
                  "require: {nodes: {at-most: 9}}\n",
                  launch -> launch.with(SlurmOption.NODELIST, list)))
          .isEqualTo(
              refused(
                  "nodes is not known: the list of nodes has brackets or is in a file;"
                      + " name fewer nodes, each by itself"));
    }
  }

  private static final String ENFORCE =
      "contact: help@site\nenforce:\n  partitions: [containers, 'safe-*']\n";

  private static final String SCRIPT = "#!/bin/bash\nhpcrun exec -- x\n";

  private static final String SWEEP =
      LaunchScript.one(
              "job.yaml",
              new LaunchScript.Launch("", List.of(), List.of(), List.of(ByteString.of("x"))),
              Slots.NONE)
          .utf8();

  private static Advice closed(String partition, String what, String remedy) {
    return new Advice(
        "policy job-script: only jobs that hpcrun writes run here; submit with hpcrun run or hpcrun"
            + " submit (%s takes no script that starts launches itself, %s)"
                .formatted(partition, what),
        remedy + ", or ask help@site",
        "policy job-script (help@site)");
  }

  @Test
  void aScriptThatSlurmctldWouldRefuseIsRefusedBefore() {
    Policy policy = PolicyLaunch.policy(ENFORCE);
    PlanAnswer script = new PolicyLaunch().in("main,safe-1").asScript(SCRIPT).planned(policy);
    assertThat(script.refusals())
        .containsExactly(
            closed(
                "safe-1",
                "a user's or a job file's",
                "start each launch with a 'hpcrun submit' of its own"));
    assertThat(script.refusals().getFirst().isOfSite()).isTrue();
    assertThat(script.script()).isEmpty();
    PolicyLaunch sweep = new PolicyLaunch().in("containers").asScript(SWEEP);
    sweep.force = true;
    assertThat(sweep.planned(policy).refusals())
        .containsExactly(
            closed("containers", "as a sweep in one array is", "write 'as: jobs' in the sweep"));
  }

  @Test
  void aSitesReasonForScriptsComesBeforeItsRules() {
    PlanAnswer answer =
        new PolicyLaunch()
            .in("containers")
            .asScript(SCRIPT)
            .planned(
                PolicyLaunch.policy(
                    ENFORCE
                        + "  reason: Ask first.\n"
                        + "rules:\n  - {id: r, reason: R, forbid: {image: '*'}}\n"));
    assertThat(answer.refusals())
        .extracting(Advice::text)
        .satisfiesExactly(
            first -> assertThat(first).startsWith("policy job-script: Ask first (containers "),
            second -> assertThat(second).startsWith("policy r: R "));
  }

  @Test
  void aScriptThatSlurmctldTakesIsNotRefused() {
    Policy policy = PolicyLaunch.policy(ENFORCE);
    assertThat(new PolicyLaunch().in("containers").planned(policy).refusals()).isEmpty();
    assertThat(new PolicyLaunch().in("main").asScript(SCRIPT).planned(policy).refusals()).isEmpty();
    assertThat(new PolicyLaunch().asScript(SCRIPT).planned(policy).refusals())
        .as("the partition is not known")
        .isEmpty();
    assertThat(
            new PolicyLaunch()
                .in("containers")
                .asScript(SCRIPT)
                .planned(PolicyLaunch.policy(ENFORCE + "  user-scripts: allow\n"))
                .refusals())
        .isEmpty();
    assertThat(
            new PolicyLaunch()
                .in("containers")
                .asScript(SCRIPT)
                .planned(PolicyLaunch.rule("require: {image: /apps/*}\n"))
                .refusals())
        .isEmpty();
  }

  /** As sbatch and hpcrun have it: what the script says is not asked of the environment. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-p containers||true",
        "--partition=\"containers\"||true",
        "--part containers||true",
        "--comment=Å -p containers||true",
        "-N 1|containers|true",
        "-p main|containers|false",
        "-p main # not -p containers||false",
        "-p main --comment=\"not -p containers \"||false",
        "--part=main|containers|false",
        "-p containers -p main||false",
      })
  void thePartitionOfAScriptIsThatOfItsDirectives(
      String directive, String variable, boolean refused) {
    PolicyLaunch launch =
        new PolicyLaunch().asScript("#!/bin/bash\n#SBATCH " + directive + "\nhpcrun exec -- x\n");
    if (variable != null) {
      launch.variables.put("SBATCH_PARTITION", variable);
    }
    assertThat(launch.planned(PolicyLaunch.policy(ENFORCE)).refusals().isEmpty())
        .isEqualTo(!refused);
    launch.verbatim.add("--part=main");
    assertThat(launch.planned(PolicyLaunch.policy(ENFORCE)).refusals()).isEmpty();
  }

  @Test
  void optionsThatAreNotGivenAreLookedForElsewhere() {
    String rule = "forbid: {partition: gpu}\n";
    assertThat(refusal(rule, launch -> launch.verbatim.add("--partition=gpu"))).isNotEmpty();
    assertThat(refusal(rule, launch -> launch.verbatim.add("-pgpu"))).isNotEmpty();
    assertThat(
            refusal(
                rule,
                launch -> {
                  launch.slurm.remove(SlurmOption.PARTITION);
                  launch.variables.put("SBATCH_PARTITION", "gpu");
                }))
        .isNotEmpty();
    assertThat(refusal(rule, launch -> launch.variables.put("SBATCH_PARTITION", "gpu")))
        .as("the option wins over the variable")
        .isEmpty();
    assertThat(
            refusal(
                rule,
                launch -> {
                  launch.slurm.remove(SlurmOption.PARTITION);
                  launch.asScript("#!/bin/bash\n#SBATCH -N 2 -p gpu\nhpcrun exec -- x\n");
                }))
        .isNotEmpty();
    assertThat(refusal("require: {modules: fabric}\n", launch -> launch.modules.add("fabric")))
        .isEmpty();
  }
}
