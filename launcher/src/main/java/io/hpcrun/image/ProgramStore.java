package io.hpcrun.image;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What commands are in their containers, remembered as long as the images ({@link ImageState}) and
 * the files of this machine that took part stay as they are.
 */
public final class ProgramStore {
  private final UserCache cache;

  /** Remembers them in the directory {@code programs} of the user's cache. */
  public ProgramStore(UserCache cache) {
    this.cache = cache;
  }

  /**
   * The command of a launch.
   *
   * @throws Failure with exit code 5 when the image cannot be looked into
   */
  public Program of(Image image, ImageProfile profile, ProgramRequest request) {
    try {
      Path place = place(ImageState.of(image), request);
      Optional<ProgramJson.Remembered> known =
          cache
              .recall(place)
              .flatMap(ProgramJson::read)
              .filter(remembered -> remembered.states().equals(states(remembered)));
      if (known.isPresent()) {
        return known.get().program();
      }
      ProgramReader.Result result = ProgramReader.read(image, profile, request);
      Map<String, String> states = new TreeMap<>();
      for (Path file : result.looked()) {
        states.put(file.toString(), state(file));
      }
      cache.remember(
          place, ProgramJson.write(new ProgramJson.Remembered(result.program(), states)));
      return result.program();
    } catch (IOException failed) {
      throw Failure.image(
          "the image " + image.path() + " cannot be looked into: " + failed.getMessage(),
          "check the file system that holds it");
    }
  }

  private Path place(String state, ProgramRequest request) {
    byte[] key =
        String.join(
                "\0",
                state,
                request.command(),
                request.workingDirectory(),
                new TreeMap<>(request.environment()).toString(),
                new TreeMap<>(request.mounts()).toString())
            .getBytes(StandardCharsets.UTF_8);
    return cache
        .directory()
        .resolve("programs")
        .resolve(ImageDigest.hexadecimal(ImageDigest.sha256().digest(key)) + ".json");
  }

  private static Map<String, String> states(ProgramJson.Remembered remembered) {
    Map<String, String> states = new TreeMap<>();
    remembered.states().keySet().forEach(file -> states.put(file, state(Path.of(file))));
    return states;
  }

  private static String state(Path file) {
    try {
      return ImageDigest.state(file);
    } catch (IOException gone) {
      return "gone";
    }
  }
}
