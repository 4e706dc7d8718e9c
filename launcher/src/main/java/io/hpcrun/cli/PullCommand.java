package io.hpcrun.cli;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.json.Json;
import io.hpcrun.pull.ImageSource;
import io.hpcrun.request.GetoptParser;
import io.hpcrun.request.Requests;
import io.hpcrun.spec.ByteString;
import java.util.List;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** {@code hpcrun pull SOURCE}: gets an image, and prints where it is. */
final class PullCommand {
  private PullCommand() {}

  static int run(List<String> words, Console console) {
    Options options =
        new Options()
            .addOption(Option.builder().longOpt("json").get())
            .addOption(Option.builder().longOpt("arch").hasArg().get());
    GetoptParser.Around parsed = new GetoptParser(options, "pull").parseAround(words);
    if (parsed.operands().size() != 1) {
      throw Failure.usage(
          "hpcrun pull takes one source", "write: hpcrun pull docker://NAME[:TAG] [--json]");
    }
    String word = ByteString.ofLatin1(parsed.operands().getFirst()).toString();
    String source =
        ImageSource.isRemote(word)
            ? word
            : Requests.path("image", parsed.operands().getFirst(), console.workingDirectory())
                .toString();
    ImagePull.Pulled pulled = pull(parsed, console).pull(source);
    if (parsed.has("json")) {
      console.out().writeBytes(json(source, pulled));
    } else {
      console.out().println(pulled.path());
      console.out().print("sha256:" + pulled.sha256());
    }
    console.out().println();
    return ExitCode.OK.code();
  }

  private static ImagePull pull(GetoptParser.Around parsed, Console console) {
    String architecture =
        parsed.before().getOptionValue("arch", parsed.after().getOptionValue("arch"));
    if (architecture == null) {
      return ImagePull.of(console);
    }
    if (!architecture.matches("[a-z0-9]{1,16}")) {
      throw Failure.usage(
          "--arch=" + ByteString.ofLatin1(architecture) + " is no architecture",
          "use Go's name of it, such as amd64 or arm64");
    }
    return ImagePull.of(console, architecture);
  }

  private static byte[] json(String source, ImagePull.Pulled pulled) {
    return Json.write(
        json -> {
          json.writeStringProperty("source", source);
          json.writeStringProperty("path", pulled.path().toString());
          json.writeStringProperty("sha256", pulled.sha256());
        });
  }
}
