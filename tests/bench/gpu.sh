#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Checks and measures on a machine that has a GPU and little else, in one call below ten minutes.
set -euo pipefail

usage='usage: gpu.sh pack FOLDER [--build BUILD]
       gpu.sh run [OUT] [--quick]

pack, here: builds a release and collects it into FOLDER (new or empty; about 50 MB), with every library
  but the C library, model descriptions, reference checkpoints, and the other program of the comparisons
  where ../shared (or $YV_SHARED) has them. --build takes the programs from a build folder as it is.
run, in the folder on the machine with the GPU, which needs bash, Python, its Vulkan driver and, to be
  compared with, PyTorch: checks every kernel, then measures. Leaves in OUT (FOLDER/out) summary.md,
  summary.json, the results of each run, profiles and a log. What fails is reported, the rest goes on;
  then the exit status is 1. --quick tries the script itself within a minute, on a CPU, too.'

die() { echo "gpu.sh: $*" >&2; exit 1; }

# ---- pack ------------------------------------------------------------------------------------------

# And the test of every operator.
programs="tools/yolov7 tests/bench/write-checkpoint
  tests/model/test-batch tests/model/test-forward tests/model/test-random-graphs
  tests/model/test-vulkan-exec tests/model/test-vulkan-slot tests/model/test-vulkan-weights"

# Of those that the tests know; all of them would be more than may travel.
references="tiny-train tiny-silu v7-best yolov3-spp"

# Libraries of this system must not come in the way of that machine's Python: they are for ours alone.
launcher='#!/bin/bash
here=${0%/*}/..
LD_LIBRARY_PATH=$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} exec "$here/programs/${0##*/}" "$@"'

