/** What is known of images: read from the file, without running it. */
package io.hpcrun.image;
