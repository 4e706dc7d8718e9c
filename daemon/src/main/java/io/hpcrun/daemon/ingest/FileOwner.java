package io.hpcrun.daemon.ingest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/**
 * Who a file belongs to.
 *
 * @param uid the owner
 * @param name the owner's name; empty if the system knows none
 */
public record FileOwner(long uid, Optional<String> name) {
  /** Tells whom a file belongs to; tests put another one in, where there is one user only. */
  public interface Lookup {
    /** The owner of the file itself, also if it is a link. */
    FileOwner of(Path file) throws IOException;
  }

  private static final long NAMED_NANOS = Duration.ofDays(1).toNanos();
  private static final long NAMELESS_NANOS = Duration.ofMinutes(1).toNanos();

  /**
   * Asks the file system, and the system for names: once a day for each owner, and once a minute
   * for one that has no name, which may be a directory service that does not answer.
   */
  public static Lookup fromFileSystem() {
    return kept(FileOwner::ask, System::nanoTime);
  }

  private static FileOwner ask(Path file) throws IOException {
    long uid = uid(file);
    String name = Files.getOwner(file, LinkOption.NOFOLLOW_LINKS).getName();
    // A uid without a name is told as its number, which is negative for the largest ones.
    boolean nameless = name.equals(Long.toString(uid)) || name.equals(Integer.toString((int) uid));
    return new FileOwner(uid, Optional.of(name).filter(told -> !nameless));
  }

  private record Known(FileOwner owner, long until) {}

  /** The same as another lookup, which is asked seldom. */
  static Lookup kept(Lookup other, LongSupplier nanoTime) {
    Map<Long, Known> known = new ConcurrentHashMap<>();
    return file -> {
      long uid = uid(file);
      Known recent = known.get(uid);
      if (recent != null && recent.until() - nanoTime.getAsLong() > 0) {
        return recent.owner();
      }
      FileOwner owner = other.of(file);
      long keep = owner.name().isPresent() ? NAMED_NANOS : NAMELESS_NANOS;
      known.put(uid, new Known(owner, nanoTime.getAsLong() + keep));
      return owner;
    };
  }

  /** The uid of a file itself, also if it is a link. */
  static long uid(Path file) throws IOException {
    return ((Number) Files.getAttribute(file, "unix:uid", LinkOption.NOFOLLOW_LINKS)).longValue()
        & 0xffff_ffffL;
  }
}