pack_programs() { # pack_programs FOLDER BUILD
  local program name
  mkdir -p "$1/bin" "$1/programs"
  for program in $programs; do
    name=${program##*/}
    strip -o "$1/programs/$name" "$2/$program"
    echo "$launcher" >"$1/bin/$name"
    chmod +x "$1/bin/$name"
  done
}

# All but what comes with the C library, and the loader, which is opened by name.
pack_libraries() { # pack_libraries FOLDER
  mkdir -p "$1/lib"
  {
    ldd "$1"/programs/* | sed -n 's/.* => \(\/.*\) (.*/\1/p'
    /sbin/ldconfig -p | sed -n 's/.*libvulkan\.so\.1 .*x86-64.* => //p'
  } | sort -u | grep -vE '/(libc|libm|libdl|libpthread|librt|libresolv|ld-linux[^/]*)\.so' |
    xargs cp -L -t "$1/lib"
  [ -e "$1/lib/libvulkan.so.1" ] || die "no libvulkan.so.1 here; install libvulkan1"
}

pack_files() { # pack_files FOLDER ROOT
  local shared=${YV_SHARED:-$2/../shared} name
  mkdir -p "$1/tests/golden" "$1/shared/reference" "$1/shared/bench"
  cp -r "$2/cfg" "$2/models" "$1"
  cp -r "$2/tests/golden/checkpoints" "$1/tests/golden"
  cp "$2"/tests/bench/*.py "$2/tests/bench/gpu.sh" "$1"
  cp "$2/tests/bench/quick.yaml" "$1/cfg/deploy"
  git -C "$2" describe --always --dirty --abbrev=12 >"$1/commit" || echo unknown >"$1/commit"
  for name in $references; do
    cp "$shared/reference/$name".* "$1/shared/reference" 2>/dev/null || echo "not carried: $name"
  done
  for name in torch_peer.py compare_forward.py; do
    cp "$shared/bench/$name" "$1/shared/bench" 2>/dev/null || echo "not carried: $name"
  done
}

pack() {
  local folder="" build="" root ops
  root=$(realpath "$(dirname "$0")/../..")
  while [ $# -gt 0 ]; do
    case $1 in
      --build) build=${2:?$usage}; shift ;;
      -*) die "$usage" ;;
      *) [ -z "$folder" ] || die "$usage"; folder=$1 ;;
    esac
    shift
  done
  [ -n "$folder" ] || die "$usage"
  [ -z "$(ls -A "$folder" 2>/dev/null)" ] || die "$folder is not empty"
  ops=$(cd "$root/tests/ops" && ls test-*.c | sed 's/^test-//; s/\.c$//' | grep -vx spirv)
  programs="$programs $(sed 's,^,tests/ops/test-,' <<<"$ops")"

  if [ -z "$build" ]; then
    build=$root/build-gpu
    [ -f "$build/build.ninja" ] || meson setup "$build" "$root" --buildtype=release
    # shellcheck disable=SC2086
    ninja -C "$build" $programs
  fi
  mkdir -p "$folder"
  echo "$ops" >"$folder/ops"
  pack_programs "$folder" "$build"
  pack_libraries "$folder"
  pack_files "$folder" "$root"
  echo "$folder: $(du -sm "$folder" | cut -f 1) MB of commit $(cat "$folder/commit")"
}

# ---- run -------------------------------------------------------------------------------------------

# part NAME LIMIT_S COMMAND...: what it prints goes into the log, and its end to the terminal if it fails.
part() {
  local name=$1 limit=$2 started=$SECONDS status=0 took
  shift 2
  [ "$limit" -le $((deadline - SECONDS)) ] || limit=$((deadline - SECONDS))
  ! $quick || limit=0 # none, for machines that are busy
  if ! $quick && [ "$limit" -lt 5 ]; then
    echo "FAIL $name: no time was left" | tee -a "$out/log.txt"
    failed="$failed $name"
    return
  fi
  timeout -k 5 "$limit" "$@" >"$work/part" 2>&1 || status=$?
  { echo "---- $name: $*"; cat "$work/part"; } >>"$out/log.txt"
  took="$((SECONDS - started)) s"
  $quick || took="$took of $limit"
  if [ $status = 0 ]; then
    echo "ok   $name, $took"
  else
    [ $status != 124 ] || echo "stopped after $limit s" >>"$work/part"
    echo "FAIL $name, $took, exit status $status; the end of what it said:"
    tail -n 12 "$work/part" | cut -c 1-300
  fi | tee -a "$out/log.txt"
  [ $status = 0 ] || failed="$failed $name"
}

devices() { "$here/bin/yolov7" --help | sed -n 's/^[0-9]*: //p'; }

# The one that the programs take by themselves: the first of the best kind (engine/vulkan/select.c).
best_device() {
  local found kind
  found=$(devices)
  for kind in discrete integrated virtual cpu other; do
    grep -m 1 "($kind, " <<<"$found" && return
  done
  return 0
}

is_gpu() { [ -n "$1" ] && ! grep -q '(cpu, ' <<<"$1"; }

find_device() {
  local nvidia=${YV_NVIDIA:-/usr/local/nvidia}
  # Where the driver is mounted into a container its libraries and its description may be nowhere else.
  [ ! -d "$nvidia/lib64" ] || export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$nvidia/lib64
  device=$(best_device)
  # A CPU that is found is no reason not to look.
  if ! is_gpu "$device" && [ -f "$nvidia/share/vulkan/icd.d/nvidia_icd.json" ]; then
    export VK_DRIVER_FILES=$nvidia/share/vulkan/icd.d/nvidia_icd.json
    export VK_ICD_FILENAMES=$VK_DRIVER_FILES # what older loaders call it
    device=$(best_device)
  fi
  [ -n "$device" ] || die "no Vulkan device: $("$here/bin/yolov7" --help | sed -n '/^Devices/,$p')"
  $quick || is_gpu "$device" || die "no GPU, only $device; --quick tries the script on it"
}

describe_machine() {
  echo "commit: $(cat "$here/commit")"
  echo "device: $device"
  echo "machine: $(nproc) cores of $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), $(uname -sr)"
  nvidia-smi --query-gpu=name,driver_version,clocks.max.sm,clocks.max.mem,power.limit --format=csv,noheader \
    2>/dev/null || true
  "$python" -c 'import sys, torch; print("Python", sys.version.split()[0], "torch", torch.__version__,
    "cuDNN", torch.backends.cudnn.version())' 2>/dev/null || echo "no PyTorch"
}

# A line for each check: its name and its command.
list_checks() {
  local name compare="$python shared/bench/compare_forward.py bin/yolov7 shared/reference --only"
  if $quick; then
    echo "selftest bin/yolov7 selftest --config cfg/deploy/quick.yaml --size=64"
    echo "op-copy bin/test-copy"
    echo "op-upsample-portable YV_KERNELS=portable bin/test-upsample"
  else
    echo "selftest bin/yolov7 selftest"
    echo "selftest-portable YV_KERNELS=portable bin/yolov7 selftest"
    for name in $(cat ops); do
      echo "op-$name bin/test-$name"
      echo "op-$name-portable YV_KERNELS=portable bin/test-$name"
      echo "op-$name-folded YV_TEST_FOLDS=1 bin/test-$name"
    done
    for name in batch vulkan-exec vulkan-slot vulkan-weights; do
      echo "$name bin/test-$name"
    done
    echo "forward bin/test-forward -p /forward/vulkan"
    echo "random-graphs YV_TEST_NETS=60 bin/test-random-graphs -p /random-graphs/vulkan"
  fi
  # These do not amplify rounding; the test "forward" has bounds for the others.
  if [ -f shared/bench/compare_forward.py ] && "$python" -c 'import numpy' 2>/dev/null; then
    echo "compare-fp16 $compare tiny-silu --precision fp16"
    $quick || echo "compare-fp32 $compare tiny-silu,tiny-train --precision fp32"
  fi
}

# Of what passed: the end, what was skipped, and how many shapes went through each kernel.
check() { # check NAME COMMAND...
  local name=$1 status=0 said
  shift
  said=$(env "$@" 2>&1) || status=$?
  if [ $status = 0 ]; then
    said=$(echo "ok $name: $(grep -vE '^(#|1\.\.)' <<<"$said" | tail -n 1)"
      grep -E 'shapes$|# SKIP' <<<"$said" | sed 's/^/    /')
    echo "$said" # at once, since others print, too
  else
    printf 'FAIL %s, exit status %d:\n%s\n' "$name" $status \
      "$(grep -E 'not ok|FAIL|rror|hort|shapes$' <<<"$said" | tail -n 20)"
    return 1
  fi
}

# Many at a time on one device, so that nothing is tuned that measurements would take.
all_checks() {
  export YV_CACHE=off YV_TUNING=off
  list_checks | xargs -P "$(nproc)" -I{} bash -c 'check {}'
}

# No driver has run this kernel before, hence the tests of convolutions alone, after all other parts: a
# GPU that hangs takes nothing along. Those of fp32 are another kernel's; and so are all without this one.
# Every shape in every tile takes longest and comes last; what was said before stays if it is stopped.
check_coopmat2() {
  set -o pipefail
  export YV_CACHE=off YV_TUNING=off YV_KERNELS=coopmat2
  if $quick; then
    test_conv -p /conv/overflow
  else
    test_conv -s /conv/fp32 -s /conv/fp16 && test_conv -p /conv/fp16
  fi
}

test_conv() { bin/test-conv "$@" 2>&1 | grep --line-buffered -v '^# DEBUG'; }

# Each figure has a cache of its own: what is tuned for one batch may take away what was for another.
use_cache_of() { export XDG_CACHE_HOME=$caches/$1-$2-$3; }

# tune_figure MODEL SIZE BATCH
tune_figure() {
  use_cache_of "$@"
  bin/yolov7 tune --config "cfg/deploy/$1.yaml" --size="$2" --batch="$3" --budget=$($quick && echo 1 || echo 8)
}

measure_figure() { # the same arguments
  local peer=shared/bench/torch_peer.py runs=(--runs=50 --peer-runs=100 --rounds=2)
  ! $quick || runs=(--runs=3 --rounds=1)
  use_cache_of "$@"
  "$python" speed.py bin/yolov7 "cfg/deploy/$1.yaml" --size="$2" --batch="$3" "${runs[@]}" --peer=$peer \
    --results="$out/results.jsonl"
}

profile_figure() { # the same arguments
  local bench="bin/yolov7 bench --config cfg/deploy/$1.yaml --size=$2 --batch=$3 --runs=$($quick && echo 3 || echo 20)"
  use_cache_of "$@"
  $bench --profile --json >>"$out/profiles.jsonl" && { $bench && $bench --profile && echo; } >>"$out/profiles.txt"
}

# With the usual kernels: to tune each point alike would take longer than there is.
measure_scaling() {
  local options=(--rounds=1 --runs=20)
  ! $quick || options=(--rounds=1 --runs=1 --batches=1,2 --sizes=64 --batch-size=64)
  YV_TUNING=off "$python" scaling.py bin/yolov7 "cfg/deploy/${figures%%:*}.yaml" models/pets-tiny.pt "${options[@]}" \
    --svg="$out/scaling.svg" --results="$out/results.jsonl"
}

measure_load() {
  local options=(training/yolov7.yaml --rounds=2)
  ! $quick || options=(deploy/quick.yaml --size=64 --rounds=1)
  "$python" load.py bin/yolov7 bin/write-checkpoint cfg/"${options[0]}" "${options[@]:1}" \
    --results="$out/results.jsonl"
}

run() {
  local figure arguments
  here=$(realpath "$(dirname "$0")") out="" quick=false
  for argument in "$@"; do
    case $argument in
      --quick) quick=true ;;
      -*) die "$usage" ;;
      *) [ -z "$out" ] || die "$usage"; out=$argument ;;
    esac
  done
  [ -d "$here/programs" ] || die "run it in a folder that 'gpu.sh pack' made"
  out=${out:-$here/out}
  mkdir -p "$out"
  out=$(realpath "$out")
  rm -f "$out"/{log.txt,results.jsonl,profiles.jsonl,profiles.txt,scaling.svg,summary.md,summary.json}
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  cd "$here"

  deadline=$((SECONDS + 535)) failed=""
  figures="yolov7:640:1 yolov7:640:32 yolov7-tiny:640:1 yolov7-tiny:640:32 yolov7-w6:1280:8"
  ! $quick || figures="quick:64:1 quick:64:2"
  caches=$work/caches
  export XDG_CACHE_HOME=$caches/others YV_SOURCE_ROOT=$here YV_SHARED=$here/shared YV_REQUIRE_VULKAN=1
  python=$("python3" -c 'import tool; print(tool.python_with_torch() or "python3")' | tail -n 1)
  find_device
  describe_machine | tee "$work/machine" "$out/log.txt"
  export here out quick figures python caches
  export -f list_checks check all_checks check_coopmat2 test_conv use_cache_of tune_figure measure_figure \
    profile_figure measure_scaling measure_load

  # The limits add up to no more than the time until the deadline, so that every part gets its own.
  part checks 100 bash -c all_checks
  part ceilings 15 "$python" ceilings.py --results="$out/results.jsonl" $($quick && echo --quick)
  for figure in $figures; do
    IFS=: read -ra arguments <<<"$figure"
    part "tune-$figure" 13 bash -c 'tune_figure "$@"' _ "${arguments[@]}"
    part "speed-$figure" 33 bash -c 'measure_figure "$@"' _ "${arguments[@]}"
    part "profile-$figure" 7 bash -c 'profile_figure "$@"' _ "${arguments[@]}"
  done
  part load 35 bash -c measure_load
  part host 8 "$python" host.py bin/yolov7 $($quick && echo cfg/deploy/quick.yaml --size=64 || echo models/pets-tiny.pt)
  part scaling 40 bash -c measure_scaling
  part op-conv-coopmat2 72 bash -c check_coopmat2

  $quick || deadline=$((SECONDS + 10)) # the summary is always written
  part summary 10 "$python" summary.py "$work/machine" "$out"
  cat "$out/summary.md"
  [ -z "$failed" ] || die "failed:$failed"
}

case ${1:-} in
  pack) shift; pack "$@" ;;
  run) shift; run "$@" ;;
  --help | -h) echo "$usage" ;;
  *) echo "$usage" >&2; exit 2 ;;
esac
