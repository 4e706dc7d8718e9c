/** What a launch was made from, kept beside its records, and how that is run again. */
package io.hpcrun.manifest;
