# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by trixie.sh and packages.sh: other Debian systems as folders. Sets $checkout, this tree.
checkout=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")

# Prints why this machine can make and enter no such folder; nothing where it can.
why_not() {
  if [ "$(id -u)" != 0 ]; then
    echo "only root can make its system"
  elif ! command -v debootstrap >/dev/null; then
    echo "debootstrap is not installed"
  elif ! unshare --mount --pid --fork true 2>/dev/null; then
    echo "nothing may be mounted here"
  elif [ -z "$("$checkout/scripts/trixie.sh" mirror)" ]; then
    echo "apt of this machine knows no mirror of Debian"
  fi
}

# make_root RELEASE FOLDER: its smallest system. In a shell of its own, whose end removes what is half made.
make_root() (
  site=$("$checkout/scripts/trixie.sh" mirror)
  new=$(mktemp -d "$2-XXXXXX")
  trap 'rm -rf "$new"' EXIT
  chmod 755 "$new"
  if ! debootstrap --variant=minbase --include=ca-certificates "$1" "$new" "$site" >"$new/log" 2>&1; then
    tail -n 20 "$new/log" >&2
    echo "debootstrap of $1 from $site failed: the lines above say why" >&2
    exit 1
  fi
  rm "$new/log"
  mv -T "$new" "$2"
)

# connect FOLDER: the way to the network, as this machine knows it. Nothing is synced to the disk: who
# finds the system broken removes it.
connect() {
  cp -L /etc/resolv.conf /etc/hosts "$1/etc/"
  {
    echo 'APT::Keep-Downloaded-Packages "false";'
    apt-config dump Acquire | grep -E '^Acquire::(http|https|Check-|ForceIP|Retries)'
  } >"$1/etc/apt/apt.conf.d/90host" || true
  [ ! -d /etc/apt/auth.conf.d ] || cp -r /etc/apt/auth.conf.d "$1/etc/apt/"
  echo force-unsafe-io >"$1/etc/dpkg/dpkg.cfg.d/quick"
}

# copy_tree FOLDER: this tree as it is, but what git ignores; only what differs from the last time is
# written. git in the system itself is for the tests that list files.
copy_tree() {
  local tree
  [ -d "$1" ] || git init -q "$1"
  export GIT_DIR=$1/.git
  GIT_INDEX_FILE=$GIT_DIR/given git --work-tree="$checkout" add -A "$checkout"
  tree=$(GIT_INDEX_FILE=$GIT_DIR/given git write-tree)
  git --work-tree="$1" read-tree -u --reset "$tree"
  unset GIT_DIR
}

# enter FOLDER COMMAND...: as root of that system, in an environment of its own.
enter() {
  local folder=$1
  shift
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
    chroot "$folder" "$@"
}
