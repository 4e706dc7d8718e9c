package io.hpcrun.daemon;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.script.Version;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.slf4j.LoggerFactory;
import sun.misc.Signal;

/** The program {@code hpcrund}: serves until SIGTERM, reads its settings anew at SIGHUP. */
public final class Main {
  private static final String HELP =
      """
      hpcrund plans launches for the users of this machine, keeps the records of launches and answers
      questions about them.

        hpcrund [--config=FILE]         serve until SIGTERM; SIGHUP reads the settings anew
        hpcrund check [--config=FILE]   check the settings, change nothing
        hpcrund --version

        --config=FILE                   the site file, default /etc/hpcrun/site.yaml

      Exit codes: 0 done; 2 wrong option or settings; 1 hpcrund failed.
      """;

  private final PrintStream out;
  private final PrintStream err;

  private Main(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  /** Runs the program and ends the process with its exit code. */
  public static void main(String[] words) {
    System.exit(run(List.of(words), System.out, System.err));
  }

  static int run(List<String> words, PrintStream out, PrintStream err) {
    try {
      return new Main(out, err).dispatch(words);
    } catch (Failure failure) {
      err.println("hpcrund: error: " + failure.getMessage());
      err.println("  what to do: " + failure.remedy());
      LoggerFactory.getLogger(Main.class).debug("failed", failure);
      return failure.exitCode().code();
    }
  }

  private int dispatch(List<String> words) {
    Path file = Settings.DEFAULT_FILE;
    boolean check = false;
    for (String word : words) {
      if (word.startsWith("--config=") && word.length() > "--config=".length()) {
        file = Path.of(word.substring("--config=".length()));
      } else if (word.equals("check")) {
        check = true;
      } else if (word.equals("--version")) {
        out.println("hpcrund " + Version.VERSION);
        return ExitCode.OK.code();
      } else if (word.equals("--help") || word.equals("-h")) {
        out.print(HELP);
        return ExitCode.OK.code();
      } else {
        throw Failure.usage("hpcrund has no option '" + word + "'", "see hpcrund --help");
      }
    }
    SiteWatch site = new SiteWatch(file);
    Settings settings = SettingsFile.of(site.site());
    if (check) {
      return check(settings, file);
    }
    serve(settings, site, file);
    return ExitCode.OK.code();
  }

  private int check(Settings settings, Path file) {
    List<MachineCheck.Finding> findings = MachineCheck.of(settings);
    for (MachineCheck.Finding finding : findings) {
      err.println("hpcrund: error: " + finding.text());
      err.println("  what to do: " + finding.remedy());
    }
    if (!findings.isEmpty()) {
      return ExitCode.USAGE.code();
    }
    out.println(file + " is valid");
    return ExitCode.OK.code();
  }

  private void serve(Settings settings, SiteWatch site, Path file) {
    SystemdNotify systemd = new SystemdNotify(System.getenv("NOTIFY_SOCKET"));
    CountDownLatch end = new CountDownLatch(1);
    try (Service service = Service.of(settings, site)) {
      Signal.handle(new Signal("TERM"), signal -> end.countDown());
      Signal.handle(new Signal("INT"), signal -> end.countDown());
      Signal.handle(new Signal("HUP"), signal -> reload(service, systemd, file));
      service.start();
      systemd.ready();
      end.await();
      systemd.stopping();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Settings that are not valid change nothing. */
  private void reload(Service service, SystemdNotify systemd, Path file) {
    systemd.reloading();
    try {
      service.reload(SettingsFile.read(file));
    } catch (Failure invalid) {
      LoggerFactory.getLogger(Main.class)
          .error("the settings stay as they were: {}; {}", invalid.getMessage(), invalid.remedy());
    }
    systemd.ready();
  }
}
