package io.hpcrun.cli;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.json.Json;
import io.hpcrun.planning.DaemonImages;
import io.hpcrun.planning.DaemonProblem;
import io.hpcrun.planning.DaemonUnavailable;
import io.hpcrun.pull.UserImages;
import io.hpcrun.request.GetoptParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** {@code hpcrun images}: the site's images, and the user's own. */
final class ImagesCommand {
  private static final DateTimeFormatter DAY =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm").withZone(ZoneId.systemDefault());

  private ImagesCommand() {}

  static int run(List<String> words, Console console) {
    Options options = new Options().addOption(Option.builder().longOpt("json").get());
    GetoptParser.Around parsed = new GetoptParser(options, "images").parseAround(words);
    if (!parsed.operands().isEmpty()) {
      throw Failure.usage("hpcrun images takes no words", "write: hpcrun images [--json]");
    }
    Optional<byte[]> store = store(console);
    List<UserImages.Own> own = UserImages.all(console.environment());
    if (parsed.has("json")) {
      console.out().writeBytes(json(store, own));
      console.out().println();
    } else {
      store.ifPresent(listing -> print(listing, console));
      own.forEach(image -> printOwn(image, console));
    }
    return ExitCode.OK.code();
  }

  private static Optional<byte[]> store(Console console) {
    try {
      return DaemonImages.of(console.environment()).map(DaemonImages::list);
    } catch (DaemonProblem noStore) {
      return Optional.empty();
    } catch (DaemonUnavailable unavailable) {
      console.err().println("hpcrun: note: " + unavailable.getMessage());
      return Optional.empty();
    }
  }

  private static void print(byte[] listing, Console console) {
    Map<String, Object> all = Json.read(listing).orElse(Map.of());
    for (Map<String, Object> image : Json.objects(all, "images")) {
      List<String> sources = Json.words(image, "sources");
      line(
          console,
          Long.parseLong((String) image.get("size")),
          Instant.ofEpochSecond(Long.parseLong((String) image.get("used_s"))),
          (String) image.get("architecture"),
          sources.isEmpty() ? "(unknown)" : sources.getLast(),
          (String) image.get("path"));
    }
    console
        .out()
        .printf(
            "%s of %s are used%n",
            size(Long.parseLong((String) all.get("bytes"))),
            size(Long.parseLong((String) all.get("quota_bytes"))));
  }

  private static void printOwn(UserImages.Own own, Console console) {
    Path image = own.path();
    try {
      line(
          console,
          Files.size(image),
          Files.getLastModifiedTime(image).toInstant(),
          "",
          own.source().map(source -> source + " (your own)").orElse("(your own)"),
          image.toString());
    } catch (IOException gone) {
      console.err().println("hpcrun: note: " + image + " cannot be read: " + gone.getMessage());
    }
  }

  private static void line(
      Console console, long size, Instant used, String architecture, String source, String path) {
    console
        .out()
        .printf(
            "%9s  %s  %-6s %s%n           %s%n",
            size(size), DAY.format(used), architecture, InspectCommand.printable(source), path);
  }

  private static String size(long bytes) {
    return bytes >= 10_000_000_000L
        ? bytes / 1_000_000_000 + " GB"
        : bytes >= 10_000_000 ? bytes / 1_000_000 + " MB" : bytes / 1000 + " kB";
  }

  private static byte[] json(Optional<byte[]> store, List<UserImages.Own> own) {
    return Json.write(
        json -> {
          store.ifPresent(
              listing -> {
                json.writeName("store");
                json.writeRawValue(new String(listing, StandardCharsets.UTF_8));
              });
          Json.strings(json, "own", own.stream().map(each -> each.path().toString()).toList());
          json.writeName("own_sources");
          json.writeStartObject();
          own.forEach(
              each ->
                  each.source()
                      .ifPresent(
                          source -> json.writeStringProperty(each.path().toString(), source)));
          json.writeEndObject();
        });
  }
}
