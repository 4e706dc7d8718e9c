/** From what users type and write down to a checked launch: options, layers, scripts. */
package io.hpcrun.request;
