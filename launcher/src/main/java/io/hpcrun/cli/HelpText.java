package io.hpcrun.cli;

import io.hpcrun.failure.Failure;
import io.hpcrun.request.OptionTable;
import io.hpcrun.request.OwnOption;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.ContainerFlag;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.spec.SlurmValue;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** The help texts; options come from the tables that the parser uses. */
final class HelpText {
  /** The sub-commands. */
  static final List<String> COMMANDS =
      List.of(
          "run",
          "submit",
          "exec",
          "shell",
          "explain",
          "template",
          "config",
          "policy",
          "pull",
          "images",
          "inspect",
          "cluster",
          "topo",
          "timing",
          "replay",
          "diff",
          "dashboard",
          "help",
          "version");

  private static final String FILES =
      """

      In the place of IMAGE and COMMAND may stand JOB.yaml, a job file, or an option with a template:

            --template=NAME|PATH    a template; -t NAME where NAME is no time
            --set=NAME=VALUE        a parameter of job file or template; repeatable
      """;

  private HelpText() {}

  static String overview() {
    return """
        hpcrun runs containers as Slurm jobs and times how they start.

          hpcrun run    [options] IMAGE -- COMMAND [ARGUMENT...]  run it and wait
          hpcrun submit [options] IMAGE -- COMMAND [ARGUMENT...]  submit it, print the job id
          hpcrun submit [options] SCRIPT [ARGUMENT...]            submit a script with #HPCRUN lines
          hpcrun submit [options] JOB.yaml                        submit a job file; also run, explain
          hpcrun exec   [options] IMAGE -- COMMAND [ARGUMENT...]  run it as a step of this job
          hpcrun shell  [options] IMAGE                           a shell on a compute node
          hpcrun explain [options] IMAGE -- COMMAND [ARGUMENT...] every decision, with its reason
          hpcrun explain env [options] IMAGE -- COMMAND [ARG...]  every variable of the ranks
          hpcrun template list|show|check|test [NAME]             templates of site, team and user
          hpcrun config [options] [KEY]                           each setting, and where it is from
          hpcrun policy                                           the site's rules
          hpcrun pull SOURCE [--json]                             get an image from a registry
          hpcrun images [--json]                                  the images that are here
          hpcrun inspect IMAGE [--json]                           what the image holds
          hpcrun cluster [--json]                                 what Slurm offers here
          hpcrun topo [--node=NAME] [--json]                      a node's GPUs and network ports
          hpcrun timing [JOBID] [--ranks] [--json]                how long each stage took
          hpcrun replay JOBID [--dry-run] [--force]               run it again as it was
          hpcrun diff JOBID JOBID [--json]                        what differs between two launches
          hpcrun dashboard                                        the address of the site's dashboard
          hpcrun help   COMMAND                                   all options
          hpcrun version

        Example: hpcrun run -N 2 -n 8 app.sif -- ./app --steps 100

        IMAGE is a SIF file, a sandbox directory, or docker://, oras://, library:// or https://, which
        are fetched first.

        Exit codes: 0 done; 2 wrong option or input; 3 refused: image, cluster and request do not
        fit; 4 Slurm cannot be reached or refused the job; 5 the image cannot be read; 1 hpcrun
        failed. 'run' ends with the application's code, or 128+n if signal n ended it.
        """;
  }

