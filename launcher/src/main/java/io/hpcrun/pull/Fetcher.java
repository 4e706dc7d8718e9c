package io.hpcrun.pull;

import io.hpcrun.failure.Failure;
import io.hpcrun.image.Image;
import io.hpcrun.image.ImageReader;
import io.hpcrun.pull.Progress.Stage;
import io.hpcrun.pull.PullFailure.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Fetches a resolved image into a work directory, as a SIF file that is whole, for the processors
 * that were asked for, and signed if that is demanded. To cancel it, interrupt its thread.
 */
public final class Fetcher implements AutoCloseable {
  /** Nothing has come for so long: the registry hangs. */
  private static final Duration STILL = Duration.ofMinutes(2);

  private static final Duration LOOK = Duration.ofMillis(500);

  private final Login login;
  private final InsecureHosts insecure;
  private final WebClient web;
  private final Apptainer apptainer;
  private final Limits limits;

  /**
   * What a fetch may take.
   *
   * @param time all of it, without waiting
   * @param still how long nothing may come over the network
   * @param bytes the size of the image
   * @param keys the key ring that SIF files must be signed by; empty: it does not matter
   */
  public record Limits(Duration time, Duration still, long bytes, Optional<Path> keys) {
    /** No more than so long and so much, and nothing about signatures. */
    public static Limits of(Duration time, long bytes) {
      return new Limits(time, STILL, bytes, Optional.empty());
    }

    /** The same, but SIF files must be signed. */
    public Limits with(Path ring) {
      return new Limits(time, still, bytes, Optional.of(ring));
    }
  }

  private Fetcher(
      Login login,
      InsecureHosts insecure,
      Map<String, String> environment,
      Apptainer apptainer,
      Limits limits) {
    this.login = login;
    this.insecure = insecure;
    this.web = new WebClient(insecure, environment);
    this.apptainer = apptainer;
    this.limits = limits;
  }

  /** Fetches what everybody may have, with no login of the user that this process is. */
  public static Fetcher anonymous(
      InsecureHosts insecure, Map<String, String> environment, Limits limits) {
    return new Fetcher(Login.NONE, insecure, environment, Apptainer.anonymous(environment), limits);
  }

  /** Fetches with the user's own logins. */
  public static Fetcher ofUser(
      Login login, InsecureHosts insecure, Map<String, String> environment, Limits limits) {
    return new Fetcher(login, insecure, environment, Apptainer.ofUser(environment), limits);
  }

  /**
   * Fetches an image.
   *
   * @param work an empty directory of its own
   * @return the SIF file, in that directory
   * @throws PullFailure if it cannot be had
   */
  public Path fetch(Resolved image, Path work, Progress progress) {
    Path file = work.resolve("image.sif");
    progress.at(Stage.PULLING, 0);
    switch (image.source()) {
      case ImageSource.Docker docker ->
          convert(
              image,
              "docker://"
                  + image
                      .pin()
                      .map(docker.reference()::pinned)
                      .orElse(docker.reference().toString()),
              insecure.contains(docker.reference().registry()),
              file,
              work,
              progress);
      case ImageSource.Library library ->
          convert(image, library.text(), false, file, work, progress);
      case ImageSource.Oras oras -> blob(image, oras.reference(), file, progress);
      case ImageSource.Web address ->
          new Downloads(limits.still())
              .save(
                  web.ask("GET", address.address(), Map.of()),
                  file,
                  limits.bytes(),
                  done -> progress.at(Stage.PULLING, done));
      case ImageSource.LocalFile local -> copy(local, file, progress);
    }
    progress.at(Stage.VERIFYING, 0);
    check(image, file, work);
    return file;
  }

  private void blob(Resolved image, Reference name, Path file, Progress progress) {
    String wanted = image.blob().orElseThrow();
    Registry registry = new Registry(web, name, login, insecure);
    String digest =
        new Downloads(limits.still())
            .save(
                registry.blob(wanted),
                file,
                limits.bytes(),
                done -> progress.at(Stage.PULLING, done));
    if (!wanted.equals("sha256:" + digest)) {
      throw registry.notUnderstood("its content is not what its digest says");
    }
  }

