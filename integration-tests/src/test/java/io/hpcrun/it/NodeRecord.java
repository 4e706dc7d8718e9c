package io.hpcrun.it;

import io.hpcrun.lab.Login;
import java.util.Comparator;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What the agent of a node recorded of one launch: the first line of the node's file. */
record NodeRecord(JsonNode head) {
  private static final JsonMapper JSON = new JsonMapper();

  /** The records of a job, or of all elements of an array. */
  static List<NodeRecord> of(Login user, String job) {
    return user
        .bash(
            """
            cd .local/state/hpcrun/records && shopt -s nullglob
            set -- "$1"/*.node.*.jsonl "$1"_*/*.node.*.jsonl
            (($# == 0)) || head -qn 1 -- "$@"
            """,
            job)
        .succeeded()
        .lines()
        .stream()
        .map(line -> new NodeRecord(JSON.readTree(line)))
        .sorted(Comparator.comparing(NodeRecord::node))
        .toList();
  }

  private String text(String member) {
    return head.path(member).asString("");
  }

  String node() {
    return text("node");
  }

  String launch() {
    return text("launch");
  }

  String mode() {
    return text("mode");
  }

  String modeReason() {
    return text("mode_reason");
  }

  String imageFrom() {
    return text("image_from");
  }

  /** How long the image took, or -1. */
  long stagedInMs() {
    return head.has("stage_end_ns")
        ? (head.get("stage_end_ns").asLong() - head.get("stage_begin_ns").asLong()) / 1_000_000
        : -1;
  }
}
