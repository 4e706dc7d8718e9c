/**
 * A real Slurm cluster in containers for the tests, started through Testcontainers, and the ways to
 * act on it as its users do.
 */
package io.hpcrun.lab;
