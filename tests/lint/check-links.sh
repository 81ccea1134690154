#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every relative link in a Markdown file leads to a file.
set -u
cd "$(dirname "$0")/../.." || exit 1
n=0 failed=0
while IFS=: read -r file link; do
  n=$((n + 1))
  target=$(sed -E 's/.*\]\(([^)#]*).*/\1/' <<<"$link")
  if [ -e "$(dirname "$file")/$target" ]; then
    echo "ok $n - $file: $target"
  else
    echo "not ok $n - $file: $target is not there"
    failed=1
  fi
done < <(git ls-files '*.md' | xargs grep -oE '\]\([^)h#][^)]*\)' /dev/null)
echo "1..$n"
[ $n -gt 0 ] || failed=1
exit $failed
