#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# gpu.sh packs a build and runs where it was packed to, in its short form; times are not looked at.
# usage: test-gpu.sh BUILD
set -u
script=$(realpath "$(dirname "$0")/gpu.sh")
build=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
n=0 failed=0
check() { # check NAME COMMAND...
  local name=$1
  shift
  n=$((n + 1))
  if "$@"; then echo "ok $n - $name"; else echo "not ok $n - $name"; failed=1; fi
}
gpu() { # gpu STATUS ARG...: gpu.sh ends with that status
  local expected=$1 status=0
  shift
  "$script" "$@" >"$folder/said" 2>&1 || status=$?
  sed 's/^/# /' "$folder/said"
  [ $status = "$expected" ]
}
said() { grep -q "$1" "$folder/said"; }

check "no arguments are refused" gpu 2
check "run refuses a folder without programs" gpu 1 run --quick
check "pack" gpu 0 pack "$folder/pack" --build "$build"
check "pack overwrites nothing" gpu 1 pack "$folder/pack" --build "$build"

if ! "$folder/pack/bin/yolov7" --help | grep -q '^0: '; then
  echo "ok $((n + 1)) - # SKIP no Vulkan device"
  echo "1..$((n + 1))"
  exit $failed
fi
script=$folder/pack/gpu.sh
check "run" gpu 0 run --quick "$folder/out"
check "every part was run" [ "$(grep -c '^ok  ' "$folder/said")" -ge 8 ]
check "the summary has the figures" grep -qE '^\| quick 64 batch 2 \| [0-9.]+ \|' "$folder/out/summary.md"
check "the summary is JSON" python3 -m json.tool "$folder/out/summary.json" /dev/null
check "few files are left" [ "$(ls "$folder/out" | wc -l)" -le 8 ]

# A program that fails is told by name, and the rest is run all the same, of which most does nothing here.
printf '#!/bin/bash\necho not ok 1 - /copy/broken\nexit 1\n' >"$folder/pack/bin/test-copy"
for name in ceilings host load scaling speed; do : >"$folder/pack/$name.py"; done
check "a check that fails is the exit status" gpu 1 run --quick "$folder/out"
check "it is told by name" said 'not ok 1 - /copy/broken'
check "the rest is run" said '^ok   summary'
check "what was not measured is missing" grep -q '^Ceilings: missing' "$folder/out/summary.md"
echo "1..$n"
exit $failed
