package io.hpcrun.daemon.store;

import java.util.Optional;

/**
 * A launch that is not known to be over: what is needed to ask Slurm about it, and no more.
 *
 * @param id its number in this store
 * @param key what tells it from all others
 * @param user the owner's name
 */
public record OpenRecord(long id, LaunchKey key, Optional<String> user) {}
