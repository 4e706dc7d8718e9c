package io.hpcrun.pull;

import io.hpcrun.failure.Failure;
import io.hpcrun.image.Image;
import io.hpcrun.image.ImageDigest;
import io.hpcrun.image.ImageReader;
import io.hpcrun.pull.Progress.Stage;
import io.hpcrun.pull.PullFailure.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.slf4j.LoggerFactory;

/**
 * Fetches a resolved image into a work directory, as a SIF file that is whole, for the processors
 * that were asked for, and signed if that is demanded. To cancel it, interrupt its thread.
 */
public final class Fetcher implements AutoCloseable {
  /** Nothing has come for so long: the registry hangs. */
  private static final Duration STILL = Duration.ofMinutes(2);

  private final Login login;
  private final InsecureHosts insecure;
  private final WebClient web;
  private final Apptainer apptainer;
  private final Limits limits;

  /**
   * What a fetch may take.
   *
   * @param time all of it, without waiting
   * @param still how long nothing may come
   * @param bytes the size of the image, and what comes over the network for it
   * @param sources where web servers may send to
   * @param keys the key ring that SIF files must be signed by; empty: it does not matter
   */
  public record Limits(
      Duration time, Duration still, long bytes, AllowedSources sources, Optional<Path> keys) {
    /** No more than so long and so much, from anywhere, and nothing about signatures. */
    public static Limits of(Duration time, long bytes) {
      return new Limits(time, STILL, bytes, AllowedSources.ALL, Optional.empty());
    }

    /** The same, but only from there. */
    public Limits with(AllowedSources only) {
      return new Limits(time, still, bytes, only, keys);
    }

    /** The same, but SIF files must be signed. */
    public Limits with(Path ring) {
      return new Limits(time, still, bytes, sources, Optional.of(ring));
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
   * An image that was fetched.
   *
   * @param file the SIF file
   * @param sha256 of the file, in hexadecimal
   */
  public record Sif(Path file, String sha256) {}

  /**
   * Fetches an image.
   *
   * @param work an empty directory of its own, where the image will be
   * @throws PullFailure if it cannot be had
   */
  public Sif fetch(Resolved image, Path work, Progress progress) {
    if (image.bytes() > limits.bytes()) {
      throw NoRoom.tooLarge(limits.bytes());
    }
    TimeLimit time = new TimeLimit(limits.time());
    Path file = work.resolve("image.sif");
    progress.at(Stage.PULLING, 0);
    Optional<String> digest = fetch(image, work, file, time, progress);
    progress.at(Stage.VERIFYING, 0);
    check(image, file, work, time);
    return new Sif(file, digest.orElseGet(() -> digest(file, time)));
  }

  /** Fetches the file; returns its digest if that is known then. */
  private Optional<String> fetch(
      Resolved image, Path work, Path file, TimeLimit time, Progress progress) {
    return switch (image.source()) {
      case ImageSource.Docker docker -> {
        Reference name = docker.reference();
        String source = "docker://" + image.pin().map(name::pinned).orElse(name.toString());
        boolean plain = insecure.contains(name.registry());
        new Conversion(apptainer, limits, work, time)
            .run(source, image.architecture(), plain, file, progress);
        yield Optional.empty();
      }
      case ImageSource.Library library -> {
        new Conversion(apptainer, limits, work, time)
            .run(library.text(), image.architecture(), false, file, progress);
        yield Optional.empty();
      }
      case ImageSource.Oras oras ->
          Optional.of(blob(image, oras.reference(), file, time, progress));
      case ImageSource.Web address ->
          Optional.of(
              save(
                  web.ask(
                      "GET",
                      address.address(),
                      Map.of(),
                      to -> limits.sources().check(address.address(), to)),
                  file,
                  time,
                  progress));
      case ImageSource.LocalFile local -> {
        copy(local, image, file, time, progress);
        yield Optional.empty();
      }
    };
  }

  private String save(
      HttpResponse<InputStream> answer, Path file, TimeLimit time, Progress progress) {
    return new Downloads(limits.still(), time)
        .save(answer, file, limits.bytes(), done -> progress.at(Stage.PULLING, done));
  }

  private String blob(
      Resolved image, Reference name, Path file, TimeLimit time, Progress progress) {
    String wanted = image.blob().orElseThrow();
    Registry registry = new Registry(web, name, login, insecure);
    String digest = save(registry.blob(wanted), file, time, progress);
    if (!wanted.equals("sha256:" + digest)) {
      throw registry.notUnderstood("its content is not what its digest says");
    }
    return digest;
  }

  /** A file of this machine; what it takes on the disk is told, as it may have holes. */
  private void copy(
      ImageSource.LocalFile local, Resolved image, Path file, TimeLimit time, Progress progress) {
    Stillness still = new Stillness(limits.still());
    Guard.during(
        () -> PublicFile.copy(local, image.pin(), file, time),
        () -> {
          long bytes = onDisk(file, time);
          progress.at(Stage.PULLING, bytes);
          return still.at(bytes, local.text());
        });
  }

  private static long onDisk(Path file, TimeLimit time) {
    try {
      return Files.exists(file) ? DiskUse.of(file, time.left()) : 0;
    } catch (IOException unknown) {
      LoggerFactory.getLogger(Fetcher.class).warn("{}: {}", file, unknown.toString());
      return 0;
    }
  }

  private static String digest(Path file, TimeLimit time) {
    try {
      return ImageDigest.compute(file, time.left());
    } catch (Failure notEnded) {
      throw time.ended(notEnded);
    } catch (IOException gone) {
      throw NoRoom.writing(file, gone);
    }
  }

  private void check(Resolved image, Path file, Path work, TimeLimit time) {
    Image read;
    try {
      read = ImageReader.read(file);
      if (Files.size(file) > limits.bytes()) {
        throw NoRoom.tooLarge(limits.bytes());
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
      apptainer.verify(file, limits.keys().get(), work, time);
    }
  }

  @Override
  public void close() {
    web.close();
  }
}
