package io.hpcrun.packing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hpcrun.cluster.NodeType;
import io.hpcrun.cluster.Partition;
import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PackingTest {
  /** As {@code scontrol --oneliner show partition} of Slurm 24.11 prints it. */
  private static final String LIMITS =
      """
      PartitionName=cpu AllowGroups=ALL AllowAccounts=ALL AllowQos=ALL AllocNodes=ALL Default=YES \
      QoS=N/A DefaultTime=NONE DisableRootJobs=NO ExclusiveUser=NO ExclusiveTopo=NO GraceTime=0 \
      Hidden=NO MaxNodes=100 MaxTime=2-00:00:00 MinNodes=0 LLN=NO MaxCPUsPerNode=UNLIMITED \
      MaxCPUsPerSocket=UNLIMITED Nodes=c[1-200] PriorityJobFactor=1 PriorityTier=1 RootOnly=NO \
      ReqResv=NO OverSubscribe=NO OverTimeLimit=NONE PreemptMode=OFF State=UP TotalCPUs=25600 \
      TotalNodes=200 SelectTypeParameters=NONE JobDefaults=(null) DefMemPerNode=UNLIMITED \
      MaxMemPerNode=UNLIMITED TRES=cpu=25600,mem=102400000M,node=200,billing=25600
      PartitionName=gpu AllowGroups=ALL AllowAccounts=ai,physics AllowQos=ALL Default=NO \
      MaxNodes=UNLIMITED MaxTime=1-00:00:00 MinNodes=0 MaxCPUsPerNode=UNLIMITED State=UP RootOnly=NO \
      ReqResv=NO MaxMemPerNode=UNLIMITED
      PartitionName=fat AllowAccounts=ALL Default=NO MaxNodes=UNLIMITED MaxTime=UNLIMITED MinNodes=0 \
      MaxCPUsPerNode=UNLIMITED State=UP MaxMemPerNode=UNLIMITED
      PartitionName=short AllowAccounts=ALL Default=NO MaxNodes=2 MaxTime=00:30:00 MinNodes=0 \
      MaxCPUsPerNode=UNLIMITED State=UP MaxMemPerNode=UNLIMITED
      """;

  /** As sinfo prints it: 200 nodes of 128 cores, some of them down; two kinds of GPU nodes. */
  private static final String NODES =
      """
      cpu*|150|128|512000|(null)|avx512|2-00:00:00|up|2:64:1|idle
      cpu*|45|128|512000|(null)|avx512|2-00:00:00|up|2:64:1|mix
      cpu*|5|128|512000|(null)|avx512|2-00:00:00|up|2:64:1|drain*
      gpu|20|64|1024000|gpu:a100:4(S:0-1)|nvlink|1-00:00:00|up|2:32:1|idle
      gpu|4|96|2048000|gpu:h100:8(S:0-1)|nvlink|1-00:00:00|up|2:48:1|alloc
      fat|2|256|8192000|(null)|(null)|infinite|up|4:32:2|idle
      short|200|128|512000|(null)|avx512|30:00|up|2:64:1|idle
      """;

  private static final List<Partition> CLUSTER = Partition.parse(LIMITS, NodeType.parse(NODES));

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          cores=1000|partition=cpu nodes=8 ntasks=1000 ntasks-per-node=125
          cores=1|partition=cpu nodes=1 ntasks=1 ntasks-per-node=1
          cores=1001|partition=cpu nodes=8 ntasks=1001 ntasks-per-node=126
          memory=500G|partition=cpu nodes=1 ntasks=1 ntasks-per-node=1 mem=512000M
          memory=501G|partition=cpu nodes=2 ntasks=2 ntasks-per-node=1 mem=256512M
          memory=10T|partition=cpu nodes=21 ntasks=21 ntasks-per-node=1 mem=499322M
          cores=4,memory=6T|partition=fat nodes=1 ntasks=4 ntasks-per-node=4 threads-per-core=1 mem=6291456M
          gpus=16|partition=gpu nodes=2 ntasks=16 ntasks-per-node=8 gpus-per-node=8
          gpus=a100:16|partition=gpu nodes=4 ntasks=16 ntasks-per-node=4 gpus-per-node=a100:4
          gpus=a100:10|partition=gpu nodes=5 ntasks=10 ntasks-per-node=2 gpus-per-node=a100:2
          gpus=a100:7|partition=gpu nodes=2 ntasks=7 ntasks-per-node=4 gpus-per-node=a100:4
          cores=256,gpus=a100:16|partition=gpu nodes=4 ntasks=16 ntasks-per-node=4 cpus-per-task=16 gpus-per-node=a100:4
          cores=1000,memory=10T,gpus=16|partition=gpu nodes=16 ntasks=16 ntasks-per-node=1 cpus-per-task=63 mem=655360M gpus-per-node=1
          cores=200,gpus=2|partition=gpu nodes=3 ntasks=200 ntasks-per-node=67 gpus-per-node=1
          """)
  void packs(String resources, String expected) {
    assertThat(shown(Packing.pack(wish(resources), CLUSTER))).isEqualTo(expected);
  }

  private static String shown(List<Packing.Choice> choices) {
    return choices.stream()
        .map(choice -> choice.option().option() + "=" + choice.value())
        .collect(Collectors.joining(" "));
  }

  private static Wish wish(String resources) {
    return Wish.of(Resources.parse(resources), "job.yaml:1");
  }

  @Test
  void saysWhatItMadeOfTheResources() {
    assertThat(Packing.pack(wish("cores=1000,memory=10T,gpus=16"), CLUSTER))
        .extracting(Packing.Choice::reason)
        .containsExactly(
            "the only one where it can start; not cpu, fat, short: its nodes have no GPUs",
            "1000 cores, 10T of memory, 16 GPUs: 16 nodes of 64 cores, 1000G of memory, 4 GPUs,"
                + " 16 cores idle",
            "a rank for each GPU",
            "16 ranks on 16 nodes",
            "1000 cores for 16 ranks",
            "10T on 16 nodes",
            "16 GPUs on 16 nodes");
  }

  @Test
  void saysOfEachPartitionWhyAJobCanNeverStart() {
    refuses(
        wish("cores=100000"),
        "100000 cores can never start here (job.yaml:1): cpu, short: it takes 782 nodes of 128 cores,"
            + " and it has 200; gpu: it takes 1042 nodes of 96 cores, and it has 4; fat: it takes 782"
            + " nodes of 128 cores, and it has 2");
    refuses(
        wish("cores=12900"),
        "cpu: it takes 101 nodes of 128 cores, and a job may have 100 there",
        "short: it takes 101 nodes of 128 cores, and a job may have 2 there");
    refuses(wish("gpus=v100:1"), "cpu, gpu, fat, short: its nodes have no GPUs of type v100");
    refuses(
        ranks("cores=4,memory=9T", 1, 4),
        "9T of memory in 1 rank of 4 cores each can never start",
        "fat: it takes 2 nodes of 128 cores, 8000G of memory, which are more than there are ranks");
    refuses(
        ranks("cores=300", 1, 300),
        "cpu, fat, short: a rank of 300 cores is more than a node has, which is 128");
  }

  @Test
  void ranksAreCutAsAsked() {
    assertThat(shown(Packing.pack(ranks("cores=64", 1, 64), CLUSTER)))
        .isEqualTo("partition=cpu nodes=1 ntasks-per-node=1");
    Wish hybrid = with(wish("cores=1000"), OptionalLong.empty(), OptionalLong.of(8));
    assertThat(shown(Packing.pack(hybrid, CLUSTER)))
        .isEqualTo("partition=cpu nodes=8 ntasks=125 ntasks-per-node=16");
    Wish few = with(wish("cores=1000"), OptionalLong.of(10), OptionalLong.empty());
    assertThat(shown(Packing.pack(few, CLUSTER)))
        .isEqualTo("partition=cpu nodes=10 ntasks-per-node=1 cpus-per-task=100");
    assertThatThrownBy(() -> Packing.pack(ranks("cores=1000", 10, 10), CLUSTER))
        .hasMessage(
            "1000 cores are asked for (job.yaml:1), and 10 ranks of 10 cores, which are 100");
  }

  @Test
  void thePartitionThatIsSaidIsTheOnlyOne() {
    Wish said = in(wish("cores=128"), List.of("fat"), Optional.empty());
    assertThat(shown(Packing.pack(said, CLUSTER)))
        .isEqualTo("nodes=1 ntasks=128 ntasks-per-node=128 threads-per-core=1");
    refuses(in(wish("gpus=1"), List.of("fat"), Optional.empty()), ": fat: its nodes have no GPUs");
    Wish either = in(wish("gpus=1"), List.of("fat", "gpu"), Optional.empty());
    assertThat(shown(Packing.pack(either, CLUSTER))).startsWith("partition=gpu ");
    assertThatThrownBy(
            () -> Packing.pack(in(wish("gpus=1"), List.of("gqu"), Optional.empty()), CLUSTER))
        .hasMessage("there is no partition 'gqu' here, or none that you see")
        .extracting(failure -> ((Failure) failure).remedy())
        .asString()
        .startsWith("write 'gpu'");
  }

  @Test
  void theSitesPartitionGoesBeforeOthersWhereItFits() {
    Wish site = in(wish("cores=128"), List.of(), Optional.of("short"));
    assertThat(Packing.pack(site, CLUSTER).getFirst())
        .extracting(Packing.Choice::value, Packing.Choice::reason)
        .containsExactly("short", "the site's choice");
    Wish large = in(wish("cores=512"), List.of(), Optional.of("short"));
    assertThat(Packing.pack(large, CLUSTER).getFirst())
        .extracting(Packing.Choice::value, Packing.Choice::reason)
        .containsExactly(
            "cpu",
            "of those where it can start, it leaves least idle; not fat: it takes 4 nodes of 128"
                + " cores, and it has 2; short: it takes 4 nodes of 128 cores, and a job may have 2 there");
  }

  @Test
  void whatElseIsSaidOfTheJobCounts() {
    assertThat(partition(new Said().seconds(3 * 86_400))).isEqualTo("fat");
    assertThat(partition(new Said().seconds(2 * 86_400))).isEqualTo("cpu");
    assertThat(partition(new Said().constraint("nvlink"))).isEqualTo("gpu");
    assertThat(partition(new Said().constraint("nvlink|none"))).isEqualTo("gpu");
    assertThat(partition(new Said().constraint("[rack1|rack2]"))).isEqualTo("cpu");
    refuses(
        new Said().constraint("nvlink&avx512").wish(),
        "gpu, fat, short: it has no nodes with nvlink");
    refuses(new Said().seconds(3 * 86_400).gpus().wish(), "gpu: jobs end there after 1-00:00:00");
    refuses(new Said().account("bio").gpus().wish(), "gpu: it is not for the account bio");
    assertThat(partition(new Said().account("ai").gpus())).isEqualTo("gpu");
  }

  private static String partition(Said said) {
    return Packing.pack(said.wish(), CLUSTER).getFirst().value();
  }

  @Test
  void limitsOfPartitionsCount() {
    assertThat(in("MaxCPUsPerNode=32", "cores=64", "64:128:0")).startsWith("nodes=2 ");
    assertThat(in("MaxMemPerNode=1000", "memory=3000M", "64:128000:0")).startsWith("nodes=3 ");
    assertThat(in("MaxMemPerCPU=1000", "memory=128000M", "64:128000:0")).startsWith("nodes=2 ");
    assertThat(in("MinNodes=4", "cores=64", "64:128000:0"))
        .isEqualTo("nodes=4 ntasks=64 ntasks-per-node=16");
    refuses(Map.of("State", "DRAIN"), "it takes no jobs (DRAIN)");
    refuses(Map.of("RootOnly", "YES"), "it is for root only");
    refuses(Map.of("ReqResv", "YES"), "it is for reservations only");
    assertThatThrownBy(() -> in("State=UP", "memory=1G", "64:1:0"))
        .hasMessageContaining("only: how much memory its nodes have is not declared");
  }

  private static void refuses(Map<String, String> limits, String reason) {
    refuses(
        () ->
            Packing.pack(
                wish("cores=1"), List.of(new Partition("only", limits, nodes("only", "64:1:0")))),
        "only: " + reason);
  }

  /** In a partition of 10 nodes with so many CPUs, MiB and GPUs. */
  private static String in(String limit, String resources, String node) {
    String[] pair = limit.split("=");
    Partition partition = new Partition("only", Map.of(pair[0], pair[1]), nodes("only", node));
    return shown(
        Packing.pack(in(wish(resources), List.of("only"), Optional.empty()), List.of(partition)));
  }

  private static List<NodeType> nodes(String partition, String node) {
    String[] has = node.split(":");
    return NodeType.parse(
        "%s|10|%s|%s|gpu:%s|(null)|infinite|up|1:%s:1|idle\n"
            .formatted(partition, has[0], has[1], has[2], has[0]));
  }

  @Test
  void nodesThatAreDownComeLast() {
    String nodes =
        """
        a*|2|64|1000|(null)|(null)|infinite|up|1:64:1|idle
        a*|8|64|1000|(null)|(null)|infinite|up|1:64:1|down*
        b|10|64|1000|(null)|(null)|infinite|up|1:64:1|alloc
        """;
    List<Partition> both =
        Partition.parse(
            "PartitionName=a Default=YES State=UP\nPartitionName=b State=UP\n",
            NodeType.parse(nodes));
    assertThat(shown(Packing.pack(wish("cores=128"), both))).startsWith("partition=a nodes=2 ");
    assertThat(shown(Packing.pack(wish("cores=192"), both))).startsWith("partition=b nodes=3 ");
    assertThat(Packing.pack(wish("cores=192"), both.subList(0, 1)).get(1).reason())
        .isEqualTo(
            "192 cores: 3 nodes of 64 cores; too few are in service now, so it waits for others");
    List<Partition> down = Partition.parse("PartitionName=b State=DOWN\n", NodeType.parse(nodes));
    assertThat(Packing.pack(wish("cores=64"), down).get(1).reason()).contains("it waits");
  }

  @Test
  void nodesWithMoreCountAsWell() {
    String nodes =
        """
        a*|10|64|500000|(null)|(null)|infinite|up|1:64:1|idle
        a*|10|64|1000000|(null)|(null)|infinite|up|1:64:1|idle
        """;
    List<Partition> one =
        Partition.parse("PartitionName=a Default=YES State=UP\n", NodeType.parse(nodes));
    assertThat(shown(Packing.pack(wish("cores=960"), one))).startsWith("partition=a nodes=15 ");
    assertThat(shown(Packing.pack(wish("memory=7000000M"), one)))
        .startsWith("partition=a nodes=7 ");
    assertThatThrownBy(() -> Packing.pack(wish("memory=11000000M"), one))
        .as("all nodes get the same share")
        .hasMessageContaining("a: it takes 11 nodes of 64 cores, 976G of memory, and it has 10");
  }

  @Test
  void tenThousandNodesArePacked() {
    List<Partition> alike =
        Partition.parse(
            "PartitionName=a Default=YES State=UP\n",
            NodeType.parse("a*|10000|128|512000|(null)|(null)|infinite|up|2:64:1|idle\n"));
    assertThat(shown(Packing.pack(wish("cores=1280000"), alike)))
        .isEqualTo("partition=a nodes=10000 ntasks=1280000 ntasks-per-node=128");
    assertThat(shown(Packing.pack(wish("cores=1000000"), alike)))
        .isEqualTo("partition=a nodes=7813 ntasks=1000000 ntasks-per-node=128");
  }

  /** Comparing each with each would take many minutes. */
  @Test
  @Timeout(300)
  void nodesAreNotComparedEachWithEach() {
    int many = 100_000;
    List<NodeType> nodes = new ArrayList<>();
    IntStream.range(0, many)
        .forEach(
            i ->
                nodes.addAll(
                    NodeType.parse(
                        "a|1|128|%d|(null)|(null)|infinite|up|2:64:1|idle\n"
                            .formatted(1_000_000 + i))));
    List<Partition> all = Partition.parse("PartitionName=a State=UP\n", nodes);
    assertThat(shown(Packing.pack(wish("cores=12800000"), all)))
        .isEqualTo("partition=a nodes=100000 ntasks=12800000 ntasks-per-node=128");
    assertThat(shown(Packing.pack(wish("memory=90000000G"), all))).startsWith("partition=a nodes=");
  }

  @Test
  void readsWhatSinfoSaysOfGpusAndThreads() {
    NodeType type =
        NodeType.parse(
                "a|1|128|1|gpu:a100:4(S:0-1),gpu:h100:2,shard:8|(null)|infinite|up|2:32:2|idle\n")
            .getFirst();
    assertThat(type.gpus("")).isEqualTo(6);
    assertThat(type.gpus("h100")).isEqualTo(2);
    assertThat(type.gpus("v100")).isZero();
    assertThat(type.cpusOfCore()).isEqualTo(2);
    assertThat(type.memory()).isZero();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          cores=0|cores '0' is not a whole number from 1 on
          cores=1.5|cores '1.5' is not a whole number from 1 on
          memory=10|memory '10' is not a size with its unit: 500M, 20G or 10T
          gpus=a:b|gpus 'a:b' is not a number, or a type and a number: 16 or a100:16
          core=1|'core' is none of cores, memory, gpus
          1000|'1000' is none of cores, memory, gpus
          cores=1,cores=2|cores stands there twice
          cores=1,|'' is none of cores, memory, gpus
          """)
  void refusesWhatIsNoAmount(String resources, String message) {
    assertThatThrownBy(() -> Resources.parse(resources))
        .hasMessage("--resources: " + message)
        .extracting(failure -> ((Failure) failure).exitCode())
        .isEqualTo(ExitCode.USAGE);
  }

  private static void refuses(Wish wish, String... messages) {
    refuses(() -> Packing.pack(wish, CLUSTER), messages);
  }

  private static void refuses(ThrowingCallable packing, String... messages) {
    assertThatThrownBy(packing)
        .hasMessageContainingAll(messages)
        .extracting(failure -> ((Failure) failure).exitCode())
        .isEqualTo(ExitCode.REFUSED);
  }

  private static Wish ranks(String resources, long ranks, long cores) {
    return with(wish(resources), OptionalLong.of(ranks), OptionalLong.of(cores));
  }

  private static Wish with(Wish wish, OptionalLong ranks, OptionalLong cores) {
    return new Wish(
        wish.resources(),
        wish.source(),
        wish.partitions(),
        wish.preferred(),
        ranks,
        cores,
        wish.seconds(),
        wish.constraint(),
        wish.account(),
        wish.qos(),
        wish.reserved(),
        wish.threads());
  }

  private static Wish in(Wish wish, List<String> partitions, Optional<String> preferred) {
    return new Wish(
        wish.resources(),
        wish.source(),
        partitions,
        preferred,
        wish.ntasks(),
        wish.cpusPerTask(),
        wish.seconds(),
        wish.constraint(),
        wish.account(),
        wish.qos(),
        wish.reserved(),
        wish.threads());
  }

  /** What is said of a job beside its resources. */
  private static final class Said {
    private String resources = "cores=1";
    private OptionalLong seconds = OptionalLong.empty();
    private String constraint = "";
    private Optional<String> account = Optional.empty();

    Said seconds(long limit) {
      seconds = OptionalLong.of(limit);
      return this;
    }

    Said constraint(String features) {
      constraint = features;
      return this;
    }

    Said account(String name) {
      account = Optional.of(name);
      return this;
    }

    Said gpus() {
      resources = "gpus=1";
      return this;
    }

    Wish wish() {
      return new Wish(
          Resources.parse(resources),
          "job.yaml:1",
          List.of(),
          Optional.empty(),
          OptionalLong.empty(),
          OptionalLong.empty(),
          seconds,
          constraint,
          account,
          Optional.empty(),
          false,
          false);
    }
  }
}
