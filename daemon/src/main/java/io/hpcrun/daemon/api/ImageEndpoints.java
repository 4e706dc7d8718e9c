package io.hpcrun.daemon.api;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.daemon.images.ImageStore;
import io.hpcrun.daemon.images.JobClaims;
import io.hpcrun.daemon.images.Pull;
import io.hpcrun.daemon.images.Pulls;
import io.hpcrun.daemon.images.StoredImage;
import io.hpcrun.daemon.images.TooManyPulls;
import io.hpcrun.failure.Failure;
import io.hpcrun.pull.PullFailure;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The image store: what is in it, and pulls into it. */
public final class ImageEndpoints {
  /**
   * A wish for an image.
   *
   * @param source {@code docker://...}, {@code oras://...}, {@code library://...}, {@code
   *     https://...} or the path of a file that everybody may read
   * @param architecture Go's name of the nodes' processors; default those of the daemon's machine
   */
  public record Wish(String source, Optional<String> architecture) {}

  /**
   * The images.
   *
   * @param images the most recently used first
   * @param bytes what they have together
   * @param quotaBytes what they may have
   */
  public record Listing(List<Entry> images, long bytes, long quotaBytes) {}

  /**
   * An image.
   *
   * @param sha256 of the SIF file, in hexadecimal
   * @param path where it is
   * @param architecture Go's name of the processors that it is for
   * @param size bytes of the SIF file
   * @param sources where it was pulled from; files of users only where the caller handed them in,
   *     or is an operator
   * @param digests of its manifests, {@code sha256:...}
   * @param pulledS when it came, in seconds since 1970
   * @param pulledBy who asked for it first; absent for others, except operators
   * @param usedS when it was used last, in seconds since 1970
   */
  public record Entry(
      String sha256,
      Path path,
      String architecture,
      long size,
      List<String> sources,
      List<String> digests,
      long pulledS,
      Optional<String> pulledBy,
      long usedS) {
    static Entry of(ImageStore store, StoredImage image, Caller caller) {
      return new Entry(
          image.sha256(),
          store.path(image),
          image.architecture(),
          image.size(),
          sourcesFor(image, caller),
          image.pins().stream().filter(pin -> pin.startsWith("sha256:")).sorted().toList(),
          image.pulledS(),
          Optional.of(image.pulledBy())
              .filter(user -> !user.isEmpty())
              .filter(user -> caller.operator() || user.equals(caller.user())),
          store.used(image).getEpochSecond());
    }
  }

  /**
   * A job that will use an image.
   *
   * @param job the job's or the array's number
   */
  public record Use(long job) {}

  private static final Logger LOG = LoggerFactory.getLogger(ImageEndpoints.class);
  private static final int MOST_CLAIMS = 10_000;
  private static final int FILES_AT_ONCE = 8;

  private final Optional<Pulls> pulls;
  private final Optional<ImageStore> store;
  private final Optional<JobClaims> claims;
  private final Function<Collection<Long>, Map<Long, Long>> queue;
  private final Blocking blocking =
      new Blocking("the file system of the images", FILES_AT_ONCE, Duration.ofSeconds(30));

  /**
   * Asks the store, if the site has one.
   *
   * @param queue of some jobs those that are not over, with their owners; throws a {@link Failure}
   *     when Slurm does not answer
   */
  public ImageEndpoints(
      Optional<Pulls> pulls,
      Optional<ImageStore> store,
      Optional<JobClaims> claims,
      Function<Collection<Long>, Map<Long, Long>> queue) {
    this.queue = queue;
    this.pulls = pulls;
    this.store = store;
    this.claims = claims;
  }

  /** The endpoints. */
  public List<Endpoint> endpoints() {
    return List.of(
        Endpoint.get(
            "/v1/images",
            "The images of the store.",
            List.of(),
            Listing.class,
            blocking.around(this::list)),
        Endpoint.post(
            "/v1/images",
            "Asks for an image; answers at once, and /v1/pulls/{id} tells how it goes on.",
            Wish.class,
            Pull.class,
            this::pull),
        Endpoint.post(
            "/v1/images/{sha256}/jobs",
            "A job of the caller will use the image, which stays until the job is over.",
            Use.class,
            Use.class,
            blocking.around(this::claim)),
        Endpoint.get(
            "/v1/pulls/{id}",
            "How a pull of the caller goes.",
            List.of(),
            Pull.class,
            call -> own(pulls().find(call.caller(), call.path().get("id")))),
        new Endpoint(
            "POST",
            "/v1/pulls/{id}/cancel",
            "The caller does not wait any more; the pull ends if nobody else does.",
            List.of(),
            Optional.empty(),
            Optional.of(Pull.class),
            call -> own(pulls().cancel(call.caller(), call.path().get("id")))));
  }

