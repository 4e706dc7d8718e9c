/** Job files: what the options can say, written down in YAML, with parameters. */
package io.hpcrun.jobfile;
