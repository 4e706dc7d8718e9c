/** Small JSON documents: written and read with Jackson's streaming API, whose start is quick. */
package io.hpcrun.json;
