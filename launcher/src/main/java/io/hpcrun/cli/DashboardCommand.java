package io.hpcrun.cli;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.planning.DaemonProblem;
import io.hpcrun.planning.DaemonTokens;
import io.hpcrun.planning.DaemonUnavailable;
import io.hpcrun.request.GetoptParser;
import java.util.List;
import org.apache.commons.cli.Options;

/** {@code hpcrun dashboard}: the address at which a browser shows the user's launches. */
final class DashboardCommand {
  private DashboardCommand() {}

  static int run(List<String> words, Console console) {
    GetoptParser.Around parsed = new GetoptParser(new Options(), "dashboard").parseAround(words);
    if (!parsed.operands().isEmpty()) {
      throw Failure.usage("hpcrun dashboard takes no operand", "write: hpcrun dashboard");
    }
    try {
      String page =
          DaemonTokens.page(console.environment())
              .orElseThrow(
                  () ->
                      Failure.usage(
                          "there is no hpcrund on this machine, and the dashboard is its",
                          "ask the administrators; 'hpcrun timing JOBID' shows a launch here"));
      console.out().println(page);
      console
          .err()
          .println("hpcrun: this address is yours for twelve hours: who has it sees your launches");
      return ExitCode.OK.code();
    } catch (DaemonProblem problem) {
      throw Failure.usage(problem.getMessage(), problem.remedy());
    } catch (DaemonUnavailable unavailable) {
      throw Failure.internal(
          unavailable.getMessage(), "try again, or ask the administrators", unavailable);
    }
  }
}