  static String of(String command) {
    return switch (command) {
      case "run" ->
          """
          hpcrun run [options] IMAGE -- COMMAND [ARGUMENT...]

          Submits a job that runs COMMAND in IMAGE, waits for it, copies its output here, prints the
          timing on standard error and ends with the application's exit code. Ctrl-C asks once, the
          second cancels the job; SIGTERM cancels at once. Standard input is not passed on; see -i.
          """
              + FILES
              + launchOptions(EnumSet.allOf(SlurmOption.class), "sbatch");
      case "submit" ->
          """
          hpcrun submit [options] IMAGE -- COMMAND [ARGUMENT...]

          Submits a job that runs COMMAND in IMAGE and prints the job id.

                --dry-run               print the job script, submit nothing
                --parsable              print only JOBID[;CLUSTER], as sbatch does

          hpcrun submit [options] SCRIPT [ARGUMENT...]

          Submits a batch script of yours. Beside its #SBATCH lines it has lines such as

              #HPCRUN --image=app.sif --mpi=pmix

          with any of the options below, and starts its steps with

              hpcrun exec [srun's options] -- COMMAND [ARGUMENT...]

          The nodes are prepared once, before the script begins; all steps use their containers.
          """
              + FILES
              + launchOptions(EnumSet.allOf(SlurmOption.class), "sbatch");
      case "exec" ->
          """
          hpcrun exec [options] IMAGE -- COMMAND [ARGUMENT...]

          Runs COMMAND in IMAGE as a step of the job in which it is called: in a batch script or
          under salloc. Standard input goes to the ranks, as with srun.

                --dry-run               print the script that runs the step, run nothing
          """
              + launchOptions(OptionTable.OF_STEPS, "srun");
      case "shell" ->
          """
          hpcrun shell [options] IMAGE

          Opens a shell in IMAGE on a compute node: of the job in which it is called, or of one that
          it asks for (salloc) and gives back at the end. The shell is bash if the image has it, else
          sh.

                --shell=PROGRAM         another shell
          """
              + launchOptions(EnumSet.allOf(SlurmOption.class), "sbatch");
      case "explain" ->
          """
          hpcrun explain [options] IMAGE -- COMMAND [ARGUMENT...]

          Prints every decision that 'hpcrun submit' would take with the same words: what, its value,
          why, and where that is known from; then warnings, and the verdict. Nothing is submitted.
          Ends with 3 if the launch would be refused.

                --json                  as JSON (schema hpcrun.plan/1)

          hpcrun explain env [options] IMAGE -- COMMAND [ARGUMENT...]

          Prints every variable of your environment and of the launch: whether the ranks get it, its
          value there, by which rule, and where that is known from. Values of secret-looking variables
          are not shown.

                --json                  as JSON (schema hpcrun.environment/1)
          """
              + FILES
              + launchOptions(EnumSet.allOf(SlurmOption.class), "sbatch");
      case "template" ->
          """
          hpcrun template [list] [--json]

          Prints the templates that are here, for 'hpcrun submit --template=NAME': job files with
          parameters, in the directories of $HPCRUN_TEMPLATES, in ~/.config/hpcrun/templates and in those
          that the site names. Of two with one name the first is used.

          hpcrun template show NAME [--json]      what it is for, and its parameters
          hpcrun template check [NAME|PATH]...    whether templates and job files are right
          hpcrun template test [NAME|PATH]...     runs the tests that they bring, without a cluster
          hpcrun template schema                  the JSON Schema of job files and templates
          hpcrun template reference               all their keys

          'check' and 'test' alone take all templates.
          """;
      case "policy" ->
          """
          hpcrun policy [show]

          Prints the site's rules: what they refuse or warn of, why, who can be asked, and who judges them.
          'hpcrun explain' says which of them concern a launch.

          hpcrun policy check [FILE]      whether a policy file, or the site's, is right
          hpcrun policy test [FILE]       whether its rules say of their examples what they should
          hpcrun policy show FILE         the rules of a file
          hpcrun policy export DIR        writes job_submit.lua for slurmctld, and cli_filter.lua
          """;
      case "config" ->
          """
          hpcrun config [options] [KEY] [--json]

          Prints the settings that count for a launch with these options, or one of them, and where each
          is from: site file, partition, module, variable or option. Of two, the later in this list
          wins: what is built in, the site's defaults, the partition's, modules, a template, a job file,
          a variable (SBATCH_...), a script's #HPCRUN lines, an option.

          hpcrun config modules           what --module=NAME stands for
          hpcrun config check [FILE]      whether a site file and its drop-ins are right
          hpcrun config schema            the JSON Schema of the site file
          hpcrun config reference         all keys of the site file

                --json                  as JSON (schema hpcrun.config/1)
          """;
      case "cluster" ->
          """
          hpcrun cluster [--json]

          Prints what Slurm offers here, as far as it decides how containers run: its version, the
          plug-ins of 'srun --mpi', where PMIx keeps its files, partitions and their nodes.

                --json                  as JSON (schema hpcrun.cluster/1)
          """;
      case "topo" ->
          """
          hpcrun topo [--node=NAME | --root=DIR] [--json]

          Prints the GPUs and network ports of this machine, how they lie, and which port a rank with
          that GPU uses, and why; what is wrong, if something is.

                --node=NAME             of a compute node, in a step (srun) that takes no GPU
                --root=DIR              of a copy of another machine's /sys, /proc and /dev
                --json                  as JSON (schema hpcrun.topology/1)
          """;
      case "dashboard" ->
          """
          hpcrun dashboard

          Prints the address at which a browser shows your launches: the dashboard of the site's daemon,
          with a token that stands for you for twelve hours.
          """;
      case "pull" ->
          """
          hpcrun pull SOURCE [--arch=NAME] [--json]

          Gets an image and prints its path and digest. SOURCE is docker://NAME[:TAG], oras://NAME[:TAG],
          library://NAME[:TAG], https://HOST/FILE.sif, or a SIF file. The site's image store gets it once
          for all users, if there is one; Ctrl-C ends the waiting, not the pull. What needs your login
          (apptainer registry login) comes into your own cache, ~/.cache/hpcrun/images, for you alone.

                --arch=NAME             for other processors than this machine's, such as arm64
                --json                  as JSON: source, path, sha256
          """;
      case "images" ->
          """
          hpcrun images [--json]

          Prints the images of the site's store, the last used first: size, last use, architecture,
          source and path; then those of your own cache. A store removes what nobody uses when it is
          full; your own you remove with rm.

                --json                  as JSON
          """;
      case "inspect" ->
          """
          hpcrun inspect IMAGE [--json]

          Prints what the image holds that decides how it can be run: architecture, C library, MPI
          libraries and the process-management interfaces that they speak, PMI, network and GPU
          libraries, labels. Nothing of the image is run. What was found is remembered for SIF files.

                --json                  as JSON (schema hpcrun.profile/1)
          """;
      case "timing" ->
          """
          hpcrun timing [JOBID] [--ranks] [--json]

          Prints how long each stage of the job's launches took, on each node and over all. JOBID is
          a job, an array (all its elements) or one element (12_3); without it, your last job. A
          stage that could not be measured is absent.

                --ranks                 also every rank's stages
                --json                  as JSON (schema hpcrun.timing/1)
          """;
      case "replay" ->
          """
          hpcrun replay JOBID [--dry-run] [--force]

          Submits a job again from its manifest: the same options, whatever the site says now, the same
          command or script, working directory and variables. What cannot be the same is said: image,
          versions of hpcrun and Slurm, decisions, variables whose values are not kept. Another image,
          and secrets that are not as they were, are refused (exit code 3).

                --dry-run               print the job script, submit nothing
                --force                 submit it all the same
                --parsable              print only JOBID[;CLUSTER], as sbatch does
          """;
      case "diff" ->
          """
          hpcrun diff JOBID JOBID [--json]

          Prints what differs between two launches, the most telling first: outcome, image, command,
          options, decisions, environment, versions, nodes and their drivers, timing. JOBID is a job, an
          array's element (12_3), or one launch of a script (12.0.1). Values of secrets are not shown;
          stages count as different from 1.5 times as long on.

                --json                  as JSON (schema hpcrun.diff/1)
          """;
      default -> {
        if (COMMANDS.contains(command)) {
          yield overview();
        }
        throw Failure.usage(
            "hpcrun has no sub-command '" + ByteString.ofLatin1(command) + "'",
            "use one of: " + String.join(", ", COMMANDS));
      }
    };
  }

