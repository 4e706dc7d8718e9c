/** Starting other programs: the only package that may. */
package io.hpcrun.process;
