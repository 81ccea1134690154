# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by demo.sh and test.sh: installs what is missing with apt, and builds.
# Everything here can be run again; what is there already is left alone.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

build_packages="gcc libc6-dev meson ninja-build pkg-config glslang-tools libglib2.0-dev
  libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libvulkan-volk-dev libvulkan-dev libyaml-dev
  libjson-glib-dev libcairo2-dev libpango1.0-dev libgdk-pixbuf-2.0-dev
  libmosquitto-dev librdkafka-dev libgstrtspserver-1.0-dev libsoup-3.0-dev librabbitmq-dev"
# GstAnalytics, since GStreamer 1.24, is in the development package of plugins-bad.
. /etc/os-release
if [ "${ID:-}" = debian ] && [ "${VERSION_ID:-0}" -ge 13 ]; then
  build_packages="$build_packages libgstreamer-plugins-bad1.0-dev"
fi
run_packages="gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good
  gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav gstreamer1.0-x libvulkan1 mesa-vulkan-drivers fonts-dejavu-core"

say() { printf '\n== %s\n' "$*"; }

die() { printf '\n%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || echo "$package"
  done
}

# apt COMMAND...: as root or through sudo; asks nothing; what it says is shown only where it fails.
apt() {
  local log
  log=$(mktemp)
  if ! $sudo env DEBIAN_FRONTEND=noninteractive apt-get -y -qq "$@" >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# install PACKAGE...: those that are missing.
install() {
  command -v apt-get >/dev/null || die "this script installs with apt, and this is no Debian-like system. \
Install the counterparts of: $* - then run: meson setup build && ninja -C build"
  local missing sudo=
  missing=$(missing_packages "$@" | tr '\n' ' ')
  [ -z "${missing// /}" ] && return
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "these packages are missing and I am neither root nor is there sudo: $missing
Run as root: apt-get install $missing"
    sudo -v || die "sudo refused; run as root: apt-get install $missing"
    sudo=sudo
  fi
  say "installing with apt: $missing"
  apt update || echo "apt-get update failed, see above; trying with the lists that are there" >&2
  # shellcheck disable=SC2086
  apt install --no-install-recommends $missing ||
    die "apt-get install failed; the lines above say why. Is there a network? Missing: $missing"
}

# The clip of the demo and the tests, from Debian's package opencv-doc; systems that leave documentation
# out get it unpacked into build/. Sets $clip.
find_clip() {
  clip=/usr/share/doc/opencv-doc/examples/data/vtest.avi
  [ -f "$clip" ] && return
  clip=$PWD/build/opencv-doc$clip
  [ -f "$clip" ] && return
  say "unpacking $(basename "$clip") from Debian's package opencv-doc"
  mkdir -p build/opencv-doc
  (cd build/opencv-doc && apt-get -qq download opencv-doc && dpkg-deb -x opencv-doc_*.deb .) &&
    [ -f "$clip" ] || die "could not get vtest.avi: apt-get download opencv-doc failed"
}

# configure FOLDER [MESON OPTION...]
configure() {
  local folder=$1 log
  shift
  log=$(mktemp)
  if [ -f "$folder/build.ninja" ]; then
    meson configure "$folder" "$@" >"$log" 2>&1
  else
    meson setup "$folder" "$@" >"$log" 2>&1
  fi || { cat "$log"; rm -f "$log"; die "meson failed; remove $folder and run again"; }
  rm -f "$log"
}

# build FOLDER [MESON OPTION...]
build() {
  say "building in $1"
  configure "$@"
  ninja -C "$1" --quiet || die "the build failed; the first error above says where"
}
