#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The benchmark "overlay" on Debian 13, where GStreamer has an overlay of its own to measure beside ours:
# in the system that tests/distro/trixie.sh made, with a build folder that stays. Exit status 77, after a
# line that says why, where there is no such system; else that of the benchmark. Arguments go to it:
#   overlay-peer.sh [FORMAT...]
set -euo pipefail
checkout=$(realpath "$(dirname "$0")/../..")
root=${XDG_CACHE_HOME:-$HOME/.cache}/gst-yolov7/trixie-root
src=/work/overlay-peer

skip() {
  echo "SKIP no Debian 13 to measure on: $*"
  exit 77
}

if [ "${YV_UNSHARED:-}" != yes ]; then
  [ -d "$root/work" ] || skip "tests/distro/trixie.sh makes it"
  [ "$(id -u)" = 0 ] || skip "only root can enter it"
  unshare --mount true 2>/dev/null || skip "nothing may be mounted here"
  YV_UNSHARED=yes exec unshare --mount --pid --fork --kill-child "$0" "$@"
fi

mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mkdir -p "$root$src"
# What git knows, where it differs: only that is built again.
(cd "$checkout" && git ls-files -z) | while IFS= read -r -d '' file; do
  cmp -s "$checkout/$file" "$root$src/$file" && continue
  mkdir -p "$(dirname "$root$src/$file")"
  cp "$checkout/$file" "$root$src/$file"
done
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin HOME=/root LANG=C.UTF-8 "$@"; }
inside sh -c "cd $src && { [ -f build/build.ninja ] || meson setup build; } &&
  ninja -C build tests/bench/overlay-speed gst/libgstyolov7.so tests/gst/plugins" >&2
inside GST_PLUGIN_PATH=$src/build/gst GST_PLUGIN_SYSTEM_PATH_1_0=$src/build/tests/gst/plugins \
  GST_REGISTRY=$src/build/gst/registry.bin GST_REGISTRY_FORK=no \
  "$src/build/tests/bench/overlay-speed" "$@"
