package io.hpcrun.timing;

/**
 * A rank's line of a node's record (docs/records.md). Readers fill the same object again for each
 * rank, so that a million ranks leave no garbage: take from it what is needed before the next one.
 * Not thread-safe.
 */
public final class RankLine {
  /** Stands for a number or time that the line lacks. */
  public static final long ABSENT = Long.MIN_VALUE;

  private long rank;
  private long local;
  private long begin;
  private long exec;
  private long end;
  private String network;
  private String evidence;

  /** A line without any member. */
  public RankLine() {
    clear();
  }

  /** Forgets all members. */
  public void clear() {
    set(ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, "", "");
  }

  /**
   * Replaces all members.
   *
   * @param rank the rank's number in the launch
   * @param local its number on the node
   * @param begin its first instruction, in nanoseconds since the epoch
   * @param exec when it began to enter its container, likewise
   * @param end when it had ended, likewise
   * @param network what it used, or the empty text
   * @param evidence what that is known from, or the empty text
   */
  public void set(
      long rank, long local, long begin, long exec, long end, String network, String evidence) {
    this.rank = rank;
    this.local = local;
    this.begin = begin;
    this.exec = exec;
    this.end = end;
    this.network = network;
    this.evidence = evidence;
  }

  /** Takes a number if it is one of a rank's; whether it is. */
  boolean put(String name, long value) {
    switch (name) {
      case "rank" -> rank = value;
      case "local" -> local = value;
      case "begin_ns" -> begin = value;
      case "exec_ns" -> exec = value;
      case "end_ns" -> end = value;
      default -> {
        return false;
      }
    }
    return true;
  }

  /** Takes a text if it is one of a rank's; whether it is. */
  boolean put(String name, String value) {
    switch (name) {
      case "network" -> network = value;
      case "evidence" -> evidence = value;
      default -> {
        return false;
      }
    }
    return true;
  }

  /** The rank's number in the launch, or {@link #ABSENT}. */
  public long rank() {
    return rank;
  }

  /** Its number on the node, or {@link #ABSENT}. */
  public long local() {
    return local;
  }

  /** Its first instruction, in nanoseconds since the epoch, or {@link #ABSENT}. */
  public long begin() {
    return begin;
  }

  /** When it began to enter its container, likewise. */
  public long exec() {
    return exec;
  }

  /** When it had ended, likewise. */
  public long end() {
    return end;
  }

  /** The network that it used; empty if it was not looked at. */
  public String network() {
    return network;
  }

  /** What that is known from; may be empty. */
  public String evidence() {
    return evidence;
  }
}
