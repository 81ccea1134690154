#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Debian 13 beside the Debian that runs: its shader compiler, and Mesa of its backports, whose CPU
# driver has cooperative matrices.
#   scripts/trixie.sh make                 unpacks it where it is not yet: 110 MB to load, 400 MB on disk
#   scripts/trixie.sh folder               prints where it is; exit status 1 where it is not
#   scripts/trixie.sh mirror               prints where apt of this machine gets Debian from
#   scripts/trixie.sh run PROGRAM ARG...   runs a program of it, or one of ours with its libraries
# Nothing needs to be root, and nothing of the system that runs is changed: apt downloads and checks the
# packages with lists of their own, dpkg-deb unpacks them into a folder below XDG_CACHE_HOME, and their
# programs are started by their own loader.
set -euo pipefail

packages="glslang-tools spirv-tools libvulkan1 vulkan-validationlayers libglib2.0-0t64 libyaml-0-2
  libjson-glib-1.0-0"
backports=mesa-vulkan-drivers
cache=${XDG_CACHE_HOME:-$HOME/.cache}/gst-yolov7
# Another list of packages is another folder.
root=$cache/trixie-$(echo "$packages $backports" | cksum | cut -d ' ' -f 1)
keys=/usr/share/keyrings/debian-archive-keyring.gpg

die() { echo "no Debian 13 here: $*" >&2; exit 1; }

# apt with all of its state in folder $1, as if nothing were installed.
apt_in() {
  local folder=$1
  shift
  apt-get -qq -o "Dir::State=$folder" -o "Dir::State::status=$folder/status" -o "Dir::Cache=$folder" \
    -o "Dir::Etc::SourceList=$folder/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
    -o APT::Sandbox::User= -o APT::Install-Recommends=false "$@" >"$folder/log" 2>&1 </dev/null ||
    die "apt-get $1 failed: $(tail -n 1 "$folder/log")"
}

mirror() {
  apt-get indextargets --format '$(LABEL) $(SITE)' 'Created-By: Packages' 2>/dev/null |
    sed -n 's/^Debian \(http.*\)/\1/p' | head -n 1
}

make_root() {
  local site package
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || die "this is no Debian"
  [ "$(dpkg --print-architecture)" = amd64 ] || die "its folders have the names of amd64"
  [ -f "$keys" ] || die "$keys is missing; install debian-archive-keyring"
  site=$(mirror)
  [ -n "$site" ] || die "apt of this machine knows no mirror of Debian"

  mkdir -p "$cache"
  new=$(mktemp -d "$cache/new-XXXXXX")
  trap 'rm -rf "$new"' EXIT
  mkdir -p "$new/apt/lists/partial" "$new/apt/archives/partial"
  touch "$new/apt/status"
  printf "deb [signed-by=$keys] $site %s main\n" trixie trixie-backports >"$new/apt/sources.list"
  apt_in "$new/apt" update
  # shellcheck disable=SC2086
  apt_in "$new/apt" install --download-only -y $packages $backports/trixie-backports
  for package in "$new"/apt/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x -C "$new" --no-same-owner \
      --exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='./usr/share/locale'
  done
  rm -rf "$new/apt"
  chmod 755 "$new"
  # Who comes second, where two do this at a time, has done it for nothing.
  mv -T "$new" "$root" 2>/dev/null || [ -d "$root" ]
}

run() {
  local program=$1
  shift
  [ -d "$root" ] || die "run scripts/trixie.sh make first"
  [ ! -x "$root/usr/bin/$program" ] || program=$root/usr/bin/$program
  export VK_DRIVER_FILES=$root/usr/share/vulkan/icd.d/lvp_icd.json
  export VK_LAYER_PATH=$root/usr/share/vulkan/explicit_layer.d${VK_LAYER_PATH:+:$VK_LAYER_PATH}
  exec "$root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$root/usr/lib/x86_64-linux-gnu" \
    "$program" "$@"
}

case ${1:-} in
  make) [ -d "$root" ] || make_root ;;
  mirror) mirror ;;
  folder) [ -d "$root" ] && echo "$root" ;;
  run) shift; run "$@" ;;
  *) echo "usage: $0 make | folder | mirror | run PROGRAM ARG..." >&2; exit 2 ;;
esac
