package io.hpcrun.daemon.api;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The body of a request, kept in the pieces in which it was read: none is ever copied. Memory is
 * taken as bytes arrive, not as they are announced. For one thread.
 */
final class RequestBody implements AutoCloseable {
  /** So many bytes of each request are not counted. */
  static final int FREE = 64 << 10;

  private static final int PIECE = 1 << 14;

  /** Who is refused may send so many times the largest request before the connection is cut. */
  private static final int TOLERATED = 3;

  private final RequestMemory memory;
  private final Object who;
  private final long largest;
  private final Duration longest;
  private final List<InputStream> pieces = new ArrayList<>();
  private long size;
  private long taken;

  /**
   * Nothing is read yet.
   *
   * @param memory where room is taken
   * @param who whose request it is
   * @param largest bytes that it may have
   * @param longest how long it may take to arrive, and again if it is refused
   */
  RequestBody(RequestMemory memory, Object who, long largest, Duration longest) {
    this.memory = memory;
    this.who = who;
    this.largest = largest;
    this.longest = longest;
  }

  /**
   * Reads all of it.
   *
   * @throws Problem.Unanswerable with status 408 when it does not arrive in time, 413 when it is
   *     too large, 503 when there is no room for it now
   */
  void read(InputStream in) {
    try {
      readPieces(in);
    } catch (IOException broken) {
      throw late();
    }
  }

  private void readPieces(InputStream in) throws IOException {
    long end = System.nanoTime() + longest.toNanos();
    byte[] piece = new byte[PIECE];
    int filled = 0;
    for (int count; (count = in.read(piece, filled, PIECE - filled)) >= 0; ) {
      filled += count;
      size += count;
      if (System.nanoTime() - end > 0) {
        throw late();
      }
      if (size > largest) {
        throw refused(in, tooLarge(largest));
      }
      if (filled == PIECE) {
        pieces.add(new ByteArrayInputStream(piece));
        takeRoom(in);
        piece = new byte[PIECE];
        filled = 0;
      }
    }
    pieces.add(new ByteArrayInputStream(piece, 0, filled));
  }

  /** Room for one more piece. */
  private void takeRoom(InputStream in) throws IOException {
    if (size <= FREE) {
      return;
    }
    if (taken + PIECE > memory.perUser()) {
      throw refused(in, tooLarge(FREE + memory.perUser()));
    }
    if (!memory.take(who, PIECE)) {
      throw refused(
          in,
          new Problem(
              503,
              "no room",
              "large requests have all the memory that hpcrund keeps for them, or that is yours",
              "wait until your other large requests are answered, and ask again"));
    }
    taken += PIECE;
  }

  /** Who is cut off while sending does not read the answer; who sends without end is cut off. */
  private Problem.Unanswerable refused(InputStream in, Problem problem) throws IOException {
    close();
    byte[] some = new byte[PIECE];
    long end = System.nanoTime() + longest.toNanos();
    long most = TOLERATED * largest;
    for (long read = 0, count; read < most && (count = in.read(some)) >= 0; read += count) {
      if (System.nanoTime() - end > 0) {
        throw late();
      }
    }
    return problem.asException();
  }

  private static Problem tooLarge(long most) {
    return new Problem(413, "too large", "the body is larger than " + most + " bytes", "send less");
  }

  private static Problem.Unanswerable late() {
    return new Problem(408, "too slow", "the request did not arrive in time", "send it faster")
        .asException();
  }

  /** Whether it has more bytes than are not counted. */
  boolean isLarge() {
    return size > FREE;
  }

  /** What was read; may be asked for once. */
  InputStream bytes() {
    return new SequenceInputStream(Collections.enumeration(pieces));
  }

  /** Forgets what was read and gives its memory back. */
  @Override
  public void close() {
    pieces.clear();
    memory.giveBack(who, taken);
    taken = 0;
  }
}
