/** The image store: pulls that many users share, and the files that all of them may read. */
package io.hpcrun.daemon.images;
