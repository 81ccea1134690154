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
checkout=$(realpath "$(dirname "$0")/../..")
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

# The way to the network, as this machine knows it. Documentation is left out, and nothing is synced
# to the disk: who finds the system broken removes it.
configure() {
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  {
    echo 'APT::Keep-Downloaded-Packages "false";'
    apt-config dump Acquire | grep -E '^Acquire::(http|https|Check-|ForceIP|Retries)'
  } >"$root/etc/apt/apt.conf.d/90host" || true
  [ ! -d /etc/apt/auth.conf.d ] || cp -r /etc/apt/auth.conf.d "$root/etc/apt/"
  printf '%s\n' force-unsafe-io 'path-exclude=/usr/share/doc/*' 'path-exclude=/usr/share/man/*' \
    'path-exclude=/usr/share/locale/*' >"$root/etc/dpkg/dpkg.cfg.d/small"
}

make_root() {
  local site new
  site=$("$checkout/scripts/trixie.sh" mirror) || true
  [ -n "$site" ] || skip "apt of this machine knows no mirror of Debian"
  new=$(mktemp -d "$root-XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$new'" EXIT
  chmod 755 "$new"
  if ! debootstrap --variant=minbase --include=ca-certificates trixie "$new" "$site" >"$new/log" 2>&1; then
    tail -n 20 "$new/log" >&2
    echo "debootstrap of trixie from $site failed: the lines above say why" >&2
    exit 1
  fi
  mv -T "$new" "$root"
  trap - EXIT
}

# This tree as it is, but what git ignores; only what differs from the last time is written, so that
# only that is built. git in the system itself is for the tests that list files.
copy_tree() {
  local tree
  [ -d "$src" ] || git init -q "$src"
  export GIT_DIR=$src/.git
  GIT_INDEX_FILE=$GIT_DIR/given git --work-tree="$checkout" add -A "$checkout"
  tree=$(GIT_INDEX_FILE=$GIT_DIR/given git write-tree)
  git --work-tree="$src" read-tree -u --reset "$tree"
  unset GIT_DIR
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
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
    chroot "$root" sh -c 'dpkg --configure -a && exec /work/src/test.sh --plain'
}

log=${1:?usage: $0 LOG}
if [ "${2:-}" != --unshared ]; then
  note FAIL # until more is known
  [ "$(id -u)" = 0 ] || skip "only root can make its system"
  command -v debootstrap >/dev/null || skip "debootstrap is not installed"
  unshare --mount --pid --fork true 2>/dev/null || skip "nothing may be mounted here"
  exec unshare --mount --pid --fork --kill-child "$0" "$log" --unshared
fi

mkdir -p "${root%/*}"
exec 9>"$root.lock"
flock 9 # one at a time in the same folder
[ -d "$root" ] || make_root
configure
copy_tree
bring_in
log_there=$src/build/meson-logs/testlog.json
rm -f "$log_there"
status=0
test_tree || status=1
[ ! -f "$log_there" ] || cp "$log_there" "$log"
exit $status
