/** The API, version 1: who asks, what may be asked, and how answers look. */
package io.hpcrun.daemon.api;
