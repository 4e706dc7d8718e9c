/** Records of launches, read as streams, and the statistics made from them. */
package io.hpcrun.timing;
