/** Takes the records that nodes leave in the spool into the store. */
package io.hpcrun.daemon.ingest;
