package io.hpcrun.daemon.store;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Turns at something of which there is little: one user has a part of them at most, however much is
 * asked for, and waits in order for the rest. Thread-safe.
 */
final class Turns {
  private final Semaphore all;
  private final int each;
  private final Duration patience;
  private final Map<Long, Own> users = new HashMap<>();

  private static final class Own {
    private final Semaphore turns;
    private int interested;

    Own(int turns) {
      this.turns = new Semaphore(turns, true);
    }
  }

  /**
   * All turns are free.
   *
   * @param all how many there are
   * @param each how many one user has at most
   * @param patience how long somebody waits for a turn
   */
  Turns(int all, int each, Duration patience) {
    this.all = new Semaphore(all, true);
    this.each = each;
    this.patience = patience;
  }

  /**
   * Waits for a turn, which the caller must give back.
   *
   * @return whether there was one in time
   */
  boolean take(long user) throws InterruptedException {
    long until = System.nanoTime() + patience.toNanos();
    Own own = join(user);
    boolean taken = false;
    boolean ownTaken = false;
    try {
      ownTaken = acquire(own.turns, until);
      taken = ownTaken && acquire(all, until);
      return taken;
    } finally {
      if (ownTaken && !taken) {
        own.turns.release();
      }
      if (!taken) {
        leave(user, own);
      }
    }
  }

  private static boolean acquire(Semaphore semaphore, long until) throws InterruptedException {
    return semaphore.tryAcquire(Math.max(0, until - System.nanoTime()), TimeUnit.NANOSECONDS);
  }

  /** Gives a turn back. */
  void giveBack(long user) {
    all.release();
    Own own;
    synchronized (users) {
      own = users.get(user);
    }
    own.turns.release();
    leave(user, own);
  }

  private Own join(long user) {
    synchronized (users) {
      Own own = users.computeIfAbsent(user, first -> new Own(each));
      own.interested++;
      return own;
    }
  }

  private void leave(long user, Own own) {
    synchronized (users) {
      if (--own.interested == 0) {
        users.remove(user);
      }
    }
  }

  /** How many users have a turn or wait for one. */
  int users() {
    synchronized (users) {
      return users.size();
    }
  }
}
