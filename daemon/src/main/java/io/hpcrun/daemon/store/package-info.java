/** What hpcrund knows about launches, in SQLite or PostgreSQL. */
package io.hpcrun.daemon.store;
