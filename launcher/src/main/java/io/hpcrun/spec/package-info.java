/**
 * What is asked for: the options, parsed and checked at the edge into their own types. Everything
 * after this package works on values that are known to be right.
 */
package io.hpcrun.spec;
