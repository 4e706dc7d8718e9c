package io.hpcrun.pull;

import java.net.URI;
import java.util.Set;

/**
 * Registries that are spoken to without TLS: this machine's own, and those that the administrator
 * names.
 *
 * @param named hosts with their ports, such as {@code registry.cluster:5000}
 */
public record InsecureHosts(Set<String> named) {
  /** This machine's own only. */
  public static final InsecureHosts LOOPBACK = new InsecureHosts(Set.of());

  /** Copies the set. */
  public InsecureHosts {
    named = Set.copyOf(named);
  }

  /** Whether this host, with its port, is spoken to without TLS. */
  boolean contains(String host) {
    String name = host.replaceFirst(":[0-9]+$", "");
    return named.contains(host)
        || name.equals("localhost")
        || name.equals("[::1]")
        || name.matches("127\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}");
  }

  /** Whether this address may be asked: by TLS, or of one of these hosts. */
  boolean allow(URI address) {
    return address.getHost() != null
        && ("https".equals(address.getScheme())
            || ("http".equals(address.getScheme()) && contains(address.getRawAuthority())));
  }

  /** The beginning of the addresses of a host. */
  String base(String host) {
    return (contains(host) ? "http://" : "https://") + host;
  }
}
