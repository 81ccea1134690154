#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# run.sh PROGRAM ARG...: a test program on Mesa of Debian 13's backports, by scripts/trixie.sh.
set -u
trixie=$(dirname "$0")/../../scripts/trixie.sh
"$trixie" folder >/dev/null || { echo "1..0 # SKIP no Debian 13 here: run scripts/trixie.sh make"; exit 0; }
exec "$trixie" run "$@"
