package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.LabDaemon;
import io.hpcrun.lab.LabRegistry;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** The image store with a real registry and real Apptainer. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ImageStoreIT {
  private static final String STORE = "/home/hpcrund/images";
  private static final String SMALL = "/mnt/images";
  private static final boolean FULL = Boolean.getBoolean("hpcrun.full");
  private static final int PULLS = FULL ? 50 : 12;
  private static final int KILLS = FULL ? 25 : 4;

  /** Asks for an image as a user who has no name, and waits; prints the last answer. */
  private static final String PULL =
      """
      ask() { curl -sS --unix-socket /run/hpcrund/hpcrund.sock "$@"; }
      answer=$(ask -X POST http://localhost/v1/images -d '{"source":"'"$1"'"}')
      id=${answer#*'"id":"'} id=${id%%'"'*}
      while [[ $answer != *'"state":"ready"'* && $answer != *'"state":"failed"'* && $answer == *'"state"'* ]]; do
        sleep 0.3
        answer=$(ask "http://localhost/v1/pulls/$id")
      done
      echo "$answer"
      """;

  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);
  private final Login root = lab.as("root", LabCluster.LOGIN_NODE);
  private final Login alice = lab.alice();
  private final Login bob = lab.as("bob", LabCluster.LOGIN_NODE);
  private final LabDaemon daemon = new LabDaemon(lab);
  private LabRegistry registry;

  @BeforeAll
  void start() {
    registry = new LabRegistry(lab);
    settings(STORE, 1_000_000_000);
    daemon.start();
  }

  @AfterAll
  void stop() {
    daemon.close();
    registry.close();
    root.bash("rm -rf \"$1\"; umount \"$2\" 2>/dev/null; true", STORE, SMALL).succeeded();
  }

  @BeforeEach
  void empty() {
    settings(STORE, 1_000_000_000);
    restart(true);
  }

  private void settings(String directory, long quota) {
    daemon.settings(
        LabDaemon.settings()
            + "  images: {directory: %s, quota: %dK, pull-time: 120s}%n"
                .formatted(directory, quota >> 10));
  }

  private void restart(boolean emptied) {
    daemon.close();
    if (emptied) {
      root.bash("rm -rf \"$1\"", STORE).succeeded();
      root.bash("rm -rf ~alice/.cache/hpcrun/images ~alice/.docker ~alice/.apptainer").succeeded();
    }
    daemon.start();
  }

  private static String source(String name) {
    return "docker://" + LabRegistry.OPEN + "/" + name;
  }

  private List<String> images(String directory) {
    return root.bash("ls -A \"$1/sha256\"", directory).succeeded().lines();
  }

  private void nothingHalf(String directory) {
    for (String image : images(directory)) {
      assertThat(root.run("sha256sum", directory + "/sha256/" + image).succeeded().output())
          .startsWith(image.replace(".sif", " "));
    }
  }

  private List<String> work(String directory) {
    return root.bash("ls -A \"$1/.work\"", directory).succeeded().lines();
  }

  @Test
  void manyUsersGetAnImageByOneDownloadAndOneConversion() {
    List<String> layers = registry.push("many", "1", 30_000, "arm64", "amd64");
    Outcome all =
        root.bash(
            "for ((i = 0; i < $3; i++)); do"
                + " setpriv --reuid $((3000 + i)) --regid $((3000 + i)) --clear-groups bash -c \"$1\" pull \"$2\" &"
                + " done; wait",
            PULL,
            source("many:1"),
            String.valueOf(PULLS));
    assertThat(all.succeeded().lines())
        .hasSize(PULLS)
        .allMatch(line -> line.contains("\"state\":\"ready\""))
        .extracting(line -> line.replaceFirst(".*\"path\":\"([^\"]*)\".*", "$1"))
        .containsOnly(STORE + "/sha256/" + images(STORE).getFirst());
    assertThat(layers).extracting(registry::sent).containsOnly(1L);
    assertThat(images(STORE)).hasSize(1);
    assertThat(work(STORE)).isEmpty();
    nothingHalf(STORE);
    System.out.printf(
        "images: %d pulls at once, each layer sent %d time%n", PULLS, registry.sent(layers.get(1)));
  }

  @Test
  void aDaemonKilledInTheMiddleLeavesNoHalfImage() {
    registry.push("kill", "1", 40_000, "amd64");
    for (int i = 0; i < KILLS; i++) {
      root.bash(
              "setpriv --reuid 3000 --regid 3000 --clear-groups bash -c \"$1\" pull \"$2\" >/dev/null 2>&1 &"
                  + " sleep \"$3\"",
              PULL,
              source("kill:1"),
              String.valueOf(0.1 + 2.0 * i / KILLS))
          .succeeded();
      List<String> unfinished = work(STORE);
      daemon.signal("KILL");
      daemon.awaitGone();
      Jobs.await(
          "apptainer has ended with it",
          () -> root.bash("! pgrep -u hpcrund -r R,S,D .").exitCode() == 0);
      nothingHalf(STORE);
      daemon.start();
      assertThat(work(STORE)).isEmpty();
      System.out.printf(
          "images: killed, %d unfinished, %d whole images%n",
          unfinished.size(), images(STORE).size());
    }
    alice.run("hpcrun", "pull", source("kill:1")).succeeded();
    assertThat(images(STORE)).hasSize(1);
    System.out.printf("images: %d kills%n", KILLS);
  }

  @Test
  void theImageThatNobodyUsesLongestMakesRoom() {
    for (String name : List.of("one", "two", "three")) {
      registry.push("quota-" + name, "1", 9_000, "amd64");
    }
    settings(STORE, 25_000_000);
    restart(false);
    String one = pulled("quota-one:1");
    String two = pulled(bob, "quota-two:1");
    Outcome full = alice.run("hpcrun", "pull", source("quota-three:1"));
    assertThat(full.error()).contains("the image store has no room", "without hpcrund");
    assertThat(full.succeeded().lines().getFirst()).startsWith("/home/alice/.cache/");
    hoursPass(two);
    String three = pulled("quota-three:1");
    assertThat(images(STORE)).containsExactlyInAnyOrder(one + ".sif", three + ".sif");
    System.out.print(alice.run("hpcrun", "images").succeeded().output());
  }

  @Test
  void anImageThatIsTooLargeIsNotFetchedAndMakesNoOtherGo() {
    registry.push("idle", "1", 9_000, "amd64");
    List<String> huge = registry.push("huge", "1", 30_000, "amd64");
    settings(STORE, 25_000_000);
    restart(false);
    String idle = pulled("idle:1");
    root.bash("touch -d '3 hours ago' \"$1\"/.index/*", STORE).succeeded();
    Outcome refused =
        root.bash(
            "setpriv --reuid 3000 --regid 3000 --clear-groups bash -c \"$1\" pull \"$2\"",
            PULL,
            source("huge:1"));
    assertThat(refused.succeeded().output())
        .contains("\"title\":\"no room\"", "larger than the 11 MiB that one image may have");
    assertThat(huge).extracting(registry::sent).containsOnly(0L);
    assertThat(images(STORE)).containsExactly(idle + ".sif");
  }

  @Test
  void aFileFullOfHolesKeepsThemAndItsPathIsItsGiversBusiness() {
    registry.push("holes", "1", 10, "amd64");
    String image = pulled("holes:1");
    root.bash(
            """
            set -e
            install -d -m 755 /srv/files
            cp "$1/sha256/$2.sif" /srv/files/secret.sif
            truncate -s +400M /srv/files/secret.sif
            chmod 644 /srv/files/secret.sif
            """,
            STORE,
            image)
        .succeeded();
    String path =
        alice.run("hpcrun", "pull", "/srv/files/secret.sif").succeeded().lines().getFirst();
    assertThat(path).startsWith(STORE + "/sha256/").doesNotContain(image);
    assertThat(Long.parseLong(root.run("stat", "-c", "%s", path).succeeded().output().strip()))
        .isGreaterThan(400_000_000);
    assertThat(Long.parseLong(root.bash("du -B1 \"$1\" | cut -f1", path).output().strip()))
        .isLessThan(20_000_000);
    assertThat(alice.run("hpcrun", "images").succeeded().output())
        .contains("/srv/files/secret.sif")
        .containsPattern("(?m)^\\d+ kB of 999 MB are used$");
    assertThat(root.run("hpcrun", "images").succeeded().output()).contains("secret.sif");
    assertThat(bob.run("hpcrun", "images").succeeded().output())
        .contains(path)
        .doesNotContain("secret.sif");
    root.run("rm", "-r", "/srv/files").succeeded();
  }

  @Test
  void theImageOfAJobThatWaitsStaysUntilTheJobIsOver() {
    for (String name : List.of("waits", "idle", "new", "last")) {
      registry.push("job-" + name, "1", 9_000, "amd64");
    }
    settings(STORE, 25_000_000);
    restart(false);
    String waits = pulled("job-waits:1");
    String idle = pulled(bob, "job-idle:1");
    String job =
        new Jobs(alice)
            .submit("--sbatch=--hold", "--array=1-2", source("job-waits:1"), "--", "hostname");
    hoursPass(waits);
    String next = pulled(bob, "job-new:1");
    assertThat(images(STORE)).containsExactlyInAnyOrder(waits + ".sif", next + ".sif");
    assertThat(idle).isNotEqualTo(next);
    alice.run("scancel", job).succeeded();
    hoursPass(waits);
    Jobs.await("the job is over", () -> new Jobs(alice).inQueue().isEmpty());
    String last = pulled("job-last:1");
    assertThat(images(STORE)).containsExactlyInAnyOrder(next + ".sif", last + ".sif");
  }

  /** All images were used long ago, this one longest; a new daemon has handed out none. */
  private void hoursPass(String longest) {
    root.bash(
            "touch -d '3 hours ago' \"$1\"/.index/*; touch -d '9 hours ago' \"$1/.index/$2.json\"",
            STORE,
            longest)
        .succeeded();
    restart(false);
  }

  private String pulled(String name) {
    return pulled(alice, name);
  }

  private String pulled(Login user, String name) {
    return user.run("hpcrun", "pull", source(name))
        .succeeded()
        .lines()
        .getLast()
        .replace("sha256:", "");
  }

  @Test
  void aPrivateImageIsFetchedWithTheUsersLoginForTheUserAlone() {
    registry.push("secret", "1", 100, "amd64");
    String source = "docker://" + LabRegistry.PRIVATE + "/secret:1";
    Outcome refused = alice.run("hpcrun", "pull", source);
    assertThat(refused.exitCode()).isEqualTo(5);
    assertThat(refused.error())
        .contains("does not give")
        .contains("trying with your own login")
        .contains("apptainer registry login");
    alice
        .bash(
            "echo \"$1\" | apptainer registry login -u \"$2\" --password-stdin \"docker://$3\"",
            LabRegistry.PASSWORD,
            LabRegistry.USER,
            LabRegistry.PRIVATE)
        .succeeded();
    String path = alice.run("hpcrun", "pull", source).succeeded().lines().getFirst();
    assertThat(path).startsWith("/home/alice/.cache/hpcrun/images/");
    assertThat(alice.run("stat", "-c", "%a", path).succeeded().output().strip()).isEqualTo("600");
    assertThat(bob.run("head", "-c", "1", path).exitCode()).isNotZero();
    assertThat(images(STORE)).isEmpty();
    assertThat(bob.run("hpcrun", "pull", source).exitCode()).isEqualTo(5);
    assertThat(alice.run("hpcrun", "pull", source).succeeded().lines().getFirst()).isEqualTo(path);
    assertThat(String.join("\n", daemon.log()))
        .doesNotContain(LabRegistry.PASSWORD)
        .doesNotContain("Authorization");
    assertThat(
            root.bash("grep -rlaF \"$1\" /var/lib/hpcrund \"$2\"", LabRegistry.PASSWORD, STORE)
                .lines())
        .isEmpty();
  }

  @Test
  void whatCannotBeHadIsSaidWhy() {
    registry.push("arm", "1", 10, "arm64", "s390x");
    said(source("none:1"), 5, "has no image");
    said(source("arm:1"), 5, "is not for amd64; it is for arm64, s390x");
    said("docker://127.0.0.1:9/x", 5, "cannot be reached");
    said("docker://x:y@127.0.0.1:5000/x", 2, "cannot be fetched");
    said("docker://127.0.0.1:5000/../../etc", 2, "cannot be fetched");
    said("docker://--help", 2, "cannot be fetched");
    said("http://127.0.0.1:5000/v2/", 2, "can be changed on its way");
    said("/etc/passwd", 5, "is no SIF file");
    root.bash(
            "set -e; install -d -m 755 /srv/odd; mkfifo -m 666 /srv/odd/pipe; ln -s /etc/passwd /srv/odd/link;"
                + " install -m 604 /etc/passwd /srv/odd/group")
        .succeeded();
    said("/srv/odd/pipe", 3, "is not one that every user may read");
    said("/srv/odd/group", 3, "is not one that every user may read");
    said("/srv/odd/link", 3, "is reached by a symbolic link");
    said("/srv/odd/none", 5, "there is no file");
    root.run("rm", "-r", "/srv/odd").succeeded();
    said("/home/alice/.bashrc", 3, "is not one that every user may read");
    said("/var/lib/hpcrund/launches.db", 3, "is not one that every user may read");
    assertThat(images(STORE)).isEmpty();
    assertThat(work(STORE)).isEmpty();
  }

  private void said(String source, int code, String what) {
    Outcome outcome = alice.run("hpcrun", "pull", source);
    assertThat(outcome.exitCode()).as(outcome.toString()).isEqualTo(code);
    assertThat(outcome.error()).contains(what).contains("what to do: ");
    System.out.printf("images: %s: %s%n", source, outcome.errorLines().getFirst());
  }

  @Test
  void aFullDiskKeepsNobodyFromTheImage() {
    registry.push("large", "1", 40_000, "amd64");
    registry.push("little", "1", 10, "amd64");
    root.bash(
            "set -e; mkdir -p \"$1\"; mount -t tmpfs -o size=30m,mode=755 tmpfs \"$1\"; chown hpcrund \"$1\"",
            SMALL)
        .succeeded();
    try {
      settings(SMALL, 1_000_000_000);
      restart(false);
      Outcome full = alice.run("hpcrun", "pull", source("large:1"));
      assertThat(full.error()).contains("no room", "without hpcrund");
      assertThat(full.succeeded().lines().getFirst()).startsWith("/home/alice/.cache/");
      assertThat(images(SMALL)).isEmpty();
      assertThat(work(SMALL)).isEmpty();
      alice.run("hpcrun", "pull", source("little:1")).succeeded();
      nothingHalf(SMALL);
    } finally {
      daemon.close();
      root.run("umount", SMALL).succeeded();
      settings(STORE, 1_000_000_000);
      daemon.start();
    }
  }

  @Test
  void aRegistryThatHangsIsGivenUpAndHoldsUpNobodyElse() {
    registry.push("prompt", "1", 10, "amd64");
    root.bash("setsid -f busybox nc -ll -p 5009 -e sleep 600 </dev/null >/dev/null 2>&1")
        .succeeded();
    try {
      root.bash(
              "setpriv --reuid 3000 --regid 3000 --clear-groups bash -c \"$1\" pull docker://127.0.0.1:5009/x >/tmp/hung 2>&1 &",
              PULL)
          .succeeded();
      alice.run("hpcrun", "pull", source("prompt:1")).succeeded();
      assertThat(root.read("/tmp/hung")).isEmpty();
      Jobs.await("the pull is given up", () -> root.read("/tmp/hung").length > 0);
      assertThat(new String(root.read("/tmp/hung"), java.nio.charset.StandardCharsets.UTF_8))
          .contains("\"title\":\"too slow\"");
    } finally {
      root.bash("pkill -f '[n]c -ll -p 5009'; rm -f /tmp/hung; true").succeeded();
    }
  }

  @Test
  void aLaunchTakesItsImageFromTheStoreAndTheNodesCheckIt() {
    registry.push("app", "1", 100, "amd64");
    String image = source("app:1");
    Outcome run = alice.run("hpcrun", "run", "-N", "2", "-n", "2", image, "--", "hostname");
    assertThat(run.succeeded().lines()).containsExactlyInAnyOrder("c1", "c2");
    String digest = images(STORE).getFirst().replace(".sif", "");
    assertThat(run.error()).contains(image + " is sha256:" + digest);
    Outcome staged =
        alice.run("hpcrun", "submit", "--dry-run", "--stage=node", image, "--", "hostname");
    assertThat(staged.succeeded().lines())
        .contains(
            "hpcrun_digest=" + digest, "hpcrun_image=" + STORE + "/sha256/" + digest + ".sif");
    assertThat(alice.run("hpcrun", "explain", image, "--", "hostname").succeeded().output())
        .contains(STORE);
    Outcome alone =
        alice
            .with("HPCRUN_DAEMON", "none")
            .run("hpcrun", "run", "-n", "1", "-w", "c2", image, "--", "hostname");
    assertThat(alone.succeeded().lines()).containsExactly("c2");
    assertThat(alice.bash("ls ~/.cache/hpcrun/images/*.sif").succeeded().lines()).hasSize(1);
  }

  @Test
  void sifFilesMustBeSignedWhereTheSiteSaysSo() {
    registry.push("unsigned", "1", 10, "amd64");
    root.bash(
            """
            set -e
            rm -rf /root/.apptainer /srv/keys && mkdir -p /srv/keys
            apptainer key newpair -N lab -E lab@lab.lab -C '' -P '' -U=false
            cp ~/.apptainer/keys/pgp-public /srv/keys/ring && chmod 644 /srv/keys/ring
            apptainer --quiet pull --no-https /srv/keys/plain.sif "$1"
            cp /srv/keys/plain.sif /srv/keys/signed.sif && apptainer sign /srv/keys/signed.sif
            chmod 644 /srv/keys/*
            """,
            source("unsigned:1"))
        .succeeded();
    daemon.settings(
        LabDaemon.settings()
            + "  images: {directory: %s, keys: /srv/keys/ring}%n".formatted(STORE));
    restart(true);
    alice.run("hpcrun", "pull", "/srv/keys/signed.sif").succeeded();
    Outcome refused = alice.run("hpcrun", "pull", "/srv/keys/plain.sif");
    assertThat(refused.exitCode()).isEqualTo(5);
    assertThat(refused.error()).contains("is not signed by whom this site trusts");
    alice.run("hpcrun", "pull", source("unsigned:1")).succeeded();
    assertThat(images(STORE)).hasSize(2);
  }

  @Test
  void severalCommandsWithoutADaemonFetchAnImageOnce() {
    List<String> layers = registry.push("alone", "1", 20_000, "amd64");
    Outcome all =
        alice
            .with("HPCRUN_DAEMON", "none")
            .bash("for i in 1 2 3 4 5 6; do hpcrun pull \"$1\" & done; wait", source("alone:1"));
    assertThat(all.succeeded().lines()).hasSize(12);
    assertThat(all.lines().stream().distinct()).hasSize(2);
    assertThat(layers).extracting(registry::sent).containsOnly(1L);
  }
}
