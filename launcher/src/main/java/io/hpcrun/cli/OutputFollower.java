package io.hpcrun.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Copies what a job appends to its output file. */
final class OutputFollower {
  private static final int CHUNK = 1 << 16;

  private final Path file;
  private final OutputStream to;
  private final ByteBuffer buffer = ByteBuffer.allocate(CHUNK);
  private long position;

  /** Begins at the file's present end if the job appends to it, else at its start. */
  OutputFollower(Path file, OutputStream to, boolean appends) throws IOException {
    this.file = file;
    this.to = to;
    this.position = appends && Files.isReadable(file) ? Files.size(file) : 0;
  }

  /** The file, if it cannot be read from here. */
  Optional<Path> unreadable() {
    return Files.isReadable(file) ? Optional.empty() : Optional.of(file);
  }

  /**
   * Copies what is new. The file is opened anew each time, so that a network file system shows what
   * other nodes wrote.
   *
   * @return whether there was anything
   */
  boolean copyNew() throws IOException {
    if (!Files.isReadable(file)) {
      return false;
    }
    boolean any = false;
    try (SeekableByteChannel channel = Files.newByteChannel(file)) {
      if (channel.size() < position) {
        position = 0; // truncated: a requeued job begins again
      }
      channel.position(position);
      while (channel.read(buffer.clear()) > 0) {
        to.write(buffer.array(), 0, buffer.position());
        position += buffer.position();
        any = true;
      }
    }
    if (any) {
      to.flush();
    }
    return any;
  }
}
