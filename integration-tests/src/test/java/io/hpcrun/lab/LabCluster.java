package io.hpcrun.lab;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.exception.DockerException;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.AccessMode;
import com.github.dockerjava.api.model.Bind;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.Device;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.Volume;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.lifecycle.Startables;
import org.testcontainers.utility.DockerImageName;
import org.testcontainers.utility.MountableFile;

/**
 * A Slurm cluster of its own for the tests of this JVM: the nodes login (slurmctld, and where
 * hpcrun is installed), c1 and c2 (or more); the users alice and bob. It ends with the JVM.
 */
public final class LabCluster implements AutoCloseable {
  /** The nodes that run jobs, of a flavour's own cluster. */
  public static final List<String> COMPUTE_NODES = List.of("c1", "c2");

  /** The node that users log in to. */
  public static final String LOGIN_NODE = "login";

  private static final Logger LOG = LoggerFactory.getLogger(LabCluster.class);
  private static final Duration READY_WITHIN = Duration.ofSeconds(150);
  private static final Duration REMOVED_WITHIN = Duration.ofSeconds(20);
  private static final Duration REMOVAL_PAUSE = Duration.ofMillis(100);
  private static final long SHARED_MEMORY = 1L << 30;
  private static final String IMAGES_VOLUME = "hpcrun-lab-images";
  private static final String IMAGES = "/var/lib/hpcrun-lab/images";
  private static final Map<Flavour, LabCluster> RUNNING = new EnumMap<>(Flavour.class);

  private final DockerClient docker;
  private final String name;
  private final Map<String, String> labels;
  private final Network network;
  private final Map<String, GenericContainer<?>> nodes = new LinkedHashMap<>();
  private final Set<String> images = new HashSet<>();

  /**
   * The flavour's cluster, started by the first who asks.
   *
   * @throws LabCommand.LabFailed when the images of its nodes cannot be made
   */
  public static synchronized LabCluster of(Flavour flavour) {
    LabCluster running = RUNNING.get(flavour);
    if (running == null) {
      // First, because it starts Docker where that does not run.
      String image = LabCommand.imageOfNodes(flavour);
      running = new LabCluster(flavour.option(), image, LabSettings.of(flavour));
      RUNNING.put(flavour, running);
    }
    return running;
  }

  /** A cluster apart from the flavour's own, for a test that harms it or needs other settings. */
  public static LabCluster apart(LabSettings settings) {
    String image = LabCommand.imageOfNodes(settings.flavour());
    String kind =
        settings.flavour().option()
            + "-"
            + settings.computeNodes()
            + (settings.accounting() ? "-accounting" : "");
    return new LabCluster(kind, image, settings);
  }

  private LabCluster(String kind, String image, LabSettings like) {
    List<String> computeNodes =
        IntStream.rangeClosed(1, like.computeNodes()).mapToObj(number -> "c" + number).toList();
    this.docker = DockerClientFactory.lazyClient();
    Leftovers.remove(docker);
    this.name = "hpcrun-test-" + kind + "-" + ProcessHandle.current().pid();
    this.labels = Leftovers.labels();
    Runtime.getRuntime().addShutdownHook(new Thread(this::remove, "remove " + name));
    long began = System.nanoTime();
    docker.createVolumeCmd().withName(home()).withLabels(labels).exec();
    this.network =
        Network.builder()
            .createNetworkCmdModifier(command -> command.withName(name).withLabels(labels))
            .build();
    byte[] secret = new byte[32];
    new SecureRandom().nextBytes(secret);
    Map<String, String> settings =
        Map.of(
            "HPCRUN_LAB_SECRET", HexFormat.of().formatHex(secret),
            "HPCRUN_LAB_NODES", String.valueOf(computeNodes.size()),
            "HPCRUN_LAB_ACCOUNTING", like.accounting() ? "yes" : "no",
            "HPCRUN_LAB_SLURM_CONF", like.slurmConf());
    nodes.put(LOGIN_NODE, node(image, LOGIN_NODE, "controller", settings));
    computeNodes.forEach(compute -> nodes.put(compute, node(image, compute, "compute", settings)));
    // Together: the controller waits for the names of the others, they wait for the controller.
    Startables.deepStart(nodes.values()).join();
    install(LabCommand.distribution());
    LOG.info(
        "{} is ready after {} ms", name, Duration.ofNanos(System.nanoTime() - began).toMillis());
  }

