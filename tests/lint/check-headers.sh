#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every header compiles alone, and twice.
set -u
cd "$(dirname "$0")/../.." || exit 1
[ -n "$(git ls-files engine gst)" ] || { echo "Bail out! git lists no files here"; exit 1; }
flags="-std=gnu11 -Wall -Wextra -Werror -I. $(pkg-config --cflags glib-2.0 json-glib-1.0 yaml-0.1 gstreamer-video-1.0 pangocairo; pkg-config --cflags gstreamer-rtsp-server-1.0 2>/dev/null)"
n=0 failed=0
for header in $(git ls-files 'common/*.h' 'engine/*.h' 'gst/*.h' 'tools/*.h' 'examples/*.h' 'shaders/*.h' 'tests/*.h' | grep -v '\.spv\.h$'); do
  n=$((n + 1))
  # shellcheck disable=SC2086
  if message=$(printf '#include "%s"\n#include "%s"\n' "$header" "$header" | ${CC:-cc} $flags -fsyntax-only -x c - 2>&1); then
    echo "ok $n - $header"
  else
    sed 's/^/# /' <<<"$message"
    echo "not ok $n - $header"
    failed=1
  fi
done
echo "1..$n"
exit $failed
