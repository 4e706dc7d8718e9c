package io.hpcrun.cli;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.image.Image;
import io.hpcrun.image.ImageProfile;
import io.hpcrun.image.ImageProfile.Library;
import io.hpcrun.image.ImageReader;
import io.hpcrun.image.ProfileJson;
import io.hpcrun.image.ProfileStore;
import io.hpcrun.image.UserCache;
import io.hpcrun.request.GetoptParser;
import io.hpcrun.request.Requests;
import java.io.PrintStream;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** {@code hpcrun inspect IMAGE}: what an image holds that decides how it can be run. */
final class InspectCommand {
  private static final int LINE = 96;
  private static final int FEW = 3;

  private final PrintStream out;

  private InspectCommand(PrintStream out) {
    this.out = out;
  }

  static int run(List<String> words, Console console) {
    Options options = new Options().addOption(Option.builder().longOpt("json").get());
    GetoptParser.Around parsed = new GetoptParser(options, "inspect").parseAround(words);
    if (parsed.operands().size() != 1) {
      throw Failure.usage("hpcrun inspect takes one image", "write: hpcrun inspect IMAGE [--json]");
    }
    Image image =
        ImageReader.read(
            Requests.path("image", parsed.operands().getFirst(), console.workingDirectory()));
    ImageProfile profile = new ProfileStore(new UserCache(console.environment())).read(image);
    if (parsed.has("json")) {
      byte[] json = ProfileJson.write(profile);
      console.out().write(json, 0, json.length);
      console.out().println();
    } else {
      new InspectCommand(console.out()).print(image, profile);
    }
    return ExitCode.OK.code();
  }

  private void print(Image image, ImageProfile profile) {
    out.println(image.path());
    row("format", image.format() == Image.Format.SIF ? "SIF, " + size(image.size()) : "sandbox");
    row("for", image.architecture().or(profile::architecture).orElse("an unknown architecture"));
    row("system", profile.system().orElse("it does not say"));
    row("libc", profile.libc().map(InspectCommand::named).orElse("none that programs could load"));
    profile
        .mpi()
        .forEach(
            mpi -> {
              row("MPI", mpi.family().label() + version(mpi.version()) + "  /" + mpi.path());
              row(
                  "",
                  mpi.speaks().isEmpty()
                      ? "it speaks no interface that Slurm has"
                      : "speaks " + String.join(" and ", mpi.speaks()));
              users(profile, mpi);
            });
    if (profile.mpi().isEmpty()) {
      row("MPI", "none");
    }
    libraries("PMI", profile.pmi());
    libraries("network", profile.network());
    libraries("GPU", profile.gpu());
    profile.labels().forEach((name, value) -> row("label", name + " = " + value));
  }

  /** Who needs an MPI library: the first few programs. */
  private void users(ImageProfile profile, ImageProfile.Mpi mpi) {
    List<String> users =
        profile.programs().entrySet().stream()
            .filter(program -> program.getValue().equals(mpi.soname()))
            .map(program -> "/" + program.getKey())
            .toList();
    if (!users.isEmpty()) {
      row(
          "",
          "as %s needed by %s%s"
              .formatted(
                  mpi.soname(),
                  String.join(", ", users.subList(0, Math.min(users.size(), FEW))),
                  users.size() > FEW ? " and " + (users.size() - FEW) + " more" : ""));
    }
  }

  private static String size(long bytes) {
    return bytes >> 20 > 0 ? (bytes >> 20) + " MiB" : (bytes >> 10) + " KiB";
  }

  private void libraries(String title, List<Library> libraries) {
    String first = title;
    for (Library library : libraries) {
      row(first, named(library));
      first = "";
      StringBuilder line = new StringBuilder();
      for (String part : library.parts()) {
        if (line.length() + part.length() > LINE - 13) {
          row("", "  " + line);
          line.setLength(0);
        }
        line.append(line.isEmpty() ? "" : " ").append(part);
      }
      if (!line.isEmpty()) {
        row("", "  " + line);
      }
    }
  }

  private static String named(Library library) {
    return library.name() + version(library.version()) + "  /" + library.path();
  }

  private static String version(Optional<String> version) {
    return version.map(v -> " " + v).orElse(", version unknown");
  }

  /** The text is the image's author's: no control characters for the user's terminal. */
  static String printable(String text) {
    return text.chars()
        .mapToObj(c -> Character.isISOControl(c) ? " " : Character.toString(c))
        .collect(Collectors.joining());
  }

  private void row(String title, String text) {
    out.println("  %-9s %s".formatted(title, printable(text)).stripTrailing());
  }
}
