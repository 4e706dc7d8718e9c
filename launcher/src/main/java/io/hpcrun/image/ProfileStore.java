package io.hpcrun.image;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Profiles of images, remembered as long as the images stay as they are ({@link ImageState}). */
public final class ProfileStore {
  /** Its number counts what profiles hold: one of an older hpcrun may lack something. */
  private static final String DIRECTORY = "profiles-2";

  private final UserCache cache;

  /** Remembers profiles in the directory {@code profiles-2} of the user's cache. */
  public ProfileStore(UserCache cache) {
    this.cache = cache;
  }

  /**
   * The profile of an image as its files are now.
   *
   * @throws Failure with exit code 5 when the image cannot be looked into
   */
  public ImageProfile read(Image image) {
    return image.header().isPresent() ? of(image) : profile(image, false);
  }

  /**
   * The profile of an image.
   *
   * @throws Failure with exit code 5 when the image cannot be looked into
   */
  public ImageProfile of(Image image) {
    return profile(image, true);
  }

  private ImageProfile profile(Image image, boolean remembered) {
    try {
      Path place = cache.directory().resolve(DIRECTORY).resolve(ImageState.of(image) + ".json");
      Optional<ImageProfile> known =
          remembered ? cache.recall(place).flatMap(ProfileJson::read) : Optional.empty();
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
