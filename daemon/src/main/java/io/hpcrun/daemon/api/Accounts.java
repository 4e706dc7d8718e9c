package io.hpcrun.daemon.api;

import io.hpcrun.failure.Failure;
import io.hpcrun.process.Programs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystems;
import java.nio.file.attribute.UserPrincipal;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * The users of this machine, asked of id(1), which knows every directory service that the machine
 * does; answers are kept for a minute. The kernel's SO_PEERCRED reaches Java as a name only, which
 * is the number where a user has no name; and a name may look like another user's number.
 */
public final class Accounts {
  private static final Duration LIMIT = Duration.ofSeconds(10);
  private static final long KEPT_NANOS = Duration.ofMinutes(1).toNanos();
  private static final int MOST = 10_000;

  private final Set<String> operators;
  private final LongSupplier nanoTime;
  private final Directory directory;
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

  /** What the machine knows of users. */
  interface Directory {
    /** What {@code id OPTION -- USER} prints; empty when it fails. */
    String id(String option, String user);

    /** The user of this name; of this number if no user has such a name; empty if none. */
    Optional<UserPrincipal> named(String name);
  }

  /** The machine's own directory services. */
  private static final Directory MACHINE =
      new Directory() {
        @Override
        public String id(String option, String user) {
          Programs.Result result =
              Programs.run(List.of("id", option, "--", user), Set.of(), new byte[0], LIMIT);
          return result.exitCode() == 0 ? result.output().strip() : "";
        }

        @Override
        public Optional<UserPrincipal> named(String name) {
          try {
            return Optional.of(
                FileSystems.getDefault()
                    .getUserPrincipalLookupService()
                    .lookupPrincipalByName(name));
          } catch (UserPrincipalNotFoundException none) {
            return Optional.empty();
          } catch (IOException unanswered) {
            throw new UncheckedIOException(unanswered);
          }
        }
      };

  /**
   * Knows no user yet.
   *
   * @param operators groups whose members see everything
   * @param nanoTime a clock, such as {@code System::nanoTime}
   */
  public Accounts(List<String> operators, LongSupplier nanoTime) {
    this(operators, nanoTime, MACHINE);
  }

  /** Asks another directory. */
  Accounts(List<String> operators, LongSupplier nanoTime, Directory directory) {
    this.operators = Set.copyOf(operators);
    this.nanoTime = nanoTime;
    this.directory = directory;
  }

  /**
   * The user at the other end of a socket. May wait for a directory service.
   *
   * @throws Failure with exit code 4 when the machine's directory service does not answer
   */
  public Caller of(UserPrincipal peer) {
    String name = peer.getName();
    if (!name.matches("-?\\d{1,10}")) {
      return named(name);
    }
    // Either a user of such a name, or one without a name and of this number.
    boolean isName =
        !name.startsWith("-") && directory.named(name).filter(peer::equals).isPresent();
    return isName ? named(name) : numbered((int) Long.parseLong(name) & 0xffff_ffffL);
  }

  /**
   * A user who was known before, as things are now; another number if the name is another user's.
   *
   * @throws Failure with exit code 4 when the machine's directory service does not answer
   */
  public Caller again(Caller before) {
    return before.user().equals(Long.toString(before.uid()))
        ? numbered(before.uid())
        : named(before.user());
  }

  /** The names of a user's groups; none if there is no such user. */
  public static Set<String> groups(String user) {
    return Set.of(MACHINE.id("-Gn", user).split(" "));
  }

  private Caller named(String name) {
    Caller recent = recent(name);
    return recent != null ? recent : keep(name, askNamed(name));
  }

  private Caller numbered(long uid) {
    String key = "+" + uid; // no name begins so
    Caller recent = recent(key);
    return recent != null ? recent : keep(key, askNumbered(uid));
  }

  private Caller recent(String key) {
    Known recent = known.get(key);
    return recent != null && nanoTime.getAsLong() - recent.since() < KEPT_NANOS
        ? recent.caller()
        : null;
  }

  private Caller keep(String key, Caller caller) {
    known.put(key, new Known(caller, nanoTime.getAsLong()));
    return caller;
  }

  private Caller askNamed(String name) {
    String number = directory.id("-u", name);
    if (number.isEmpty() && name.matches("\\d{1,10}")) {
      return new Caller(Long.parseLong(name), name, false);
    }
    if (!number.matches("\\d{1,10}")) {
      throw Failure.slurm(
          "who '" + name + "' is cannot be found out", "check 'id " + name + "' on this machine");
    }
    return caller(Long.parseLong(number), name);
  }

  /** One whose name was not told when the connection was made may have one all the same. */
  private Caller askNumbered(long uid) {
    String name = directory.id("-un", "+" + uid);
    return !name.isEmpty() && directory.id("-u", name).equals(Long.toString(uid))
        ? caller(uid, name)
        : new Caller(uid, Long.toString(uid), uid == 0);
  }

  private Caller caller(long uid, String name) {
    boolean operator =
        uid == 0
            || (!operators.isEmpty()
                && List.of(directory.id("-Gn", name).split(" ")).stream()
                    .anyMatch(operators::contains));
    return new Caller(uid, name, operator);
  }
}
