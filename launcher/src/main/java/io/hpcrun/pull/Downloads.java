package io.hpcrun.pull;

import io.hpcrun.pull.PullFailure.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/** Writes a stream to a file, counting and digesting, and gives up on one that stands still. */
final class Downloads {
  private static final Duration LOOK = Duration.ofMillis(500);
  private static final int BUFFER = 1 << 20;

  private final Duration still;
  private final TimeLimit time;

  /**
   * Gives up after a time.
   *
   * @param still how long nothing may come
   * @param time how long all of it may take
   */
  Downloads(Duration still, TimeLimit time) {
    this.still = still;
    this.time = time;
  }

  /**
   * Writes an answer's body to a new file.
   *
   * @param most bytes that it may have
   * @param progress hears how many bytes there are
   * @return SHA-256 in hexadecimal
   * @throws PullFailure if it cannot be had, or not all of it
   */
  String save(HttpResponse<InputStream> answer, Path file, long most, LongConsumer progress) {
    if (answer.statusCode() != 200) {
      WebClient.close(answer);
      throw refused(answer);
    }
    long announced = answer.headers().firstValueAsLong("content-length").orElse(-1);
    if (announced > most) {
      WebClient.close(answer);
      throw NoRoom.tooLarge(most);
    }
    String host = WebClient.host(answer.uri());
    AtomicLong done = new AtomicLong();
    Thread reader = Thread.currentThread();
    try (InputStream in = answer.body();
        Watch watch = new Watch(done, in)) {
      String digest = copy(in, file, most, done, progress);
      if (announced >= 0 && announced != done.get()) {
        throw brokenOff(host, done.get(), null);
      }
      return digest;
    } catch (IOException failed) {
      if (reader.isInterrupted()) {
        throw WebClient.cancelled(failed);
      }
      if (time.isOver()) {
        throw time.over(failed);
      }
      throw failed instanceof java.nio.file.FileSystemException
              || NoRoom.says(String.valueOf(failed.getMessage()))
          ? NoRoom.writing(file, failed)
          : brokenOff(host, done.get(), failed);
    }
  }

  /** Copies to a new file; returns SHA-256 in hexadecimal. */
  private String copy(InputStream in, Path file, long most, AtomicLong done, LongConsumer progress)
      throws IOException {
    MessageDigest digest = Registry.sha256();
    byte[] buffer = new byte[BUFFER];
    try (OutputStream out = Files.newOutputStream(file, StandardOpenOption.CREATE_NEW)) {
      for (int read; (read = in.read(buffer)) >= 0; ) {
        if (done.addAndGet(read) > most) {
          throw NoRoom.tooLarge(most);
        }
        if (Thread.currentThread().isInterrupted()) {
          throw WebClient.cancelled(null);
        }
        if (time.isOver()) {
          throw time.over(null);
        }
        digest.update(buffer, 0, read);
        out.write(buffer, 0, read);
        progress.accept(done.get());
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private PullFailure brokenOff(String host, long done, IOException cause) {
    return new PullFailure(
        Kind.UNREACHABLE,
        host
            + " broke off after "
            + done
            + " bytes, or sent nothing for "
            + still.toSeconds()
            + " s",
        "try again",
        cause);
  }

  /** What an answer means that holds no file. */
  static PullFailure refused(HttpResponse<?> answer) {
    String host = WebClient.host(answer.uri());
    int status = answer.statusCode();
    return switch (status) {
      case 401, 403 ->
          new PullFailure(
              Kind.NEEDS_CREDENTIALS,
              host + " does not give this file to everybody",
              "fetch the file yourself, and use the file");
      case 404, 410 -> new PullFailure(Kind.UNKNOWN, host + " has no such file", "check the path");
      default ->
          new PullFailure(
              Kind.UNREACHABLE, host + " answers with HTTP status " + status, "try again later");
    };
  }

  /** Closes a stream from which nothing comes, or for too long; that ends whoever reads it. */
  private final class Watch implements AutoCloseable {
    private final Thread thread;

    Watch(AtomicLong done, InputStream in) {
      thread = Thread.ofVirtual().name("download").start(() -> watch(done, in));
    }

    private void watch(AtomicLong done, InputStream in) {
      long seen = done.get();
      long since = System.nanoTime();
      try {
        while (System.nanoTime() - since < still.toNanos() && !time.isOver()) {
          Thread.sleep(LOOK);
          if (done.get() != seen) {
            seen = done.get();
            since = System.nanoTime();
          }
        }
        in.close();
      } catch (InterruptedException over) {
        Thread.currentThread().interrupt();
      } catch (IOException closed) {
        org.slf4j.LoggerFactory.getLogger(Downloads.class).debug("closed already", closed);
      }
    }

    @Override
    public void close() {
      thread.interrupt();
    }
  }
}
