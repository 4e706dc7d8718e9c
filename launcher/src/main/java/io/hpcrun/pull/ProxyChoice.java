package io.hpcrun.pull;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/**
 * The proxy that the environment names ({@code https_proxy}, {@code http_proxy}, {@code no_proxy}),
 * as curl(1) and Apptainer read it. Java itself does not look there.
 */
final class ProxyChoice extends ProxySelector {
  private final Map<String, String> environment;

  ProxyChoice(Map<String, String> environment) {
    this.environment = environment;
  }

  @Override
  public List<Proxy> select(URI address) {
    String host = address.getHost() == null ? "" : address.getHost();
    boolean direct =
        InsecureHosts.LOOPBACK.contains(host)
            || Stream.of(variable("no_proxy").orElse("").split(","))
                .map(String::strip)
                .anyMatch(each -> matches(host, each));
    return List.of(
        direct
            ? Proxy.NO_PROXY
            : variable(address.getScheme() + "_proxy")
                .or(() -> variable("all_proxy"))
                .flatMap(ProxyChoice::proxy)
                .orElse(Proxy.NO_PROXY));
  }

  private static boolean matches(String host, String suffix) {
    String name = suffix.startsWith(".") ? suffix.substring(1) : suffix;
    return suffix.equals("*")
        || (!name.isEmpty() && (host.equals(name) || host.endsWith("." + name)));
  }

  private Optional<String> variable(String name) {
    return Optional.ofNullable(environment.get(name))
        .or(() -> Optional.ofNullable(environment.get(name.toUpperCase(Locale.ROOT))))
        .filter(value -> !value.isBlank());
  }

  private static Optional<Proxy> proxy(String text) {
    try {
      URI proxy = URI.create(text.contains("://") ? text : "http://" + text);
      return proxy.getHost() == null
          ? Optional.empty()
          : Optional.of(
              new Proxy(
                  Proxy.Type.HTTP,
                  new InetSocketAddress(
                      proxy.getHost(), proxy.getPort() < 0 ? 80 : proxy.getPort())));
    } catch (IllegalArgumentException noAddress) {
      LoggerFactory.getLogger(ProxyChoice.class).warn("a proxy variable holds no address");
      return Optional.empty();
    }
  }

  @Override
  public void connectFailed(URI address, SocketAddress proxy, IOException failure) {
    LoggerFactory.getLogger(ProxyChoice.class).debug("{} by {}", address.getHost(), proxy, failure);
  }
}
