/**
 * The planner: spec, image and cluster become decisions, each with a reason. It touches no file,
 * clock or process.
 */
package io.hpcrun.plan;