  private void copy(ImageSource.LocalFile local, Path file, Progress progress) {
    try (InputStream in = PublicFile.open(local.path())) {
      Downloads.copy(
          in, file, limits.bytes(), new AtomicLong(), done -> progress.at(Stage.PULLING, done));
    } catch (IOException failed) {
      throw NoRoom.writing(file, failed);
    }
  }

  /** Apptainer says when it has all layers; what it has of them is seen from their files. */
  private void convert(
      Resolved image, String source, boolean plain, Path file, Path work, Progress progress) {
    AtomicReference<Stage> stage = new AtomicReference<>(Stage.PULLING);
    AtomicReference<PullFailure> stuck = new AtomicReference<>();
    Thread puller = Thread.currentThread();
    Thread watch =
        Thread.ofVirtual()
            .name("pull")
            .start(() -> watch(work, stage, progress, () -> giveUp(puller, stuck, source)));
    try {
      apptainer.pull(
          source,
          image.architecture(),
          file,
          work,
          plain,
          limits.time(),
          line -> {
            if (line.contains("Extracting OCI image")) {
              stage.set(Stage.CONVERTING);
              progress.at(Stage.CONVERTING, 0);
            }
          });
    } catch (PullFailure cancelled) {
      if (stuck.get() != null) {
        Thread.interrupted(); // it was meant for this pull alone
        throw stuck.get();
      }
      throw cancelled;
    } finally {
      watch.interrupt();
    }
  }

  private void giveUp(Thread puller, AtomicReference<PullFailure> stuck, String source) {
    stuck.set(
        new PullFailure(
            Kind.TOO_SLOW,
            "nothing of " + source + " came for " + limits.still().toSeconds() + " s",
            "try again later; the registry hangs"));
    puller.interrupt();
  }

  private void watch(Path work, AtomicReference<Stage> stage, Progress progress, Runnable giveUp) {
    long seen = 0;
    long since = System.nanoTime();
    try {
      while (stage.get() == Stage.PULLING) {
        Thread.sleep(LOOK);
        long now = Apptainer.received(work);
        if (now != seen && stage.get() == Stage.PULLING) {
          progress.at(Stage.PULLING, now);
          seen = now;
          since = System.nanoTime();
        } else if (System.nanoTime() - since > limits.still().toNanos()) {
          giveUp.run();
          return;
        }
      }
    } catch (InterruptedException over) {
      Thread.currentThread().interrupt();
    }
  }

  private void check(Resolved image, Path file, Path work) {
    Image read;
    try {
      read = ImageReader.read(file);
      if (Files.size(file) > limits.bytes()) {
        throw new PullFailure(
            Kind.NO_ROOM,
            "the image has %d MiB and may have %d"
                .formatted(read.size() >> 20, limits.bytes() >> 20),
            "ask the administrators for room");
      }
    } catch (Failure noImage) {
      throw new PullFailure(
          Kind.BROKEN,
          "what "
              + ImageSource.shown(image.source().text())
              + " gives is no SIF file"
              + noImage
                  .getMessage()
                  .replace("the image " + file, "")
                  .replace(" is not a SIF file", ""),
          "check the address; an image in a registry has docker://");
    } catch (IOException gone) {
      throw NoRoom.writing(file, gone);
    }
    if (!read.architecture().equals(Optional.of(image.architecture()))) {
      throw new PullFailure(
          Kind.WRONG_ARCHITECTURE,
          "the image is for " + read.architecture().orElse("?") + ", not " + image.architecture(),
          "choose another image, or nodes of that kind and --arch");
    }
    boolean converted = image.source() instanceof ImageSource.Docker;
    if (limits.keys().isPresent() && !converted) {
      apptainer.verify(file, limits.keys().get(), work, limits.time());
    }
  }

  @Override
  public void close() {
    web.close();
  }
}
