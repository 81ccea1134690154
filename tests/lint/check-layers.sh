#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An #include may only point to a lower rank (docs/architecture.md, "Who may include whom"), and no type
# of a library crosses its border.
set -u
cd "$(dirname "$0")/../.." || exit 1
[ -n "$(git ls-files engine gst)" ] || { echo "Bail out! git lists no files here"; exit 1; }
failed=0
complain() { echo "# $*"; failed=1; }

# rank of a path: base 0 < checkpoint 1 | model 2 < graph 3 < passes 4 < plan/step,caps,cstride,way 5 < ops 6 <
# plan 7 < vulkan | ref 8 < post 9 < engine, stream and batcher 12 < public 13 < users 14
rank() {
  case "$1" in
  engine/batcher.*|engine/batchnet.*|engine/request.*|engine/share.*|engine/engine.*|engine/yolov7.h|engine/yolov7-tools.h|engine/flight.*|engine/forward.*|engine/bench.*|engine/diff/*|engine/info.*|engine/rowtext.*|engine/runner.*|engine/selftest.*|engine/settings.*|engine/steptest.*|engine/stream.*|engine/tune.*|engine/tunebands.*) echo 12 ;;
  engine/checkpoint/*) echo 1 ;;
  engine/model/*) echo 2 ;;
  engine/graph/*) echo 3 ;;
  engine/passes/*) echo 4 ;;
  engine/plan/step.*|engine/plan/caps.*|engine/plan/cstride.*|engine/plan/way.*) echo 5 ;;
  engine/ops/*) echo 6 ;;
  engine/plan/*) echo 7 ;;
  engine/vulkan/*|engine/ref/*) echo 8 ;;
  engine/post/*) echo 9 ;;
  engine/*|common/*|shaders/params.h|shaders/slices.h) echo 0 ;;
  *) echo 14 ;;
  esac
}

includes=$(git ls-files 'engine/*.[ch]' 'common/*.[ch]' | xargs grep -n '^#include "' /dev/null)
while IFS=: read -r file line text; do
  target=$(sed 's/#include "\(.*\)"/\1/' <<<"$text")
  case "$target" in *.spv.h) [ "$file" = engine/vulkan/kernels.c ] || complain "$file:$line: only kernels.c includes SPIR-V"; continue ;; esac
  own=$(rank "$file") other=$(rank "$target")
  [ "$other" -le "$own" ] || complain "$file:$line: includes $target, which ranks higher"
  case "$file:$target" in
  common/*:common/*|common/*:engine/error.h) ;;
  common/*) complain "$file:$line: common/ sees engine/error.h and nothing else, not $target" ;;
  engine/vulkan/*:engine/ref/*|engine/ref/*:engine/vulkan/*) complain "$file:$line: vulkan and ref must not know each other" ;;
  esac
done <<<"$includes"

while IFS=: read -r file line text; do
  case "$file:$text" in
  tools/*:*'"engine/yolov7-tools.h"'*) ;;
  *'"engine/yolov7.h"'*|*'"engine/api.h"'*|*'"engine/error.h"'*|*'"engine/image.h"'*|*'"engine/letterbox.h"'*) ;;
  *) complain "$file:$line: gst/, tools/ and examples/ see engine/yolov7.h and nothing else of the engine, but tools/ yolov7-tools.h" ;;
  esac
done < <(git ls-files 'gst/*.[ch]' 'tools/*.[ch]' 'examples/*.[ch]' | xargs grep -n '^#include "engine/' /dev/null)

words() { # words PATTERN MESSAGE FILE...: comments do not count
  local pattern=$1 message=$2
  shift 2
  local hits
  hits=$(git ls-files "$@" | xargs -r grep -nE "$pattern" /dev/null | grep -vE '^[^:]*:[0-9]+: *(/?\*|//)')
  [ -z "$hits" ] || complain "$message:"$'\n'"$(sed 's/^/#   /' <<<"$hits")"
}
words '\bVk[A-Z]\w+|\bvk[A-Z]\w+ \(' 'a Vulkan type outside engine/vulkan/' \
  'engine/*.[ch]' 'common/*.[ch]' gst tools ':!engine/vulkan'
words '\b(Gst[A-Z]\w+|gst_\w+) ' 'a GStreamer type in the engine' 'engine/*.[ch]' 'common/*.[ch]'
words '<yaml\.h>' 'libyaml outside common/' 'engine/*.[ch]' gst tools
words '\b(GObject|GMainLoop|GFile|GThreadPool|g_object_\w+) ' 'GObject or GIO in the engine' \
  'engine/*.[ch]' 'common/*.[ch]'
# Device-level calls go through the table of the device: a host process may own other devices.
words '(^|[^.>_a-zA-Z])vk(Cmd|Queue|Allocate|Free|Map|Unmap|Bind|Wait|Begin|End|Update|Reset|Destroy[A-HJ-Z]|Create(Buffer|Compute|Descriptor|Pipeline|Command|Fence|Semaphore|Shader|Query))\w* \(' \
  'a bare device-level call' 'engine/vulkan/*.c'

[ $failed = 0 ] && echo "ok 1 - layers" || echo "not ok 1 - layers"
echo 1..1
exit $failed
