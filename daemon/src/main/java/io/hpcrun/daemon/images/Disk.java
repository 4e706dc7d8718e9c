package io.hpcrun.daemon.images;

import io.hpcrun.pull.DiskUse;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;

/** What the store asks of the disk that holds it. */
class Disk {
  private static final Duration LIMIT = Duration.ofMinutes(1);

  /** Waits until a file, or what a directory lists, is on the disk; long if the file is large. */
  void force(Path path) throws IOException {
    try (FileChannel opened = FileChannel.open(path, StandardOpenOption.READ)) {
      opened.force(true);
    }
  }

  /** Bytes that a file has there. */
  long use(Path file) throws IOException {
    return DiskUse.of(file, LIMIT);
  }

  /** Bytes that are free on the file system of a directory. */
  long free(Path directory) throws IOException {
    return Files.getFileStore(directory).getUsableSpace();
  }
}
