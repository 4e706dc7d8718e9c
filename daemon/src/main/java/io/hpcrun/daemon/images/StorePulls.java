package io.hpcrun.daemon.images;

import io.hpcrun.daemon.api.Caller;
import io.hpcrun.pull.Fetcher;
import io.hpcrun.pull.ImageSource;
import io.hpcrun.pull.InsecureHosts;
import io.hpcrun.pull.Login;
import io.hpcrun.pull.Progress;
import io.hpcrun.pull.Resolved;
import io.hpcrun.pull.Resolver;
import java.nio.file.Path;
import java.util.Map;

/** Resolves and fetches as nobody in particular, into the store. */
public final class StorePulls implements PullWork, AutoCloseable {
  private final ImageStore store;
  private final Resolver resolver;
  private final Fetcher fetcher;

  /**
   * Fetches into a store.
   *
   * @param store takes the images
   * @param insecure registries that are spoken to without TLS
   * @param limits what one fetch may take
   * @param environment the daemon's variables, which name the proxies
   */
  public StorePulls(
      ImageStore store,
      InsecureHosts insecure,
      Fetcher.Limits limits,
      Map<String, String> environment) {
    this.store = store;
    this.resolver = new Resolver(Login.NONE, insecure, limits.sources(), environment);
    this.fetcher = Fetcher.anonymous(insecure, environment, limits);
  }

  @Override
  public Resolved resolve(ImageSource source, String architecture) {
    return resolver.resolve(source, architecture);
  }

  @Override
  public StoredImage pull(Resolved wanted, Caller user, Progress progress) {
    Path work = store.newWork();
    try {
      Fetcher.Sif fetched =
          fetcher.fetch(wanted, work, new WayMaker(wanted, store::makeWay, progress));
      return store.add(fetched.file(), fetched.sha256(), wanted, user);
    } finally {
      store.remove(work);
    }
  }

  @Override
  public void close() {
    resolver.close();
    fetcher.close();
  }
}
