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
check "the check of conv_coopmat2 was run" grep -q '^ok 1 /conv/overflow' "$folder/out/log.txt"
check "few files are left" [ "$(ls "$folder/out" | wc -l)" -le 8 ]

# A program that fails is told by name, and the rest is run all the same, of which most does nothing here.
fake() { # fake PROGRAM LINE...: what it does instead
  local program=$folder/pack/bin/$1
  shift
  printf '#!/bin/bash\n' >"$program"
  printf '%s\n' "$@" >>"$program"
}
fake test-copy 'echo not ok 1 - /copy/broken; exit 1'
fake test-upsample 'echo "# conv_none: 7 shapes"' 'echo "ok 1 - cache $YV_CACHE, tuning $YV_TUNING"'
fake test-conv 'echo not ok 1 - /conv/broken; exit 1'
for name in ceilings host load scaling speed; do : >"$folder/pack/$name.py"; done
check "a check that fails is the exit status" gpu 1 run --quick "$folder/out"
check "it is told by name" said 'not ok 1 - /copy/broken'
check "so is the check of conv_coopmat2" said 'not ok 1 - /conv/broken'
check "the rest is run" said '^ok   summary'
check "what was not measured is missing" grep -q '^Ceilings: missing' "$folder/out/summary.md"
check "shapes of each kernel are kept" grep -q 'conv_none: 7 shapes' "$folder/out/log.txt"
check "checks keep and tune nothing" grep -q 'cache off, tuning off' "$folder/out/log.txt"

# A machine whose GPU comes after the CPU, or is found only where its driver is mounted.
lists_devices='[ "$1" = --help ] || exit 1
  echo "0: llvmpipe (cpu, llvmpipe)"
  [ -z "${VK_DRIVER_FILES:-$HAS_GPU}" ] || printf "1: UHD (integrated, a)\n2: H200 (discrete, b)\n"'
fake yolov7 "$lists_devices"
rm "$folder"/pack/bin/test-*
export HAS_GPU="" YV_NVIDIA=$folder/nvidia
check "a CPU alone is refused" gpu 1 run "$folder/out"
check "and named" said 'no GPU, only llvmpipe'
mkdir -p "$YV_NVIDIA/share/vulkan/icd.d"
touch "$YV_NVIDIA/share/vulkan/icd.d/nvidia_icd.json"
check "a mounted driver is found, though nothing works" gpu 1 run "$folder/out"
check "its best device is taken" said '^device: H200'
rm -r "$YV_NVIDIA"
export HAS_GPU=yes
check "so is a GPU listed after a CPU, though nothing works" gpu 1 run "$folder/out"
check "it is the best" said '^device: H200'
promised=$(($(sed -n '/ summary,/d; s/^\(ok\|FAIL\) .* s of \([0-9]*\).*/\2/p' "$folder/said" | paste -sd +)))
check "a profile that failed is told" said '^FAIL profile-'
check "the limits fit into the time, $promised s" [ "$promised" -le 535 -a "$promised" -ge 500 ]
echo "1..$n"
exit $failed
