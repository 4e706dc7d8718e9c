package io.hpcrun.cli;

import io.hpcrun.cluster.Partition;
import io.hpcrun.process.CallerEnvironment;
import io.hpcrun.request.Requests;
import io.hpcrun.site.Site;
import io.hpcrun.slurm.SlurmClient;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * What a sub-command has of the outside.
 *
 * @param out standard output
 * @param err standard error
 * @param workingDirectory where the user is
 * @param environment the user's variables, over those that the site sets for hpcrun
 * @param site what the administrators declare
 */
record Console(
    PrintStream out,
    PrintStream err,
    Path workingDirectory,
    Map<String, String> environment,
    Site site) {
  /** Of a site that says nothing. */
  Console(
      PrintStream out, PrintStream err, Path workingDirectory, Map<String, String> environment) {
    this(out, err, workingDirectory, environment, Site.NONE);
  }

  /** The user's variables as they were when he called hpcrun. */
  Map<String, String> userVariables() {
    Map<String, String> variables = CallerEnvironment.of(environment);
    site.variables().forEach(variables::remove);
    return variables;
  }

  /** What of the site's variables counts. */
  Map<String, String> siteVariables() {
    Map<String, String> variables = new HashMap<>(site.variables());
    variables.entrySet().removeIf(each -> !each.getValue().equals(environment.get(each.getKey())));
    return variables;
  }

  /** Who asks for launches. */
  Requests.Caller caller() {
    return new Requests.Caller(
        workingDirectory,
        CallerEnvironment.of(environment),
        site.options(),
        source -> ImagePull.of(this).image(source),
        new Supplier<>() {
          private List<Partition> partitions;

          @Override
          public List<Partition> get() {
            if (partitions == null) {
              partitions = new SlurmClient().partitions();
            }
            return partitions;
          }
        });
  }
}
