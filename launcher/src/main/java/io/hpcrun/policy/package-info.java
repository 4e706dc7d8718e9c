/**
 * A site's rules for launches: facts, conditions on them, and what refuses or warns. Pure; the same
 * rules are judged in slurmctld by judge.lua, with the same words.
 */
package io.hpcrun.policy;
