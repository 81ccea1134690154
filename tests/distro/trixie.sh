#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# trixie.sh LOG: installs, builds and tests this tree on Debian 13, as "./test.sh --plain" does there,
# and copies meson's log of the tests to LOG. Exit status 1 where anything failed, Debian's installation
# too; 77, after a line that says why, where it cannot begin: it takes root, mounts, debootstrap, and an
# apt that knows a mirror of Debian. Where no test ran LOG has all of this as one that was skipped or
# failed.
# The system is a folder below XDG_CACHE_HOME (3 GB), made once. What is built in it stays for the
# next run. All of this happens in namespaces of its own: nothing stays mounted, and nothing goes on,
# however it ends.
set -euo pipefail
. "$(dirname "$0")/root.sh"
root=${XDG_CACHE_HOME:-$HOME/.cache}/gst-yolov7/trixie-root
# Below a folder of their own, as in any checkout: the measurements that some tests compare with.
src=$root/work/src
shared=$(realpath -m "${YV_SHARED:-$checkout/../shared}")
clip=/usr/share/doc/opencv-doc/examples/data/vtest.avi # 270 MB of a package for one file

# As meson's log has a test.
note() { printf '{"name": "Debian 13", "result": "%s", "stdout": "%s"}\n' "$1" "${2:-}" >"$log"; }

skip() {
  echo "SKIP no Debian 13 here: $*"
  note SKIP "ok 1 - all of it # SKIP $*"
  exit 77
}

# Documentation is left out.
leave_out() {
  printf '%s\n' 'path-exclude=/usr/share/doc/*' 'path-exclude=/usr/share/man/*' \
    'path-exclude=/usr/share/locale/*' >"$root/etc/dpkg/dpkg.cfg.d/small"
}

# Mounts and files of this machine.
bring_in() {
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mkdir -p "$root/work/shared"
  [ ! -d "$shared" ] || mount --bind -o ro "$shared" "$root/work/shared"
  [ ! -f "${YV_CLIP:-$clip}" ] || install -D "${YV_CLIP:-$clip}" "$root$clip"
}

# dpkg has something to do only where the last run ended while it installed.
test_tree() {
  enter "$root" sh -c 'dpkg --configure -a && exec /work/src/test.sh --plain'
}

log=${1:?usage: $0 LOG}
if [ "${2:-}" != --unshared ]; then
  note FAIL # until more is known
  reason=$(why_not)
  [ -z "$reason" ] || skip "$reason"
  exec unshare --mount --pid --fork --kill-child "$0" "$log" --unshared
fi

mkdir -p "${root%/*}"
exec 9>"$root.lock"
flock 9 # one at a time in the same folder
[ -d "$root" ] || make_root trixie "$root"
connect "$root"
leave_out
copy_tree "$src"
bring_in
log_there=$src/build/meson-logs/testlog.json
rm -f "$log_there"
status=0
test_tree || status=1
[ ! -f "$log_there" ] || cp "$log_there" "$log"
exit $status