  private static String launchOptions(Set<SlurmOption> slurm, String program) {
    StringBuilder help = new StringBuilder("\nThe container, in Apptainer's words:\n\n");
    rows(help, OwnOption.Group.CONTAINER);
    for (ContainerFlag flag : ContainerFlag.values()) {
      row(help, '\0', flag.option(), "", flag.help());
    }
    help.append("\nMPI:\n\n");
    rows(help, OwnOption.Group.MPI);
    if (program.equals("sbatch")) {
      row(help, '\0', "image", "=IMAGE", "the image of a script (in its #HPCRUN lines)");
    }
    help.append("\nNetwork:\n\n");
    rows(help, OwnOption.Group.NETWORK);
    help.append("\nHow ranks come into the container:\n\n");
    rows(help, OwnOption.Group.ENTERING);
    help.append("\nWhat the site prepared:\n\n");
    rows(help, OwnOption.Group.SITE);
    if (program.equals("sbatch")) {
      help.append("\nHow large the job is, where nobody says on how many nodes:\n\n");
      rows(help, OwnOption.Group.SIZE);
    }
    help.append(
        "\nThe %s, in %s's words and with their meaning:\n\n"
            .formatted(program.equals("srun") ? "step" : "job", program));
    for (SlurmOption option : slurm) {
      String value = option.placeholder();
      boolean assigned =
          option.value() != SlurmValue.NONE && option.value() != SlurmValue.OPTIONAL_WORD;
      row(help, option.letter(), option.option(), (assigned ? "=" : "") + value, option.help());
    }
    if (program.equals("sbatch")) {
      row(help, '\0', "sbatch", "=OPTION", "any other option of sbatch, passed on as it is");
    }
    rows(help, OwnOption.Group.SLURM);
    return help.toString();
  }

  private static void rows(StringBuilder help, OwnOption.Group group) {
    for (OwnOption option : OwnOption.values()) {
      if (option.group() == group) {
        String value = option.form() == OwnOption.Form.FLAG ? "" : "=" + option.placeholder();
        row(help, '\0', option.option(), value, option.help());
      }
    }
  }

  private static void row(StringBuilder help, char letter, String name, String value, String text) {
    String option = (letter == '\0' ? "    " : "-" + letter + ", ") + "--" + name + value;
    help.append("  ").append(option);
    help.append(option.length() > 27 ? "\n" + " ".repeat(30) : " ".repeat(28 - option.length()));
    help.append(text).append('\n');
  }
}
