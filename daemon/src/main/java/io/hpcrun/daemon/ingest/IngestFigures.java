package io.hpcrun.daemon.ingest;

import java.time.Duration;
import java.util.Optional;

/**
 * What the ingest has done since the daemon's start.
 *
 * @param stored records that told something new
 * @param known records that told nothing new
 * @param differing second records of a node that say something else than the first
 * @param ranks ranks of the stored nodes
 * @param quarantined files that were no records
 * @param bytes bytes of the records that were taken
 * @param unreadable how often a file could not be taken, read or removed; it is tried again
 * @param storeFailures how often the store could not take records; they are tried again
 * @param lag how old the oldest file of the last batch was when it was in the store; while the
 *     store fails, how old the oldest one is that waits
 * @param trouble why the store takes no records now; empty if all is well
 */
public record IngestFigures(
    long stored,
    long known,
    long differing,
    long ranks,
    long quarantined,
    long bytes,
    long unreadable,
    long storeFailures,
    Duration lag,
    Optional<String> trouble) {}
