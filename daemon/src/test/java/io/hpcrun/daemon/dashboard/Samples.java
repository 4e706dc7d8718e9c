package io.hpcrun.daemon.dashboard;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** Answers of the API's shapes, with figures as real launches have them. */
final class Samples {
  static final long BEGUN_NS = 1_795_000_000_000_000_000L;
  static final long MS = 1_000_000L;

  /** Words that would do harm in a page that took them for HTML, or for a place of its own. */
  static final List<String> HOSTILE =
      List.of(
          "<img src=x onerror=\"window.harmed=1\">",
          "</td></table><script>window.harmed=1</script>",
          "javascript:window.harmed=1",
          "\"><svg onload=window.harmed=1>",
          "../../v1/me?x=#y",
          "__proto__",
          "constructor",
          "\u202eevil\u0000\u001b[31m\ud800",
          "a".repeat(5000),
          "${window.harmed=1}{{window.harmed=1}}%s%n&lt;&amp;");

  private static final long ASKED_NS = BEGUN_NS + 1_230 * MS;

  private Samples() {}

  static Map<String, Object> members(Object... namesAndValues) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      map.put((String) namesAndValues[i], namesAndValues[i + 1]);
    }
    return map;
  }

  /** A launch that ended well, but for each seventh, and each eleventh that still runs. */
  static Map<String, Object> launch(int id) {
    long begun = BEGUN_NS - id * 600_000L * MS;
    boolean runs = id % 11 == 1;
    Map<String, Object> launch =
        members(
            "id",
            Integer.toString(id),
            "cluster",
            "lab",
            "user",
            id % 3 == 0 ? "bob" : "alice",
            "uid",
            1001,
            "launch",
            (1200 - id) + ".0.0",
            "job",
            Integer.toString(1200 - id),
            "state",
            runs ? "running" : id % 13 == 4 ? "refused" : "ended",
            "nodes",
            1 << (id % 6),
            "ranks",
            4 << (id % 6),
            "partition",
            id % 2 == 0 ? "main" : "gpu",
            "image",
            "/home/alice/images/" + List.of("lammps", "gromacs", "pytorch").get(id % 3) + ".sif",
            "command",
            List.of("lmp", "gmx_mpi", "python3").get(id % 3),
            "planned_mode",
            "auto",
            "mpi",
            "pmix",
            "submit_s",
            begun / 1_000_000_000L - 12,
            "start_s",
            begun / 1_000_000_000L - 1,
            "begun_ns",
            begun,
            "batch_node",
            "c1");
    if (id % 4 == 2) {
      launch.put("image", "/images/sha256/" + "0123456789abcdef".repeat(4) + ".sif");
      launch.put("image_source", "docker://registry.site/apps/gromacs:2026");
    }
    if (!runs) {
      launch.put("mode", id % 5 == 0 ? "exec and join" : "join");
      launch.put("slurm_state", id % 7 == 3 ? "FAILED" : "COMPLETED");
      launch.put("exit", id % 7 == 3 ? 137 : 0);
      launch.put("ended_ns", begun + (30_000L + id * 7_919L % 90_000L) * MS);
    }
    return launch;
  }

  static Map<String, Object> launches(int from, int count, String next) {
    Map<String, Object> page =
        members("launches", IntStream.range(from, from + count).mapToObj(Samples::launch).toList());
    if (next != null) {
      page.put("next", next);
    }
    return page;
  }

  /** A summary of ranks' figures, which two clocks take part in. */
  static Map<String, Object> summary(long count, long median, long p95, long most, String node) {
    Map<String, Object> summary = ofNodes(count, median, p95, most, node);
    summary.put("uncertainty_ns", 2 * MS);
    summary.put("slowest_rank", 3);
    return summary;
  }

  /** A summary of nodes' figures. */
  static Map<String, Object> ofNodes(long count, long median, long p95, long most, String node) {
    return members(
        "count", count,
        "min_ns", count == 1 ? median : median * 8 / 10,
        "median_ns", median,
        "p95_ns", p95,
        "max_ns", most,
        "slowest_node", node);
  }

  /** A number that looks random and is the same in each run. */
  static long noise(long seed, long range) {
    long x = seed * 0x9E3779B97F4A7C15L;
    return Math.floorMod(x ^ (x >>> 29), range);
  }

  /** A launch on {@code nodes} nodes called c1 and on; c3 starts its container slowly. */
  static Map<String, Object> document(int id, int nodes) {
    Map<String, Object> measured = new TreeMap<>();
    for (int i = 1; i <= nodes; i++) {
      long hold = (i == 3 ? 900 : 140 + noise(i, 40)) * MS;
      long spawn = (i == 5 ? 700 : 60 + noise(i + 7, 25)) * MS;
      measured.put(
          "c" + i,
          members(
              "check", ofNodes(1, 12 * MS, 12 * MS, 12 * MS, "c" + i),
              "hold", ofNodes(1, hold, hold, hold, "c" + i),
              "enter", ofNodes(1, 21 * MS, 21 * MS, 21 * MS, "c" + i),
              "spawn", summary(4, 60 * MS + noise(i, 9) * MS, 75 * MS, spawn, "c" + i),
              "bind", summary(4, 1_400_000, 1_600_000, 2 * MS, "c" + i),
              "run", summary(4, 38_000 * MS, 38_200 * MS, 38_300 * MS, "c" + i)));
    }
    Map<String, Object> launch = launch(id);
    launch.put("state", "ended");
    launch.put("slurm_state", "COMPLETED");
    launch.put("exit", 0);
    launch.put("begun_ns", BEGUN_NS);
    launch.put("ended_ns", BEGUN_NS + 40_100 * MS);
    launch.put("submit_s", BEGUN_NS / 1_000_000_000L - 12);
    launch.put("start_s", BEGUN_NS / 1_000_000_000L - 1);
    launch.put("nodes", nodes);
    launch.put("ranks", nodes * 4);
    return members(
        "launch", launch,
        "record",
            members(
                "type",
                "launch",
                "state",
                "ended",
                "cluster",
                "lab",
                "resolution_ns",
                1000,
                "submit_s",
                BEGUN_NS / 1_000_000_000L - 12,
                "prepare_asked_ns",
                BEGUN_NS + 90 * MS,
                "prepare_done_ns",
                BEGUN_NS + 1_200 * MS,
                "launch_asked_ns",
                ASKED_NS,
                "launch_done_ns",
                BEGUN_NS + 40_000 * MS,
                "hpcrun",
                "0.1.0",
                "rdma_sent_bytes",
                123_456_789_012L),
        "stages",
            members(
                "queue", ofNodes(1, 11_000 * MS, 11_000 * MS, 11_000 * MS, ""),
                "script", ofNodes(1, 90 * MS, 90 * MS, 90 * MS, "c1"),
                "prepare", ofNodes(1, 1_110 * MS, 1_110 * MS, 1_110 * MS, "c1"),
                "check", ofNodes(nodes, 12 * MS, 14 * MS, 19 * MS, "c2"),
                "hold", ofNodes(nodes, 150 * MS, 178 * MS, 900 * MS, "c3"),
                "enter", ofNodes(nodes, 21 * MS, 23 * MS, 25 * MS, "c2"),
                "spawn", summary(nodes * 4L, 64 * MS, 82 * MS, 700 * MS, "c5"),
                "bind", summary(nodes * 4L, 1_400_000, 1_600_000, 2 * MS, "c4"),
                "run", summary(nodes * 4L, 38_000 * MS, 38_200 * MS, 38_900 * MS, "c5"),
                "leave", ofNodes(1, 48 * MS, 48 * MS, 48 * MS, "c5"),
                "teardown", ofNodes(nodes, 160 * MS, 190 * MS, 240 * MS, "c1")),
        "nodes_measured", measured,
        "networks", members("rdma", nodes * 4 - 4, "tcp", 4),
        "remarks",
            List.of(
                "4 ranks used TCP, although their nodes have RDMA ports that are up ('hpcrun topo --node=NODE')"));
  }

  static Map<String, Object> node(int i) {
    long asked = BEGUN_NS + 95 * MS + noise(i, 15) * MS;
    long checked = asked + 12 * MS;
    long held = checked + (i == 3 ? 900 : 140 + noise(i, 40)) * MS;
    long probed = held + 21 * MS;
    long over = BEGUN_NS + 39_700 * MS;
    return members(
        "node",
        "c" + i,
        "ranks",
        4,
        "mode",
        "join",
        "record",
        members(
            "node", "c" + i,
            "mode", "join",
            "runtime", "apptainer 1.4.5",
            "image_from", "shared",
            "rdma_ports", 1,
            "end_resolution_ns", 50 * MS,
            "check_begin_ns", asked,
            "check_end_ns", checked,
            "hold_begin_ns", checked,
            "hold_end_ns", held,
            "probe_begin_ns", held,
            "probe_end_ns", probed,
            "ready_ns", probed,
            "release_begin_ns", over,
            "release_end_ns", over + 160 * MS));
  }

  /** A page of nodes; the cursor is the number of nodes before it. */
  static Map<String, Object> nodes(int all, Map<String, String> query) {
    if (query.containsKey("node")) {
      return members("nodes", List.of(node(Integer.parseInt(query.get("node").substring(1)))));
    }
    int from = Integer.parseInt(query.getOrDefault("after", "0"));
    int to = Math.min(all, from + Integer.parseInt(query.get("limit")));
    List<Object> page = new ArrayList<>();
    for (int i = from + 1; i <= to; i++) {
      page.add(node(i));
    }
    Map<String, Object> answer = members("nodes", page);
    if (to < all) {
      answer.put("next", Integer.toString(to));
    }
    return answer;
  }

  /** The ranks of a node; number 77 begins late. */
  static Map<String, Object> ranks(String node, int count, Map<String, String> query) {
    int from = Integer.parseInt(query.getOrDefault("after", "0"));
    int to = Math.min(count, from + 500);
    List<Object> page = new ArrayList<>();
    for (int i = from; i < to; i++) {
      long begin = BEGUN_NS + 1_230 * MS + (i == 77 ? 1_900 : 60 + noise(i, 20)) * MS;
      long end = BEGUN_NS + 39_600 * MS + noise(i, 50) * MS;
      Map<String, Object> durations =
          members(
              "spawn", begin - ASKED_NS,
              "bind", 1_400_000,
              "run", end - begin - 1_400_000);
      page.add(
          members(
              "rank", i,
              "node", node,
              "stages_ns", durations,
              "local", i,
              "begin_ns", begin,
              "exec_ns", begin + 1_400_000,
              "end_ns", end,
              "network", "rdma"));
    }
    Map<String, Object> answer = members("ranks", page);
    if (to < count) {
      answer.put("next", Integer.toString(to));
    }
    return answer;
  }

  static Map<String, Object> stages(Map<String, String> query) {
    String group = query.getOrDefault("group", "none");
    List<String> names =
        switch (group) {
          case "day" ->
              IntStream.range(0, 90)
                  .mapToObj(i -> java.time.LocalDate.of(2026, 8, 20).plusDays(i).toString())
                  .toList();
          case "image" ->
              List.of("/home/alice/images/lammps.sif", "/home/alice/images/pytorch.sif");
          case "node" -> IntStream.rangeClosed(1, 200).mapToObj(i -> "c" + i).toList();
          case "partition" -> List.of("main", "gpu");
          default -> List.of("");
        };
    List<Object> groups = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      long hold = (140 + noise(i, 30) + (names.get(i).equals("c42") ? 700 : 0)) * MS;
      long spawn = (60 + noise(i + 3, 25) + (names.get(i).equals("c99") ? 400 : 0)) * MS;
      groups.add(
          members(
              "group", names.get(i),
              "launches", names.get(i).equals("c99") ? 2 : 12 + noise(i, 30),
              "stages",
                  members(
                      "hold", ofNodes(40, hold, hold * 12 / 10, hold * 2, "c1"),
                      "enter", ofNodes(40, 21 * MS, 24 * MS, 30 * MS, "c1"),
                      "spawn",
                          summary(
                              400, spawn, spawn * 14 / 10 + noise(i, 30) * MS, spawn * 3, "c1"))));
    }
    return members("groups", groups);
  }

  static Map<String, Object> images() {
    return members(
        "images",
        List.of(
            members(
                "sha256",
                "3f9a".repeat(16),
                "path",
                "/var/lib/hpcrund/images/3f9a.sif",
                "architecture",
                "amd64",
                "size",
                48_120_832L,
                "sources",
                List.of("docker://debian:12"),
                "digests",
                List.of("sha256:" + "ab01".repeat(16)),
                "pulled_s",
                BEGUN_NS / 1_000_000_000L,
                "pulled_by",
                "alice",
                "used_s",
                BEGUN_NS / 1_000_000_000L + 3600)),
        "bytes",
        48_120_832L,
        "quota_bytes",
        500_000_000_000L);
  }

  /** A pull's state. */
  static Map<String, Object> pull(String state, String message) {
    return members(
        "id",
        "9",
        "source",
        "docker://debian:13",
        "architecture",
        "amd64",
        "state",
        state,
        "message",
        message,
        "progress",
        members("done", 12_000_000L, "total", 48_000_000L, "seconds", 3));
  }

  /** An API with a little of everything. */
  static FakeApi fill(FakeApi api) {
    return api.with("/v1/me", query -> members("uid", 1000, "user", "alice", "operator", true))
        .with(
            "/v1/launches",
            query ->
                query.containsKey("after") ? launches(100, 40, null) : launches(0, 100, "page2"))
        .with("/v1/launches/17", query -> document(17, 16))
        .with("/v1/launches/17/nodes", query -> nodes(16, query))
        .with("/v1/launches/17/ranks", query -> ranks(query.get("node"), 128, query))
        .with("/v1/stages", Samples::stages)
        .with("/v1/images", query -> images());
  }
}
