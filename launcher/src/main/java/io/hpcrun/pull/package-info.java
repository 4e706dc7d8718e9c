/** Where images come from: sources, what they are pinned to, and how they are fetched. */
package io.hpcrun.pull;
