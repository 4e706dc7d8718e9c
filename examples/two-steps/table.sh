#!/bin/sh
# Prints the temperatures of a log of LAMMPS: table.sh LOG
awk '
  /^Loop/ { exit }
  table { printf "step %d: temperature %.2f\n", $1, $2 }
  $1 == "Step" { table = 1 }' "$1"
