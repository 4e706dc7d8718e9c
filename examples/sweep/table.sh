#!/bin/sh
# The state at the end of each melt, the last line of the table in its log.
echo 'start temperature pressure'
for log in melt-*.log; do
  start=${log#melt-}
  awk -v start="${start%.log}" '
    /^Loop/ { exit }
    { line = $0 }
    END { split(line, field); printf "%s   %.4f      %.4f\n", start, field[2], field[5] }' "$log"
done
