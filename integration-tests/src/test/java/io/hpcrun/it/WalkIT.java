package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.LabSettings;
import io.hpcrun.lab.Login;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;

/**
 * The walks of an administrator and of a user do what the documentation says: the commands that
 * stand there are typed on a cluster of their own, which nobody has set up before.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class WalkIT {
  private static final Path DOCS = Path.of(System.getProperty("hpcrun.root"), "docs");

  private final LabCluster lab = LabCluster.apart(LabSettings.of(Flavour.TRIXIE));
  private final Login root = lab.as("root", LabCluster.LOGIN_NODE);
  private final Login alice = lab.alice();

  @BeforeAll
  @Timeout(600)
  void putImage() {
    for (String node : LabCluster.COMPUTE_NODES) {
      putImage(lab.as("root", node));
    }
    putImage(root);
  }

  /** Where the site of the walk has its images, on all machines. */
  private void putImage(Login login) {
    login
        .run(
            "install",
            "-D",
            "-m",
            "755",
            lab.image("hello-openmpi"),
            "/opt/images/hello-openmpi.sif")
        .succeeded();
  }

  @AfterAll
  void stop() {
    lab.close();
  }

  @Test
  @Order(1)
  void anAdministratorGetsFromNothingToATestedSite() throws IOException {
    assertThat(typed(root, "/root", "first-site.md")).isEmpty();
  }

  @Test
  @Order(2)
  void aUserOfThatSiteGetsAlong() throws IOException {
    assertThat(typed(alice, "/home/alice", "first-launch.md")).isEmpty();
  }

  private static String typed(Login login, String directory, String document) throws IOException {
    return String.join(
        "\n",
        ReadmeCommand.differences(login, directory, ReadmeCommand.of(DOCS.resolve(document))));
  }
}
