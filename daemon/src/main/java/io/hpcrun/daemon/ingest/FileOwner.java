package io.hpcrun.daemon.ingest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

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

  /** Asks the file system, and the system for names, once for each owner. */
  public static Lookup fromFileSystem() {
    Map<Long, FileOwner> known = new ConcurrentHashMap<>();
    return file -> {
      long uid = uid(file);
      FileOwner owner = known.get(uid);
      if (owner == null) {
        String name = Files.getOwner(file, LinkOption.NOFOLLOW_LINKS).getName();
        // A uid without a name is told as its number.
        owner = new FileOwner(uid, Optional.of(name).filter(n -> !n.equals(Long.toString(uid))));
        known.put(uid, owner);
      }
      return owner;
    };
  }

  /** The uid of a file itself, also if it is a link. */
  static long uid(Path file) throws IOException {
    return ((Number) Files.getAttribute(file, "unix:uid", LinkOption.NOFOLLOW_LINKS)).longValue()
        & 0xffff_ffffL;
  }
}