  /**
   * Where the images of a store were pulled from last, by the images' paths, as far as a caller may
   * know it.
   */
  public static Map<String, String> sources(ImageStore store, Caller caller) {
    Map<String, String> sources = new HashMap<>();
    for (StoredImage image : store.all()) {
      List<String> seen = sourcesFor(image, caller);
      if (!seen.isEmpty()) {
        sources.put(store.path(image).toString(), seen.getLast());
      }
    }
    return sources;
  }

  private static List<String> sourcesFor(StoredImage image, Caller caller) {
    return caller.operator() ? image.sources() : image.sourcesFor(caller.user());
  }

  private static Answer own(Optional<Pull> found) {
    return Answer.json(found.orElseThrow(() -> Problem.notFound("this pull")));
  }

  private Pulls pulls() {
    return pulls.orElseThrow(ImageEndpoints::noStore);
  }

  private static Problem.Unanswerable noStore() {
    return new Problem(
            404,
            "no image store",
            "this site's hpcrund keeps no images",
            "fetch the image yourself: apptainer pull")
        .asException();
  }

  private Answer claim(Call call) {
    Use use = call.body(Use.class);
    String sha256 = call.path().get("sha256");
    ImageStore images = store.orElseThrow(ImageEndpoints::noStore);
    JobClaims kept = claims.orElseThrow(ImageEndpoints::noStore);
    StoredImage image =
        images.all().stream()
            .filter(each -> each.sha256().equals(sha256))
            .findFirst()
            .orElseThrow(() -> Problem.notFound("this image"));
    if (use.job() < 1 || use.job() > Integer.MAX_VALUE) {
      throw Problem.badRequest(use.job() + " is no job", "give the number that sbatch printed");
    }
    long uid = call.caller().uid();
    if (!mayBeJobOf(uid, use.job())) {
      throw new Problem(
              409,
              "no such job",
              use.job() + " is no waiting or running job of yours",
              "give the number that sbatch printed for a job of your own")
          .asException();
    }
    try {
      if (kept.all().stream().filter(claim -> claim.uid() == uid).count() >= MOST_CLAIMS) {
        throw new Problem(
                429,
                "too many jobs",
                "you have claimed images for many jobs",
                "wait for their ends")
            .asException();
      }
      images.keep(image, call.caller());
      kept.add(new JobClaims.Claim(sha256, uid, use.job()));
      return Answer.json(use);
    } catch (PullFailure noRoom) {
      throw new Problem(507, noRoom.kind().title(), noRoom.getMessage(), noRoom.remedy())
          .asException();
    } catch (IOException failed) {
      throw Problem.unavailable(
          "the claim cannot be kept: " + failed.getMessage(), "tell the administrators");
    }
  }

  /** Where Slurm does not answer the claim counts; it is looked at again before it keeps any. */
  private boolean mayBeJobOf(long uid, long job) {
    try {
      return Long.valueOf(uid).equals(queue.apply(List.of(job)).get(job));
    } catch (Failure unanswered) {
      LOG.debug("whose job {} is cannot be told", job, unanswered);
      return true;
    }
  }

  private Answer list(Call call) {
    ImageStore there = store.orElseThrow(ImageEndpoints::noStore);
    List<Entry> entries =
        there.all().stream()
            .map(image -> Entry.of(there, image, call.caller()))
            .sorted(Comparator.comparingLong(Entry::usedS).reversed())
            .toList();
    return Answer.json(new Listing(entries, there.size(), there.quota()));
  }

  private Answer pull(Call call) {
    Wish wish = call.body(Wish.class);
    String architecture =
        wish.architecture().orElse(ClusterFacts.goArchitecture(System.getProperty("os.arch")));
    if (wish.source() == null || !architecture.matches("[a-z0-9]{1,16}")) {
      throw Problem.badRequest("there is no source, or the architecture is none", "send both");
    }
    try {
      return Answer.json(pulls().request(call.caller(), wish.source(), architecture));
    } catch (PullFailure refused) {
      throw new Problem(422, refused.kind().title(), refused.getMessage(), refused.remedy())
          .asException();
    } catch (TooManyPulls tooMany) {
      throw new Problem(
              429, "too many pulls", tooMany.getMessage(), "wait until some of them are there")
          .asException();
    }
  }
}
