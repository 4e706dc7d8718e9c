package io.hpcrun.image;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * The files of an image, looked at from outside: nothing of the image is executed, mounted or
 * trusted.
 */
interface ImageFiles extends AutoCloseable {
  /** Bytes of a text that is read whole; larger ones say nothing that counts. */
  long LARGEST_TEXT = 1 << 20;

  /**
   * A file of an image.
   *
   * @param path from the image's root, without a leading slash
   * @param size in bytes; 0 for what is no regular file
   * @param target where a symbolic link leads, as it stands there; empty for a regular file
   */
  record Entry(String path, long size, String target) {
    boolean isLink() {
      return !target.isEmpty();
    }

    String name() {
      return path.substring(path.lastIndexOf('/') + 1);
    }
  }

  /** The regular files and symbolic links that are wanted. */
  List<Entry> list(Predicate<Entry> wanted) throws IOException;

  /**
   * Regular files as files of this machine, by their paths in the image; what cannot be had is left
   * out.
   */
  Map<String, Path> fetch(Collection<Entry> entries) throws IOException;

  /** Removes what {@link #fetch} wrote. */
  @Override
  void close() throws IOException;

  /**
   * Opens an image.
   *
   * @throws Failure with exit code 5 when it holds no file system that can be looked at
   */
  static ImageFiles of(Image image) throws IOException {
    return image.format() == Image.Format.SANDBOX
        ? new DirectoryFiles(image.path())
        : new SquashfsFiles(image.path(), SifTable.system(image.path()));
  }
}
