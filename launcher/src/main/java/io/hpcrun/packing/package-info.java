/** From what a job needs in all to partition, nodes and ranks; no file, clock or process. */
package io.hpcrun.packing;
