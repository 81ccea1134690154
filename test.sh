#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what is missing, builds, and runs every test suite: once plain, once under ASan and UBSan;
# those with threads under ThreadSanitizer, too; builds with clang where apt has it; and does the plain
# part once more on Debian 13, and tests the packages for both.
# Closes with "N passed, N failed, N skipped", counting single tests; exit status 1 if any failed.
#   ./test.sh           everything
#   ./test.sh --fast    without clang, the sanitizers, Debian 13 and packages
#   ./test.sh --plain   as --fast, without the suites "newer", "soak" and "once": what
#                       tests/distro/trixie.sh does
set -euo pipefail
fast=yes suites=
case $* in
  '') fast= ;;
  --fast) ;;
  --plain) suites='--no-suite newer --no-suite soak --no-suite once' ;;
  *) echo "usage: $0 [--fast | --plain]" >&2; exit 2 ;;
esac
. "$(dirname "${BASH_SOURCE[0]}")/scripts/setup.sh"

# The tests start brokers of their own: those that this script brings need not run, now or after a boot.
brokers=$(missing_packages mosquitto rabbitmq-server erlang-base)
# shellcheck disable=SC2086
install $build_packages $run_packages vulkan-validationlayers spirv-tools git clang-format \
  python3-minimal ffmpeg python3-numpy python3-scipy mosquitto openssl g++ make python3-gi \
  python3-gst-1.0 gir1.2-gst-plugins-base-1.0 gir1.2-gst-plugins-bad-1.0
if [ -z "$suites" ]; then # for "once"
  install rabbitmq-server amqp-tools python3-pika iproute2 chromium chromium-driver gir1.2-gst-rtsp-server-1.0 \
    gstreamer1.0-rtsp
fi
for broker in $brokers; do
  if [ -d /run/systemd/system ] && [ -z "$(missing_packages "$broker")" ]; then
    services=$broker
    [ "$broker" = erlang-base ] && services='epmd.socket epmd.service' # the port mapper of rabbitmq-server
    # shellcheck disable=SC2086
    $([ "$(id -u)" = 0 ] || echo sudo) systemctl disable --now $services
  fi
done

build build -Dwerror=true
if [ -z "$fast" ]; then
  build build-asan -Dwerror=true -Db_sanitize=address,undefined -Db_lundef=false
  configure build-tsan -Dwerror=true -Db_sanitize=thread -Db_lundef=false
  if (install clang); then
    CC=clang build build-clang -Dwerror=true --buildtype=plain # for its warnings: nothing there is run
  else
    say "going on without clang"
  fi
fi

install man-db groff-base mandoc # they read our pages
find_clip
export YV_CLIP=$clip
export YV_REQUIRE_VULKAN=1 # lavapipe is installed above: a missing device is a failure here
export MESA_SHADER_CACHE_DIR=${MESA_SHADER_CACHE_DIR:-$PWD/build/shader-cache}
mkdir -p "$MESA_SHADER_CACHE_DIR"

if [ -z "$suites" ]; then
  # For the suite "newer", which is skipped without it.
  say "unpacking Debian 13's shader compiler and Mesa"
  scripts/trixie.sh make || say "going on without them"
fi

say "tests"
status=0
# shellcheck disable=SC2086
meson test -C build --no-rebuild --print-errorlogs $suites || status=1
logs=build/meson-logs/testlog.json
if [ -z "$fast" ]; then
  say "tests under ASan and UBSan"
  export ASAN_OPTIONS=abort_on_error=0:detect_leaks=1:strict_string_checks=1
  export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
  export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
  # What looks at the sources only gains nothing from sanitizers, and little what compares the numbers that
  # kernels compute: the code that plans, packs and runs them is that of "random-graphs" and the others.
  meson test -C build-asan --no-rebuild --print-errorlogs --timeout-multiplier 8 \
    --no-suite lint --no-suite headers --no-suite ops --no-suite numbers --no-suite once || status=1
  logs="$logs build-asan/meson-logs/testlog.json"

  say "tests with threads under ThreadSanitizer"
  # Libraries that are not built for it, such as the CPU driver and GStreamer, wait for each other in ways
  # that it can't see: only what we do is judged. GLib's locks are told to it by tests/common/threadsync.c.
  export TSAN_OPTIONS=ignore_noninstrumented_modules=1
  # Before 2.76 GLib has an allocator of its own, which hands memory from thread to thread unseen.
  export G_SLICE=always-malloc
  # It wants its shadow memory at a fixed place, which random addresses may take on newer kernels.
  fixed_addresses=$(setarch -R true 2>/dev/null && echo setarch -R) || true
  # It builds what these tests need, and nothing else.
  # shellcheck disable=SC2086
  $fixed_addresses meson test -C build-tsan --print-errorlogs --timeout-multiplier 8 \
    --suite threads || { [ $? != 125 ] || die "the build in build-tsan failed"; status=1; }
  logs="$logs build-tsan/meson-logs/testlog.json"

  say "tests on Debian 13"
  if [ "$(id -u)" = 0 ]; then
    (install debootstrap) || say "going on without debootstrap"
  fi
  tests/distro/trixie.sh build/trixie-testlog.json || [ $? = 77 ] || status=1 # or it said why it can't
  logs="$logs build/trixie-testlog.json"

  say "Debian packages"
  tests/distro/packages.sh build/packages-testlog.json || [ $? = 77 ] || status=1
  logs="$logs build/packages-testlog.json"
fi

# shellcheck disable=SC2086
python3 scripts/count-tests.py $logs || status=1
exit $status
