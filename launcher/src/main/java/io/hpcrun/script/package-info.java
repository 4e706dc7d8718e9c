/** The plan rendered as a batch script: the same plan, the same bytes. No file, clock, process. */
package io.hpcrun.script;
