package io.hpcrun.daemon.images;

import io.hpcrun.daemon.api.Caller;
import io.hpcrun.pull.AllowedSources;
import io.hpcrun.pull.ImageSource;
import io.hpcrun.pull.PullFailure;
import io.hpcrun.pull.PullFailure.Kind;
import io.hpcrun.pull.Resolved;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Pulls for everybody, each image once: who asks for an image that comes already waits for that
 * pull. A few are done at once; the others wait in order, except that one worker is always for
 * other users. A pull that nobody waits for any more is ended. Thread-safe.
 */
public final class Pulls implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Pulls.class);

  /** Finished ones stay known, for who asks how they went. */
  private static final int REMEMBERED = 10_000;

  private static final int QUESTIONS_AT_ONCE = 32;
  private static final long QUESTION_SECONDS = 60;

  private final ImageStore store;
  private final PullWork work;
  private final Limits limits;
  private final LongSupplier nanoTime;
  private final SecureRandom random = new SecureRandom();
  private final Semaphore questionsAtOnce = new Semaphore(QUESTIONS_AT_ONCE);

  private final Map<String, Ticket> tickets = new LinkedHashMap<>();
  private final Map<String, List<Ticket>> questions = new HashMap<>();
  private final Map<String, Flight> flights = new HashMap<>();
  private final List<Flight> waiting = new ArrayList<>();
  private final List<Flight> running = new ArrayList<>();
  private final PullCounts counts = new PullCounts();
  private boolean closed;

  /**
   * What may be pulled, and how much at once.
   *
   * @param workers pulls at once
   * @param perUser pulls that one user may wait for
   * @param sources where images may come from
   */
  public record Limits(int workers, int perUser, AllowedSources sources) {}

  /**
   * Nothing is pulled yet.
   *
   * @param store takes the images
   * @param work resolves and fetches
   * @param limits what may be pulled
   * @param nanoTime a clock, such as {@code System::nanoTime}
   */
  public Pulls(ImageStore store, PullWork work, Limits limits, LongSupplier nanoTime) {
    this.store = store;
    this.work = work;
    this.limits = limits;
    this.nanoTime = nanoTime;
  }

  /** What was asked for so far, for the metrics. */
  public PullCounts counts() {
    return counts;
  }

  /**
   * Asks for an image. The answer comes at once; how it goes on is found by its id.
   *
   * @throws PullFailure of kind MALFORMED, FORBIDDEN or NEEDS_CREDENTIALS
   * @throws TooManyPulls when the user waits for too many already
   */
  public Pull request(Caller caller, String text, String architecture) {
    ImageSource source = ImageSource.parse(text);
    if (source instanceof ImageSource.Web web && web.isPrivate()) {
      throw new PullFailure(
          Kind.NEEDS_CREDENTIALS,
          "the address has a part behind '?', which may be a secret that others must not see",
          "fetch the file yourself, and use the file");
    }
    if (!limits.sources().allow(source)) {
      throw limits.sources().refused(source);
    }
    Ticket ticket = new Ticket(newId(), caller, source, architecture);
    synchronized (this) {
      if (places(caller) >= limits.perUser()) {
        throw new TooManyPulls(limits.perUser());
      }
      forget();
      tickets.put(ticket.id, ticket);
      List<Ticket> asking =
          questions.computeIfAbsent(ticket.question(), question -> new ArrayList<>());
      asking.add(ticket);
      if (asking.size() == 1) {
        // No virtual one: in a file system that hangs it would keep its carrier.
        Thread.ofPlatform().daemon().name("resolve").start(() -> resolve(ticket));
      }
      return describe(ticket);
    }
  }

  /** How many of the pulls that a user may have this one has. */
  synchronized long places(Caller caller) {
    return tickets.values().stream()
        .filter(each -> each.caller.uid() == caller.uid() && each.counts())
        .count();
  }

  private void forget() {
    var oldest = tickets.values().iterator();
    for (int over = tickets.size() - REMEMBERED; over >= 0 && oldest.hasNext(); ) {
      if (!oldest.next().counts()) {
        oldest.remove();
        over--;
      }
    }
  }

  private String newId() {
    byte[] bytes = new byte[16];
    random.nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  /** How a pull of this user goes; operators see everybody's. */
  public synchronized Optional<Pull> find(Caller caller, String id) {
    return own(caller, id).map(this::describe);
  }

  /** The user does not wait any more; the pull goes on for others, and ends if there are none. */
  public synchronized Optional<Pull> cancel(Caller caller, String id) {
    Optional<Ticket> own = own(caller, id);
    own.filter(ticket -> !ticket.state().isFinal()).ifPresent(this::cancel);
    return own.map(this::describe);
  }

  private Optional<Ticket> own(Caller caller, String id) {
    return Optional.ofNullable(tickets.get(id))
        .filter(ticket -> caller.operator() || ticket.caller.uid() == caller.uid());
  }

  private void cancel(Ticket ticket) {
    ticket.failed(
        new PullFailure(Kind.CANCELLED, "you do not wait for it any more", "ask for it again"));
    Flight flight = ticket.flight;
    if (flight != null && flight.tickets.remove(ticket) && flight.tickets.isEmpty()) {
      flights.remove(flight.wanted.key(), flight);
      if (!waiting.remove(flight)) {
        flight.thread.interrupt();
      }
    }
    startNext(); // whose worker a pull has may be another user now
  }

  /** Asks once for all who want the same; whoever asks after the answer asks anew. */
  private void resolve(Ticket first) {
    Resolved resolved = null;
    PullFailure failure = null;
    try {
      if (!questionsAtOnce.tryAcquire(QUESTION_SECONDS, TimeUnit.SECONDS)) {
        throw new PullFailure(
            Kind.TOO_SLOW, "hpcrund has too many other names to look up", "try again later");
      }
      try {
        resolved = work.resolve(first.source, first.architecture);
      } finally {
        questionsAtOnce.release();
      }
    } catch (PullFailure failed) {
      failure = failed;
    } catch (Throwable defect) { // whatever it is, who waits must not wait for ever
      failure = defect(first.source, defect);
    }
    synchronized (this) {
      for (Ticket ticket : questions.remove(first.question())) {
        ticket.answered();
        if (!ticket.state().isFinal()) {
          answer(ticket, resolved, failure);
        }
      }
      startNext();
    }
  }

  private void answer(Ticket ticket, Resolved resolved, PullFailure failure) {
    try {
      if (failure != null) {
        throw failure;
      }
      ticket.resolved(resolved);
      join(ticket, resolved);
    } catch (PullFailure failed) {
      ticket.failed(failed);
    } catch (RuntimeException | Error defect) {
      ticket.failed(defect(ticket.source, defect));
    }
    count(ticket);
  }

  private void count(Ticket ticket) {
    if (ticket.state().isFinal()) {
      counts.ended(ticket.failure());
    }
  }

  private static PullFailure defect(ImageSource source, Throwable defect) {
    LOG.error("pulling {} failed", source.text(), defect);
    return new PullFailure(Kind.BROKEN, "hpcrund failed: " + defect, "see its log and report it");
  }

  private void join(Ticket ticket, Resolved resolved) {
    Optional<StoredImage> there = store.find(resolved, ticket.caller);
    if (there.isPresent()) {
      ticket.ready(there.get());
      counts.hit();
      return;
    }
    if (closed) {
      throw stopped();
    }
    Flight flight = flights.get(resolved.key());
    if (flight == null) {
      flight = new Flight(resolved, ticket.caller);
      flights.put(resolved.key(), flight);
      waiting.add(flight);
      counts.missed();
    } else {
      counts.joined();
    }
    flight.tickets.add(ticket);
    ticket.flight = flight;
  }

  private void startNext() {
    int most = Math.max(1, limits.workers() - 1);
    for (int i = 0; i < waiting.size() && running.size() < limits.workers() && !closed; ) {
      Flight next = waiting.get(i);
      if (running.stream().filter(each -> each.uid() == next.uid()).count() >= most) {
        i++;
        continue;
      }
      waiting.remove(i);
      running.add(next);
      // No virtual one: it computes and reads for long, and would keep its carrier.
      next.thread = Thread.ofPlatform().daemon().name("pull").unstarted(() -> run(next));
      next.thread.start();
    }
  }

  private void run(Flight flight) {
    StoredImage image = null;
    PullFailure failure = null;
    long began = nanoTime.getAsLong();
    try {
      image =
          work.pull(
              flight.wanted,
              flight.user,
              (stage, done) -> flight.at(stage, done, nanoTime.getAsLong()));
    } catch (PullFailure failed) {
      failure = failed;
      LOG.info("{} was not pulled: {}", flight.wanted.source().text(), failed.getMessage());
    } catch (Throwable defect) { // whatever it is, the worker is free for others
      failure = defect(flight.wanted.source(), defect);
    }
    synchronized (this) {
      flights.remove(flight.wanted.key(), flight);
      running.remove(flight);
      if (failure == null) {
        flight.landed(image, store);
        counts.pulled(nanoTime.getAsLong() - began, image.size());
      } else {
        flight.crashed(failure);
      }
      flight.tickets.forEach(this::count);
      startNext();
    }
  }

  private Pull describe(Ticket ticket) {
    PullState state = ticket.state();
    Optional<Flight> flight = Optional.ofNullable(ticket.flight).filter(any -> !state.isFinal());
    Optional<Integer> position =
        flight.map(waiting::indexOf).filter(index -> index >= 0).map(index -> index + 1);
    Optional<Pull.Progress> progress =
        flight
            .filter(any -> state != PullState.QUEUED)
            .map(each -> progress(each, state == PullState.PULLING));
    return new Pull(
        ticket.id,
        ticket.source.text(),
        ticket.architecture,
        state.name().toLowerCase(java.util.Locale.ROOT),
        message(ticket, state, position),
        ticket.resolved().flatMap(Resolved::pin).filter(pin -> pin.startsWith("sha256:")),
        position,
        progress,
        ticket.image().map(store::path),
        ticket.image().map(StoredImage::sha256),
        ticket
            .failure()
            .map(why -> new Pull.Problem(why.kind().title(), why.getMessage(), why.remedy())));
  }

  private Pull.Progress progress(Flight flight, boolean counted) {
    return new Pull.Progress(
        Optional.of(flight.done()).filter(done -> counted),
        Optional.of(flight.wanted.bytes()).filter(total -> counted && total > 0),
        (nanoTime.getAsLong() - flight.since()) / 1_000_000_000);
  }

  private static String message(Ticket ticket, PullState state, Optional<Integer> position) {
    return switch (state) {
      case RESOLVING -> "asking what the name means now";
      case QUEUED -> "waiting as number " + position.orElse(1) + " for other pulls";
      case PULLING -> "fetching the image";
      case CONVERTING -> "making a SIF file of its layers";
      case VERIFYING -> "checking the SIF file";
      case READY -> "the image is there";
      case FAILED -> ticket.failure().map(PullFailure::getMessage).orElse("");
    };
  }

  private static PullFailure stopped() {
    return new PullFailure(Kind.CANCELLED, "hpcrund stops", "ask for it again when it runs");
  }

  /** Ends all pulls; who waits hears that they were cancelled. */
  @Override
  public void close() {
    List<Thread> ending = new ArrayList<>();
    synchronized (this) {
      closed = true;
      waiting.forEach(flight -> flight.crashed(stopped()));
      waiting.clear();
      running.forEach(flight -> ending.add(flight.thread));
    }
    ending.forEach(Thread::interrupt);
    for (Thread each : ending) {
      try {
        each.join(java.time.Duration.ofSeconds(10));
      } catch (InterruptedException hurry) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