  private GenericContainer<?> node(
      String image, String node, String role, Map<String, String> settings) {
    Bind home = new Bind(home(), new Volume("/home"));
    Bind images = new Bind(IMAGES_VOLUME, new Volume(IMAGES), AccessMode.ro);
    HostConfig host =
        HostConfig.newHostConfig()
            .withCapAdd(Capability.SYS_ADMIN, Capability.SYS_NICE)
            .withDevices(Device.parse("/dev/fuse:/dev/fuse:rwm"))
            .withShmSize(SHARED_MEMORY)
            .withSecurityOpts(List.of("seccomp=unconfined", "apparmor=unconfined"))
            .withNetworkMode(network.getId())
            .withBinds(node.equals(LOGIN_NODE) ? List.of(home, images) : List.of(home));
    return new GenericContainer<>(DockerImageName.parse(image))
        .withNetwork(network)
        .withNetworkAliases(node)
        .withLabels(labels)
        .withEnv("HPCRUN_LAB_ROLE", role)
        .withEnv(settings)
        .withCreateContainerCmdModifier(
            command -> command.withName(name + "-" + node).withHostName(node).withHostConfig(host))
        .waitingFor(
            Wait.forLogMessage(".*hpcrun-lab ready\\s*", 1).withStartupTimeout(READY_WITHIN));
  }

  /** As users do: unpack the tarball. The cache of classes holds only with the times kept. */
  private void install(Path distribution) {
    String tarball = "/root/" + distribution.getFileName();
    nodes.get(LOGIN_NODE).copyFileToContainer(MountableFile.forHostPath(distribution), tarball);
    as("root", LOGIN_NODE)
        .bash(
            "mkdir -p /opt/hpcrun && tar -xzf \"$1\" --strip-components=1 --no-same-owner"
                + " -C /opt/hpcrun && rm \"$1\"",
            tarball)
        .succeeded();
  }

  /** alice on the login node. */
  public Login alice() {
    return as("alice", LOGIN_NODE);
  }

  /** A user on a node. */
  public Login as(String user, String node) {
    return new Login(new LabNode(docker, nodes.get(node).getContainerId()), user);
  }

  /** What launches left in /tmp of the nodes, each file as {@code NODE:PATH}. */
  public List<String> leftInTmp(List<String> onNodes) {
    List<String> left = new ArrayList<>();
    for (String node : onNodes) {
      Outcome found = as("root", node).run("find", "/tmp", "-name", "*hpcrun*");
      found.succeeded().lines().forEach(file -> left.add(node + ":" + file));
    }
    return left;
  }

  /** alice's copy of a test image (examples/images); its path. */
  public synchronized String image(String image) {
    String copy = "/home/alice/" + image + ".sif";
    if (images.add(image)) {
      String file = LabCommand.imageOfPrograms(image);
      as("root", LOGIN_NODE)
          .run("install", "-m", "755", "-o", "alice", "-g", "alice", IMAGES + "/" + file, copy)
          .succeeded();
    }
    return copy;
  }

  /** Ends a node as a power cut would. */
  public void kill(String node) {
    docker.killContainerCmd(nodes.get(node).getContainerId()).exec();
  }

  /** Removes the cluster; at the end of the JVM at the latest that happens by itself. */
  @Override
  public void close() {
    remove();
  }

  private String home() {
    return name + "-home";
  }

  private void remove() {
    for (String node : nodes.keySet()) {
      insist(
          () ->
              docker
                  .removeContainerCmd(name + "-" + node)
                  .withForce(true)
                  .withRemoveVolumes(true)
                  .exec());
    }
    insist(() -> docker.removeNetworkCmd(name).exec());
    insist(() -> docker.removeVolumeCmd(home()).exec());
  }

  /** Testcontainers' own hook removes containers at the same time: then Docker is in conflict. */
  private static void insist(Runnable removal) {
    long deadline = System.nanoTime() + REMOVED_WITHIN.toNanos();
    while (System.nanoTime() < deadline) {
      try {
        removal.run();
        return;
      } catch (NotFoundException alreadyGone) {
        return;
      } catch (DockerException conflict) {
        LOG.debug("again", conflict);
        LockSupport.parkNanos(REMOVAL_PAUSE.toNanos());
      }
    }
  }
}
