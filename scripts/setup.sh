# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by demo.sh and test.sh: installs what is missing with apt, and builds.
# Everything here can be run again; what is there already is left alone.

cd "$(dirname "${BASH_SOURCE[0]}")/.."

build_packages="gcc libc6-dev meson ninja-build pkg-config glslang-tools libglib2.0-dev
  libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libvulkan-volk-dev libvulkan-dev libyaml-dev
  libjson-glib-dev libcairo2-dev libpango1.0-dev"
run_packages="gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good
  gstreamer1.0-plugins-ugly gstreamer1.0-libav libvulkan1 mesa-vulkan-drivers fonts-dejavu-core"

say() { printf '\n== %s\n' "$*"; }

die() { printf '\n%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || echo "$package"
  done
}

# install PACKAGE...: those that are missing, as root or through sudo.
install() {
  command -v apt-get >/dev/null || die "this script installs with apt, and this is no Debian-like system. \
Install the counterparts of: $* - then run: meson setup build && ninja -C build"
  local missing sudo=
  missing=$(missing_packages "$@" | tr '\n' ' ')
  [ -z "${missing// /}" ] && return
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "these packages are missing and I am neither root nor is there sudo: $missing
Run as root: apt-get install $missing"
    sudo=sudo
  fi
  say "installing with apt: $missing"
  $sudo apt-get update -qq ||
    die "apt-get update failed: is there a network, and does /etc/apt/sources.list name a mirror?"
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
    die "apt-get install failed; the lines above say why. Missing: $missing"
}

# build FOLDER [MESON OPTION...]
build() {
  local folder=$1
  shift
  say "building in $folder"
  if [ ! -f "$folder/build.ninja" ]; then
    meson setup "$folder" "$@" >"/tmp/meson-setup.$$" 2>&1 ||
      { cat "/tmp/meson-setup.$$"; die "meson setup failed; remove $folder and run again"; }
    rm -f "/tmp/meson-setup.$$"
  fi
  ninja -C "$folder" --quiet || die "the build failed; the first error above says where"
}
