package io.hpcrun.cli;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Map;

/**
 * What a sub-command has of the outside.
 *
 * @param out standard output
 * @param err standard error
 * @param workingDirectory where the user is
 * @param environment the user's variables
 */
record Console(
    PrintStream out, PrintStream err, Path workingDirectory, Map<String, String> environment) {}
