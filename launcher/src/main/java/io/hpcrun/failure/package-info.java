/** How hpcrun fails: exit codes, and failures that carry cause and remedy. */
package io.hpcrun.failure;
