/** YAML files that people write: read with the place of each value, so that mistakes are found. */
package io.hpcrun.yaml;
