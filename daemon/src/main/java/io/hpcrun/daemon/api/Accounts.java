package io.hpcrun.daemon.api;

import io.hpcrun.failure.Failure;
import io.hpcrun.process.Programs;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * The users of this machine, asked of id(1), which knows every directory service that the machine
 * does; answers are kept for a minute. The kernel's SO_PEERCRED reaches Java as a name only.
 */
public final class Accounts {
  private static final Duration LIMIT = Duration.ofSeconds(10);
  private static final long KEPT_NANOS = Duration.ofMinutes(1).toNanos();
  private static final int MOST = 10_000;

  private final Set<String> operators;
  private final LongSupplier nanoTime;
  private final Map<String, Known> known =
      Collections.synchronizedMap(
          new LinkedHashMap<>() {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<String, Known> eldest) {
              return size() > MOST;
            }
          });

  private record Known(Caller caller, long since) {}

  /**
   * Knows no user yet.
   *
   * @param operators groups whose members see everything
   * @param nanoTime a clock, such as {@code System::nanoTime}
   */
  public Accounts(List<String> operators, LongSupplier nanoTime) {
    this.operators = Set.copyOf(operators);
    this.nanoTime = nanoTime;
  }

  /**
   * The user of this name, or of this number where the machine knows no name.
   *
   * @throws Failure with exit code 4 when the machine's directory service does not answer
   */
  public Caller of(String name) {
    Known recent = known.get(name);
    if (recent != null && nanoTime.getAsLong() - recent.since() < KEPT_NANOS) {
      return recent.caller();
    }
    Caller caller = ask(name);
    known.put(name, new Known(caller, nanoTime.getAsLong()));
    return caller;
  }

  private Caller ask(String name) {
    String number = id("-u", name);
    if (number.isEmpty() && name.matches("\\d{1,10}")) {
      return new Caller(Long.parseLong(name), name, false);
    }
    if (!number.matches("\\d{1,10}")) {
      throw Failure.slurm(
          "who '" + name + "' is cannot be found out", "check 'id " + name + "' on this machine");
    }
    long uid = Long.parseLong(number);
    boolean operator =
        uid == 0
            || (!operators.isEmpty()
                && List.of(id("-Gn", name).split(" ")).stream().anyMatch(operators::contains));
    return new Caller(uid, name, operator);
  }

  private static String id(String option, String name) {
    Programs.Result result =
        Programs.run(List.of("id", option, "--", name), Set.of(), new byte[0], LIMIT);
    return result.exitCode() == 0 ? result.output().strip() : "";
  }
}
