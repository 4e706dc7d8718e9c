package io.hpcrun.daemon;

import java.util.Locale;

/** Record files as nodes write them, for tests: times are made from the numbers of ranks. */
public final class Records {
  /** When all launches of tests begin: 2027-01-15T08:00:00Z. */
  public static final long START_S = 1_800_000_000;

  private static final long MS = 1_000_000;

  private Records() {}

  /** Nanoseconds since the epoch, some milliseconds after the start. */
  public static long at(double milliseconds) {
    return START_S * 1_000 * MS + Math.round(milliseconds * MS);
  }

  /**
   * A launch's record.
   *
   * @param more further members, each with a comma before it
   */
  public static String launch(
      String id, long uid, long begunNs, String state, int nodes, int ranks, String more) {
    return """
    {"schema":"hpcrun.record/1","type":"launch","launch":"%s","job":"%s","cluster":"lab","uid":%d,\
    "begun_ns":%d,"state":"%s","nodes":%d,"ranks":%d,"node":"n0","clock":"CLOCK_REALTIME",\
    "submit_s":%d,"start_s":%d,"script_ns":%d,"prepare_asked_ns":%d,"prepare_done_ns":%d,\
    "launch_asked_ns":%d%s%s}
    """
        .formatted(
            id,
            id.replaceFirst("\\..*", ""),
            uid,
            begunNs,
            state,
            nodes,
            ranks,
            START_S - 5,
            START_S,
            at(10),
            at(20),
            at(80),
            at(100),
            state.equals("ended") ? ",\"exit\":0,\"launch_done_ns\":" + at(90_000) : "",
            more);
  }

  /** A node's record: its ranks are {@code first} to {@code first + ranks - 1}. */
  public static String node(String id, long uid, long begunNs, String node, int first, int ranks) {
    StringBuilder text =
        new StringBuilder(
            String.format(
                Locale.ROOT,
                "{\"schema\":\"hpcrun.record/1\",\"type\":\"node\",\"launch\":\"%s\",\"node\":\"%s\","
                    + "\"cluster\":\"lab\",\"uid\":%d,\"begun_ns\":%d,\"ranks\":%d,\"mode\":\"join\","
                    + "\"runtime\":\"apptainer version 1.4.5\",\"image_from\":\"shared\","
                    + "\"check_begin_ns\":%d,\"check_end_ns\":%d,\"hold_begin_ns\":%d,\"hold_end_ns\":%d,"
                    + "\"probe_begin_ns\":%d,\"probe_end_ns\":%d,\"ready_ns\":%d,\"release_begin_ns\":%d,"
                    + "\"release_end_ns\":%d,\"end_resolution_ns\":50000000,\"rdma_ports\":1,"
                    + "\"fabric\":\"ib\",\"topology\":{\"ports\":[{\"name\":\"mlx5_0\",\"rate\":200}]}}\n",
                id,
                node,
                uid,
                begunNs,
                ranks,
                at(30),
                at(40) + first,
                at(40),
                at(60) + first,
                at(60),
                at(62) + first,
                at(70),
                at(90_100),
                at(90_150) + first));
    for (int i = 0; i < ranks; i++) {
      int rank = first + i;
      text.append("{\"type\":\"rank\",\"rank\":").append(rank);
      text.append(",\"local\":").append(i);
      text.append(",\"begin_ns\":").append(begin(rank));
      text.append(",\"exec_ns\":").append(exec(rank));
      text.append(",\"end_ns\":").append(end(rank));
      text.append(",\"network\":\"rdma\",\"evidence\":\"/dev/infiniband/uverbs0 is open\"}\n");
    }
    return text.toString();
  }

  /** A rank's first instruction. */
  public static long begin(int rank) {
    return at(110) + spread(rank) * 7;
  }

  /** When it began to enter. */
  public static long exec(int rank) {
    return begin(rank) + 1_200_000 + spread(rank);
  }

  /** When it had ended. */
  public static long end(int rank) {
    return at(60_000) + spread(rank) * 11_000;
  }

  private static long spread(int rank) {
    return rank * 7919L % 1_000_003;
  }
}
