package io.hpcrun.image;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Profiles of images, remembered for SIF files by their header, which no other build shares. A
 * sandbox is looked at each time: its files may change.
 */
public final class ProfileStore {
  private final UserCache cache;

  /** Remembers profiles in the directory {@code profiles} of the user's cache. */
  public ProfileStore(UserCache cache) {
    this.cache = cache;
  }

  /**
   * The profile of an image.
   *
   * @throws Failure with exit code 5 when the image cannot be looked into
   */
  public ImageProfile of(Image image) {
    try {
      if (image.header().isEmpty()) {
        return ProfileReader.read(image);
      }
      Path place = cache.directory().resolve("profiles").resolve(image.header().get() + ".json");
      Optional<ImageProfile> known =
          Files.isReadable(place) ? ProfileJson.read(Files.readAllBytes(place)) : Optional.empty();
      if (known.isPresent()) {
        return known.get();
      }
      ImageProfile profile = ProfileReader.read(image);
      cache.remember(place, ProfileJson.write(profile));
      return profile;
    } catch (IOException failed) {
      throw Failure.image(
          "the image " + image.path() + " cannot be looked into: " + failed.getMessage(),
          "check the file system that holds it, and that there is room in "
              + System.getProperty("java.io.tmpdir"));
    }
  }
}
