#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every gst-launch-1.0 line in README, docs, demo.sh and the elements' SECTION blocks parses: each element
# exists and has each property that is set. Nothing is run.
# usage: check-launch-lines.sh CHECKER   (a program that parses the line it is given)
set -u
checker=$(realpath "$1")
cd "$(dirname "$0")/../.."
n=0 failed=0
lines=$(cat README.md demo.sh docs/*.md gst/*.c 2>/dev/null |
  sed -E -e ':a' -e '/\\+$/{N;s/\\+\n[ *|]*/ /;ba' -e '}' |
  grep -oE 'gst-launch-1\.0 .*' | sed -E 's/^gst-launch-1\.0 (-[a-z] )*//; s/`.*//; s/ *\*\/$//')
while IFS= read -r line; do
  [ -n "$line" ] || continue
  n=$((n + 1))
  # Files that a reader would replace by his own become names that need not exist for parsing.
  line=$(sed -E 's/\$\{?[A-Za-z]+\}?/x/g' <<<"$line")
  if message=$("$checker" "$line" 2>&1); then
    echo "ok $n - $line"
  else
    sed 's/^/# /' <<<"$message"
    echo "not ok $n - $line"
    failed=1
  fi
done <<<"$lines"
echo "1..$n"
[ $n -gt 0 ] || { echo "not ok 1 - no launch line found"; failed=1; }
exit $failed
