package io.hpcrun.daemon.images;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.daemon.api.Call;
import io.hpcrun.daemon.api.Caller;
import io.hpcrun.daemon.api.Endpoint;
import io.hpcrun.daemon.api.ImageEndpoints;
import io.hpcrun.daemon.api.Json;
import io.hpcrun.pull.ImageSource;
import io.hpcrun.pull.Resolved;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** What the API tells of the images. */
class ImageListingTest {
  private static final String OWN = "/home/alice/secret-project.sif";
  private static final String SHARED = "docker://r:1/app:1";

  private static final Caller ALICE = new Caller(1, "alice", false);

  @TempDir private Path directory;

  private static JsonNode listing(ImageStore store, Caller caller) throws IOException {
    Endpoint list =
        new ImageEndpoints(Optional.empty(), Optional.of(store), Optional.empty(), jobs -> Map.of())
            .endpoints().stream()
                .filter(each -> each.method().equals("GET") && each.path().equals("/v1/images"))
                .findFirst()
                .orElseThrow();
    byte[] answer =
        list.action()
            .answer(new Call(caller, Map.of(), Map.of(), InputStream.nullInputStream()))
            .bytes();
    return Json.MAPPER.readTree(answer).path("images").path(0);
  }

  @Test
  void thePathsOfFilesAreToldToWhoHandedThemInAndToOperators() throws IOException {
    try (ImageStore store =
        new ImageStore(directory, 1 << 20, () -> Optional.of(Map.of()), Clock.systemUTC())) {
      for (String source : List.of(OWN, SHARED)) {
        Path file = Files.write(store.newWork().resolve("image.sif"), new byte[10]);
        store.add(
            file,
            "a".repeat(64),
            new Resolved(
                ImageSource.parse(source),
                "amd64",
                Optional.of(source + " state"),
                0,
                Optional.empty()),
            ALICE);
      }
      for (Caller may : List.of(new Caller(1, "alice", false), new Caller(0, "root", true))) {
        assertThat(listing(store, may).path("sources").toString()).contains(OWN, SHARED);
      }
      assertThat(listing(store, new Caller(2, "bob", false)).toString())
          .contains(SHARED)
          .doesNotContain("secret-project");
      String path = store.path(store.all().getFirst()).toString();
      assertThat(ImageEndpoints.sources(store, new Caller(2, "bob", false)))
          .as("as launches show them")
          .containsExactly(Map.entry(path, SHARED));
    }
  }

  @Test
  void aFileOfAnotherUserIsNoSourceOfALaunchThatNamesItsImage() throws IOException {
    try (ImageStore store =
        new ImageStore(directory, 1 << 20, () -> Optional.of(Map.of()), Clock.systemUTC())) {
      Path file = Files.write(store.newWork().resolve("image.sif"), new byte[10]);
      store.add(
          file,
          "a".repeat(64),
          new Resolved(ImageSource.parse(OWN), "amd64", Optional.of("state"), 0, Optional.empty()),
          ALICE);
      assertThat(ImageEndpoints.sources(store, new Caller(2, "bob", false))).isEmpty();
      for (Caller may : List.of(new Caller(1, "alice", false), new Caller(0, "root", true))) {
        assertThat(ImageEndpoints.sources(store, may).values()).containsExactly(OWN);
        assertThat(listing(store, may).path("pulled_by").asString()).isEqualTo("alice");
      }
      assertThat(listing(store, new Caller(2, "bob", false)).has("pulled_by")).isFalse();
    }
  }
}
