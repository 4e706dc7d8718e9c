/** What differs between two launches. */
package io.hpcrun.difference;
