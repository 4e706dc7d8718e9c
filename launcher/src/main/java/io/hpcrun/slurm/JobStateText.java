package io.hpcrun.slurm;

import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.regex.Pattern;

/** What squeue and sacct print about jobs, as text with a bar between fields. */
final class JobStateText {
  /** What sacct is asked for; there in all versions from 22.05 on. */
  static final String SACCT_FIELDS =
      "JobID,State,ExitCode,Partition,User,Submit,Eligible,Start,End,NodeList";

  /**
   * What squeue is asked for: a width of 0 is none, and what follows it is printed after the field.
   */
  static final String SQUEUE_FIELDS =
      "JobArrayID:0|,State:0|,exit_code:0|,Partition:0|,UserName:0|,SubmitTime:0|,EligibleTime:0|,"
          + "StartTime:0|,EndTime:0|,NodeList:0|,RestartCnt:0";

  private static final int ID = 0;
  private static final int STATE = 1;
  private static final int EXIT = 2;
  private static final int PARTITION = 3;
  private static final int USER = 4;
  private static final int SUBMIT = 5;
  private static final int ELIGIBLE = 6;
  private static final int START = 7;
  private static final int END = 8;
  private static final int NODES = 9;
  private static final int RESTARTS = 10;

  private static final Pattern BAR = Pattern.compile("\\|");
  private static final Pattern COLON = Pattern.compile(":");
  private static final Pattern NUMBER = Pattern.compile("[0-9]{1,18}");

  private JobStateText() {}

  /** Reads what sacct printed; lines that are no job's are left out. */
  static List<JobState> ofSacct(String output) {
    return read(output, RESTARTS, JobStateText::account);
  }

  /**
   * Reads what squeue printed; lines that are no job's, such as the one for all elements of an
   * array that wait, are left out.
   */
  static List<JobState> ofSqueue(String output) {
    return read(output, RESTARTS + 1, JobStateText::queue);
  }

  private static List<JobState> read(
      String output, int fields, Function<String[], JobState> state) {
    return output
        .lines()
        .map(line -> BAR.split(line, -1))
        .filter(values -> values.length == fields && JobId.parse(values[ID]).isPresent())
        .map(state)
        .toList();
  }

  private static JobState account(String[] values) {
    // Some versions also give a job that was cancelled before its start the end in its place.
    boolean started = !nodes(values[NODES]).isEmpty();
    return state(
        values,
        firstWord(values[STATE]),
        OptionalInt.empty(),
        started ? time(values[START]) : OptionalLong.empty(),
        time(values[END]));
  }

  private static JobState queue(String[] values) {
    // What squeue calls REQUEUED still completes.
    String state = firstWord(values[STATE]).replace(JobState.REQUEUED, "COMPLETING");
    boolean ended = JobStatus.ENDED.contains(state);
    // A job that waits has an estimated start, one that runs an estimated end, and one that was
    // cancelled before its start has the end in place of the start.
    boolean started =
        !JobStatus.WAITING.contains(state) && !(ended && nodes(values[NODES]).isEmpty());
    return state(
        values,
        state,
        NUMBER.matcher(values[RESTARTS]).matches()
            ? OptionalInt.of(number(values[RESTARTS]))
            : OptionalInt.empty(),
        started ? time(values[START]) : OptionalLong.empty(),
        ended ? time(values[END]) : OptionalLong.empty());
  }

  private static JobState state(
      String[] values, String state, OptionalInt restarts, OptionalLong start, OptionalLong end) {
    String[] exit = COLON.split(values[EXIT], -1);
    // squeue told the status of wait(2) up to some version after 22.05.
    int status = number(exit[0]);
    return new JobState(
        JobId.parse(values[ID]).orElseThrow(),
        state,
        exit.length == 2 ? status : status >> 8 & 0xff,
        exit.length == 2 ? number(exit[1]) : status & 0x7f,
        restarts,
        values[PARTITION],
        values[USER],
        nodes(values[NODES]),
        new JobState.Times(time(values[SUBMIT]), time(values[ELIGIBLE]), start, end));
  }

  /** Without who cancelled it: {@code CANCELLED by 1001}. */
  private static String firstWord(String state) {
    return state.strip().split(" ", 2)[0];
  }

  /**
   * Empty for {@code Unknown}, {@code None}, {@code NONE}, {@code N/A}, and 0, which also means
   * none.
   */
  private static OptionalLong time(String text) {
    long seconds = NUMBER.matcher(text).matches() ? Long.parseLong(text) : 0;
    return seconds == 0 ? OptionalLong.empty() : OptionalLong.of(seconds);
  }

  private static int number(String text) {
    return NUMBER.matcher(text).matches() ? (int) Long.parseLong(text) : 0;
  }

  private static String nodes(String text) {
    return text.equals("None assigned") || text.equals("(null)") ? "" : text;
  }
}
